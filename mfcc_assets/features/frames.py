"""Frames of many tracks, one track after the other in one array."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class RaggedFrames:
    """Frames of tracks of any length; what is done to all of them is done in one call.

    Attributes
    ----------
    frames : (total, d)
    starts : (tracks + 1,)
        Row of `frames` where each track begins, and the end of the last. No track is empty.
    """

    frames: NDArray[np.floating]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, tracks: Iterable[NDArray[np.floating]], coefficients: int) -> "RaggedFrames":
        """Put tracks of shape (frames, coefficients) one after the other, in float32."""
        parts = [np.empty((0, coefficients), np.float32), *tracks]
        return cls(np.concatenate(parts, dtype=np.float32), np.cumsum([len(part) for part in parts]))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, row: int) -> NDArray[np.floating]:
        return self.frames[self.starts[row] : self.starts[row + 1]]

    def __iter__(self) -> Iterator[NDArray[np.floating]]:
        return (self[row] for row in range(len(self)))

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.starts)

    def rows(self, rows: ArrayLike) -> "RaggedFrames":
        """Some of the tracks, in the order given, in float32."""
        rows = np.asarray(rows, np.int64)
        starts, ends = self.starts[rows], self.starts[rows + 1]
        tracks = [self.frames[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        # Converted afterwards: `concatenate`, which could do it, would keep other threads waiting meanwhile.
        frames = np.concatenate([self.frames[:0], *tracks]).astype(np.float32, copy=False)
        return RaggedFrames(frames, np.append(0, (ends - starts).cumsum()))

    def columns(self, coefficients: NDArray[np.intp]) -> "RaggedFrames":
        """The same tracks with some of their coefficients."""
        return RaggedFrames(np.ascontiguousarray(self.frames[:, coefficients]), self.starts)

    def coarser(self, factor: int) -> "RaggedFrames":
        """Means of `factor` frames, the last of a track of as many as are left."""
        counts = -(-self.lengths // factor)
        starts = np.append(0, counts.cumsum())
        within = np.arange(starts[-1]) - np.repeat(starts[:-1], counts)
        edges = np.repeat(self.starts[:-1], counts) + within * factor
        return RaggedFrames(self._means(edges), starts)

    def segments(self, count: int) -> NDArray[np.float32]:
        """Means (tracks, count, d) of stretches as even as they can be; an empty one is the frame at its start."""
        edges = self.starts[:-1, np.newaxis] + np.arange(count) * self.lengths[:, np.newaxis] // count
        return self._means(edges.ravel()).reshape(len(self), count, self.frames.shape[1])

    def changes(self) -> NDArray[np.float32]:
        """Absolute change (tracks, d) from frame to frame of a track: its sum, divided by the number of frames."""
        changes = np.abs(np.diff(self.frames, axis=0, prepend=self.frames[:1])).astype(np.float32)
        changes[self.starts[:-1]] = 0
        sums: NDArray[np.float32] = np.add.reduceat(changes, self.starts[:-1], axis=0, dtype=np.float32)
        lengths = self.lengths.astype(np.float32)
        return sums / lengths[:, np.newaxis]

    def _means(self, edges: NDArray[np.int64]) -> NDArray[np.float32]:
        counts = np.maximum(1, np.diff(edges, append=len(self.frames))).astype(np.float32)
        sums: NDArray[np.float32] = np.add.reduceat(self.frames, edges, axis=0, dtype=np.float32)
        return sums / counts[:, np.newaxis]
