"""Collects the frames of many tracks in a file instead of in memory."""

import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray


class FrameSpool:
    """Collects the frames of one track after the other in a temporary file.

    The file is mapped into memory at the end, because the fingerprints of a million tracks take 12 GB.
    """

    def __init__(self, dtype: np.dtype[Any], width: int) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  `mapped` closes it
        self._dtype, self._width = dtype, width
        self._starts = [0]

    def append(self, frames: NDArray[np.floating]) -> None:
        """Add the frames of the next track."""
        self._file.write(np.ascontiguousarray(frames, self._dtype).data)
        self._starts.append(self._starts[-1] + len(frames))

    def mapped(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return all frames, mapped into memory, and the row where each track begins. No frames can be added later."""
        starts = np.array(self._starts, np.int64)
        with self._file:
            self._file.flush()
            shape = (int(starts[-1]), self._width)
            # An empty file cannot be mapped.
            frames = (
                np.memmap(self._file, self._dtype, mode="r", shape=shape)
                if starts[-1]
                else np.empty(shape, self._dtype)
            )
        return frames, starts
