"""Analyses audio files: reads a file and computes the features of its samples in one pass."""

from pathlib import Path

from mfcc_assets.audio.reader import Audio, AudioLimits, AudioReader
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.track_features import Analysis, analyse


def analyse_file(
    path: Path, parameters: CepstraParameters, limits: AudioLimits, subject: str = ""
) -> tuple[Audio, Analysis]:
    """Read an audio file and compute its cepstra and timbre.

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

    Returns
    -------
    audio
        Facts about the audio, such as its id and length.
    analysis
        Cepstra and timbre of the audio.

    Raises
    ------
    AudioError
        If the audio cannot be used.
    OSError
        If the file cannot be opened.
    """
    reader = AudioReader(
        path,
        parameters.sample_rate,
        parameters.trimmed_samples,
        limits,
        subject,
        aligned_to=parameters.step_samples,
    )
    analysis = analyse(reader.blocks(), parameters)
    return reader.audio, analysis
