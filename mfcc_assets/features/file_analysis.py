"""Analyses audio files: reads a file and computes the features of its samples in one pass."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.read_ahead import ReadAhead
from mfcc_assets.audio.reader import Audio, AudioLimits, AudioReader
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.signal_reader import signal_reader
from mfcc_assets.features.track_features import Analysis, analyse
from mfcc_assets.features.waveform import PeakMeter, Waveform, waveform_of


@dataclass(frozen=True)
class AnalysedFile:
    """What was learned of a file while it was decoded once.

    Attributes
    ----------
    audio
        Facts about the audio, such as its id and length.
    analysis
        Cepstra and timbre of the audio.
    waveform
        Waveform of the audio. It lacks the trimmed samples and the silence that was skipped to align the frames, which
        are less than 0.05 s.
    """

    audio: Audio
    analysis: Analysis
    waveform: Waveform


def analyse_file(path: Path, parameters: CepstraParameters, limits: AudioLimits, subject: str = "") -> AnalysedFile:
    """Read an audio file and compute its cepstra, timbre and waveform.

    The frames are aligned with the beginning of the music, so silence before it hardly changes them.

    Parameters
    ----------
    path
        The file.
    parameters
        Definition of the cepstra.
    limits
        Limits of the audio that is accepted.
    subject
        Name of the file in errors. The default is the name of the path.

    Raises
    ------
    AudioError
        If the audio cannot be used.
    OSError
        If the file cannot be opened.
    """
    return analyse_signal(signal_reader(path, parameters, limits, subject), parameters)


def analyse_signal(signal: AudioReader | ReadAhead, parameters: CepstraParameters) -> AnalysedFile:
    """Compute what `analyse_file` computes of a file whose reading may have begun. It raises the same errors.

    Parameters
    ----------
    signal
        The signal, as `mfcc_assets.features.signal_reader.signal_reader` reads it.
    parameters
        Definition of the cepstra.
    """
    meter = PeakMeter(parameters.step_samples)
    analysis = analyse(meter.listen(signal.blocks()), parameters)
    return AnalysedFile(signal.audio, analysis, waveform_of(meter.peaks, analysis.cepstra, parameters))


def waveform_of_file(
    path: Path, cepstra: NDArray[np.float32], parameters: CepstraParameters, limits: AudioLimits, subject: str = ""
) -> tuple[Audio, Waveform]:
    """Read an audio file whose cepstra are known, and compute its waveform, as `analyse_file` does.

    Parameters
    ----------
    path
        The file.
    cepstra : (frames, d) float32
        Cepstra of the file, made with these parameters.
    parameters, limits, subject
        As for `analyse_file`, which raises the same errors.
    """
    reader, meter = signal_reader(path, parameters, limits, subject), PeakMeter(parameters.step_samples)
    for _ in meter.listen(reader.blocks()):
        pass
    return reader.audio, waveform_of(meter.peaks, cepstra, parameters)
