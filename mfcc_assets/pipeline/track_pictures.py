"""Pictures of one track, drawn from its file."""

from mfcc_assets.audio.outside import read_beginning
from mfcc_assets.errors import AudioError, StoreError
from mfcc_assets.library import Library
from mfcc_assets.plots.tracks import MOST_CHANNELS, spectrogram, spectrum, waveform


def pictures_of_audio(library: Library, blob_name: str, *, seconds: float = 60.0) -> dict[str, bytes]:
    """Draw the beginning of a soundtrack: its waveform, its spectrum and its spectrogram.

    Parameters
    ----------
    library, blob_name
        The library, and the name of a blob in its container `soundtracks`.
    seconds
        Length of the beginning that is drawn. It bounds the time and the memory for a long track.

    Returns
    -------
    dict
        PNGs by the names ``Waveform``, ``Spectrum`` and ``Spectrogram``. Empty if the file is gone or unreadable by
        now: pictures are no reason to fail.
    """
    try:
        with library.blobs.as_file("soundtracks", blob_name) as path:
            samples, sample_rate = read_beginning(path, blob_name, seconds=seconds, channels=MOST_CHANNELS)
    except (AudioError, OSError, StoreError):
        return {}
    if not samples.size:
        return {}
    plots = {"Waveform": waveform, "Spectrum": spectrum, "Spectrogram": spectrogram}
    return {name: plot(samples.T, sample_rate, blob_name) for name, plot in plots.items()}
