"""Decodes files by libsndfile."""

import os
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

_UNKNOWN_FRAMES = 2**40
"""From this number of frames on, the length is unknown: libsndfile then declares 2^63 - 1 frames."""


class _SequentialFile(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file that is read from start to end without seeking.

    soundfile seeks to the current position after each read of a seekable file. In an MP3 this loses the bits that a
    frame borrows from the frame before it. Each block would begin with a click, and the samples would depend on the
    size of the blocks.
    """

    def seekable(self) -> bool:
        """Return False, so that soundfile never seeks."""
        return False


class Libsndfile:
    """Decodes a file by libsndfile.

    Parameters
    ----------
    path
        The file. libsndfile judges it by its bytes, but would take a file for raw samples because of its suffix. So its
        format must be known.

    Attributes
    ----------
    coding
        libsndfile's name of the coding, such as ``PCM_16`` or ``OPUS``.
    frames
        Number of frames that libsndfile decodes at most. It guesses that of an MP3 without a header frame.
    broke_off
        True after an error ended the stream.

    Raises
    ------
    soundfile.LibsndfileError, TypeError
        If the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        # soundfile encodes only names that are valid Unicode, so it gets bytes.
        self._file = _SequentialFile(os.fsencode(path))
        self.coding: str = self._file.subtype
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.frames: int = self._file.frames
        self.declared_seconds = self.frames / self.sample_rate if 0 < self.frames < _UNKNOWN_FRAMES else 0.0
        self.credible_seconds = 0.0
        self.is_exact = False
        self.remarks: list[str] = []
        self.broke_off = False

    def read(self, frames: int) -> NDArray[np.float32]:
        """Return that many frames (frames, channels), or fewer at the end or where the stream breaks off."""
        block = np.empty((frames, self.channels), np.float32)
        try:
            return self._file.read(out=block)  # type: ignore[no-any-return]
        except soundfile.LibsndfileError:
            self.broke_off = True
            return block[:0]

    def close(self) -> None:
        """Close the file."""
        self._file.close()
