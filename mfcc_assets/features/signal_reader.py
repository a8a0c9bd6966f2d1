"""The reader of a file's signal, as the cepstra of given parameters need it."""

from pathlib import Path

from mfcc_assets.audio.reader import AudioLimits, AudioReader
from mfcc_assets.features.parameters import CepstraParameters


def signal_reader(path: Path, parameters: CepstraParameters, limits: AudioLimits, subject: str = "") -> AudioReader:
    """Return a reader of the signal of a file. It aligns the frames with the beginning of the music.

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
    """
    return AudioReader(
        path,
        parameters.sample_rate,
        parameters.trimmed_samples,
        limits,
        subject,
        aligned_to=parameters.step_samples,
    )
