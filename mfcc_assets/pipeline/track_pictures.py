"""Pictures of one track, drawn from its file."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.outside import read_beginning
from mfcc_assets.errors import AudioError, EmptyAudio, StoreError
from mfcc_assets.library import Library
from mfcc_assets.plots.tracks import MOST_CHANNELS, spectrogram, spectrum, waveform
from mfcc_assets.storage.blobs.port import SOUNDTRACKS

Plot = Callable[[NDArray[np.float32], int, str], bytes]
"""Draws samples (channels, n) with a sample rate in Hz and a title."""

PICTURES: Mapping[str, Plot] = {"Waveform": waveform, "Spectrum": spectrum, "Spectrogram": spectrogram}

DRAWN_SECONDS = 60.0
"""Length of the beginning that is drawn. It bounds the time and the memory for a long track."""


def pictures_of_audio(library: Library, blob_name: str, *, seconds: float = DRAWN_SECONDS) -> dict[str, bytes]:
    """Draw the beginning of a soundtrack: its waveform, its spectrum and its spectrogram.

    Parameters
    ----------
    library, blob_name
        The library, and the name of a blob in its container `soundtracks`.
    seconds
        Length of the beginning that is drawn.

    Returns
    -------
    dict
        PNGs by the names of `PICTURES`. Empty if the file is gone or unreadable by now: pictures are no reason to fail.
    """
    try:
        with library.blobs.as_file(SOUNDTRACKS, blob_name) as path:
            samples, sample_rate = _beginning(path, blob_name, seconds)
    except (AudioError, OSError, StoreError):
        return {}
    return {name: plot(samples, sample_rate, blob_name) for name, plot in PICTURES.items()}


def picture_of_file(path: Path, file_name: str, plot: Plot) -> bytes:
    """Draw the beginning of a file, without a title.

    Parameters
    ----------
    path
        The file.
    file_name
        Name of the file in errors.
    plot
        One of `PICTURES`.

    Raises
    ------
    AudioError
        If the file cannot be decoded.
    OSError
        If it cannot be opened.
    """
    samples, sample_rate = _beginning(path, file_name, DRAWN_SECONDS)
    return plot(samples, sample_rate, "")


def _beginning(path: Path, subject: str, seconds: float) -> tuple[NDArray[np.float32], int]:
    samples, sample_rate = read_beginning(path, subject, seconds=seconds, channels=MOST_CHANNELS)
    if not samples.size:
        raise EmptyAudio("it has no samples", subject=subject, remedy="Supply another file")
    return samples.T, sample_rate
