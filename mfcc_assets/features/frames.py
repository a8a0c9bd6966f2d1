"""Frames of many tracks of different lengths in one array."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class RaggedFrames:
    """Frames of many tracks, one track after the other, so that one call can process all of them.

    Attributes
    ----------
    frames : (total, d) float
        Frames of all tracks.
    starts : (tracks + 1,) int64
        Row of `frames` where each track begins, and the end of the last track. No track is empty.

    Examples
    --------
    >>> tracks = RaggedFrames.of([np.zeros((3, 2)), np.ones((1, 2))], coefficients=2)
    >>> len(tracks), tracks.lengths.tolist(), tracks[1].tolist()
    (2, [3, 1], [[1.0, 1.0]])
    """

    frames: NDArray[np.floating]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, tracks: Iterable[NDArray[np.floating]], coefficients: int) -> "RaggedFrames":
        """Join tracks of shape (frames, coefficients), and convert them to float32.

        Raises
        ------
        ValueError
            If a track has no frames or another number of coefficients.
        """
        joined = [np.empty((0, coefficients), np.float32), *tracks]
        if not all(len(track) for track in joined[1:]):
            raise ValueError("every track needs at least one frame")
        return cls(np.concatenate(joined, dtype=np.float32), np.cumsum([len(track) for track in joined]))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, row: int) -> NDArray[np.floating]:
        """Return the frames of one track as a view."""
        return self.frames[self.starts[row] : self.starts[row + 1]]

    def __iter__(self) -> Iterator[NDArray[np.floating]]:
        return (self[row] for row in range(len(self)))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of frames (tracks,) of each track."""
        return np.diff(self.starts)

    def rows(self, rows: ArrayLike) -> "RaggedFrames":
        """Select tracks by their rows, in the order of `rows`, and convert them to float32."""
        rows = np.asarray(rows, np.int64)
        starts, ends = self.starts[rows], self.starts[rows + 1]
        tracks = [self.frames[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        # np.concatenate could convert too, but holds the interpreter's lock while it does.
        frames = np.concatenate([self.frames[:0], *tracks]).astype(np.float32, copy=False)
        return RaggedFrames(frames, np.append(0, (ends - starts).cumsum()))

    def columns(self, coefficients: NDArray[np.intp]) -> "RaggedFrames":
        """Select coefficients of all tracks."""
        return RaggedFrames(np.ascontiguousarray(self.frames[:, coefficients]), self.starts)

    def coarser(self, factor: int) -> "RaggedFrames":
        """Average every `factor` frames of a track. The last mean of a track is of the frames that are left."""
        counts = -(-self.lengths // factor)
        starts = np.append(0, counts.cumsum())
        within = np.arange(starts[-1]) - np.repeat(starts[:-1], counts)
        edges = np.repeat(self.starts[:-1], counts) + within * factor
        return RaggedFrames(self._means(edges), starts)

    def segment_means(self, count: int) -> NDArray[np.float32]:
        """Cut each track into `count` segments of equal length and average them.

        Returns
        -------
        (tracks, count, d) float32
            Means of the segments. An empty segment takes the frame at its start.
        """
        edges = self.starts[:-1, np.newaxis] + np.arange(count) * self.lengths[:, np.newaxis] // count
        return self._means(edges.ravel()).reshape(len(self), count, self.frames.shape[1])

    def roughness(self) -> NDArray[np.float32]:
        """Measure how much the frames of each track change.

        Returns
        -------
        (tracks, d) float32
            Sum of the absolute changes from frame to frame, divided by the number of frames.
        """
        changes = np.abs(np.diff(self.frames, axis=0, prepend=self.frames[:1])).astype(np.float32)
        changes[self.starts[:-1]] = 0
        sums: NDArray[np.float32] = np.add.reduceat(changes, self.starts[:-1], axis=0, dtype=np.float32)
        lengths = self.lengths.astype(np.float32)
        return sums / lengths[:, np.newaxis]

    def _means(self, edges: NDArray[np.int64]) -> NDArray[np.float32]:
        counts = np.maximum(1, np.diff(edges, append=len(self.frames))).astype(np.float32)
        sums: NDArray[np.float32] = np.add.reduceat(self.frames, edges, axis=0, dtype=np.float32)
        return sums / counts[:, np.newaxis]
