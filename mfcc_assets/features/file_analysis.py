"""From an audio file to its analysis: the reader and the computation of cepstra put together."""

from pathlib import Path

from mfcc_assets.audio.reader import Audio, AudioLimits, AudioReader
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.track_features import Analysis, analyse


def analyse_file(
    path: Path, parameters: CepstraParameters, limits: AudioLimits, subject: str = ""
) -> tuple[Audio, Analysis]:
    """Read an audio file and compute its cepstra and timbre.

    Parameters
    ----------
    path
        The file.
    parameters
        How cepstra are computed.
    limits
        What audio is accepted.
    subject
        Name of the file in error messages; by default the name of `path`.

    Returns
    -------
    audio
        Identity and length of the audio.
    analysis
        Cepstra and timbre of the audio.

    Raises
    ------
    AudioError
        The audio cannot be used.
    """
    reader = AudioReader(path, parameters.sample_rate, parameters.trimmed_samples, limits, subject)
    analysis = analyse(reader.blocks(), parameters)
    return reader.audio, analysis
