"""Pictures of one track, drawn from its file."""

from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.decoders import open_decoder
from mfcc_assets.errors import AudioError, BlobNotFound
from mfcc_assets.library import Library
from mfcc_assets.plots.tracks import MOST_CHANNELS, spectrogram, spectrum, waveform

_BLOCK_FRAMES = 2**16


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
        PNGs by the names ``waveform``, ``spectrum`` and ``spectrogram``. Empty if the file is gone or unreadable by
        now: pictures are no reason to fail.
    """
    try:
        with library.blobs.as_file("soundtracks", blob_name) as path:
            samples, sample_rate = _beginning(path, blob_name, seconds)
    except (AudioError, BlobNotFound, OSError):
        return {}
    if not samples.size:
        return {}
    plots = {"waveform": waveform, "spectrum": spectrum, "spectrogram": spectrogram}
    return {name: plot(samples, sample_rate, blob_name) for name, plot in plots.items()}


def _beginning(path: Path, subject: str, seconds: float) -> tuple[NDArray[np.float32], int]:
    """Decode the first seconds (channels, n) of a file, and return them with the sample rate."""
    with closing(open_decoder(path, subject)) as decoder:
        wanted = round(seconds * decoder.sample_rate)
        blocks = [np.empty((0, decoder.channels), np.float32)]
        while wanted > 0 and len(block := decoder.read(min(wanted, _BLOCK_FRAMES))):
            blocks.append(block[:wanted])
            wanted -= len(block)
        return np.concatenate(blocks)[:, :MOST_CHANNELS].T, decoder.sample_rate
