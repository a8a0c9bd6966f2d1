"""The parts of an index whose rows are in several segments. Each part gives its rows in the order of the index."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.fingerprint import Fingerprints
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.search.places import Places
from mfcc_assets.similarity.hubness import DistanceStatistics

_SAMPLED_TRACKS = 2_000
"""Largest number of tracks whose frames are read for a sample."""


@dataclass(frozen=True, eq=False)
class SegmentedTable:
    """The feature table of an index."""

    segments: Sequence[FeatureTable]
    places: Places

    def __len__(self) -> int:
        return len(self.places)

    def rows(self, rows: NDArray[np.int64]) -> FeatureTable:
        """Return the features of some rows, in the order of `rows`."""
        return FeatureTable(*(self._column(column.name, rows) for column in fields(FeatureTable)))

    def treble(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return how loud some rows (n,) are above the low band."""
        return self._column("treble", rows)

    def roughness(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the mean change (n, d) of the contours of some rows."""
        return self._column("roughness", rows)

    def _column(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        return self.places.gather([getattr(table, name) for table in self.segments], rows)


@dataclass(frozen=True, eq=False)
class SegmentedFrames:
    """The contours or the coarse contours of an index."""

    segments: Sequence[RaggedFrames]
    places: Places

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, row: int) -> NDArray[np.float32]:
        """Return the frames (n, d) of one row as float32."""
        [(segment, _, within)] = self.places.split(np.array([row]))
        return self.segments[segment][int(within[0])].astype(np.float32)

    def rows(self, rows: NDArray[np.int64]) -> RaggedFrames:
        """Return the frames of some rows, in the order of `rows`, as float32."""
        if len(self.segments) == 1:
            return self.segments[0].rows(self.places.of_rows[rows])
        found = [self.segments[0].frames[:0]] * len(rows)
        for segment, positions, within in self.places.split(rows):
            tracks = self.segments[segment]
            for position, row in zip(positions.tolist(), within.tolist(), strict=True):
                found[position] = tracks[row]
        frames = np.concatenate([self.segments[0].frames[:0], *found]).astype(np.float32, copy=False)
        return RaggedFrames(frames, np.append(0, np.cumsum([len(track) for track in found], dtype=np.int64)))

    def lengths(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of frames of some rows (n,), without reading a frame."""
        return self.places.gather([np.diff(tracks.starts) for tracks in self.segments], rows)

    def sample(self, count: int) -> NDArray[np.floating]:
        """Return about `count` frames (n, d) of the index, evenly spread over its tracks."""
        rows = np.linspace(0, len(self) - 1, min(len(self), _SAMPLED_TRACKS)).astype(np.int64)
        frames = self.rows(rows).frames
        return frames[np.linspace(0, len(frames) - 1, count).astype(np.int64)]


@dataclass(frozen=True, eq=False)
class SegmentedStatistics:
    """The distance statistics of an index."""

    segments: Sequence[DistanceStatistics]
    places: Places

    def __len__(self) -> int:
        return len(self.places)

    def rows(self, rows: NDArray[np.int64]) -> DistanceStatistics:
        """Return the statistics of some rows, in the order of `rows`."""
        means = self.places.gather([statistics.means for statistics in self.segments], rows)
        return DistanceStatistics(
            means, self.places.gather([statistics.deviations for statistics in self.segments], rows)
        )


@dataclass(frozen=True, eq=False)
class SegmentedFingerprints:
    """The fingerprints of an index.

    Attributes
    ----------
    segments
        Fingerprints of each segment. They include tracks that the index does not have any more.
    """

    segments: Sequence[Fingerprints]
    places: Places

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, row: int) -> NDArray[np.float32]:
        """Return the fingerprint (k, 6) of one row."""
        [(segment, _, within)] = self.places.split(np.array([row]))
        return self.segments[segment][int(within[0])]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of frames (tracks,) of each row's fingerprint."""
        return np.concatenate([np.diff(fingerprints.starts) for fingerprints in self.segments])[self.places.of_rows]
