"""Which tracks of an index a track of the index is compared with: those in its window.

The window of a track is a ball around its point in the vector index. Its radius is fixed by the calibration: it is the
distance to one of the nearest tracks of the reference sample. The sample is a random part of the library, so the ball
holds about the wanted share of the library, wherever the point lies.

A window of the nearest tracks would change with every track that comes or goes, and with it the candidates of half of
the library. Whether a track is in this window depends on nothing but the two tracks and the calibration. So a new track
concerns only the queries whose windows it is in, and the lists of a library that grew equal those of a library that was
built at once with the same calibration.
"""

from functools import cached_property
from math import ceil

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.for_each import ForEach, in_turn
from mfcc_assets.jit import compiled
from mfcc_assets.search.cascade import candidates_to_fetch
from mfcc_assets.search.index import LibraryIndex

_ROUNDING = 1e-4
"""Share of the squared lengths by which a squared distance from a matrix product may be wrong, with much to spare.
Such a product is a sum of at most a few hundred terms in single precision."""


_TILE = 2_048
"""Number of points that are compared with all queries before the next ones. Those of 24 axes take 200 KB."""

_ROWS_AT_ONCE = 2_500
"""Number of tracks whose points and radii one task computes."""

_SURPLUS = 1.2
"""Factor of the share of a library that a window holds. A sample tells the density around a point only roughly."""


class Windows:
    """The windows of all tracks of an index.

    Parameters
    ----------
    points : (tracks, width) float32
        Points of the tracks in the vector index.
    reference : (sample, width) float32
        Points of the reference sample.
    share
        Share of the library that a window holds. From 1 on, it holds the whole library.
    for_each
        Function that applies another function to many items.

    Attributes
    ----------
    points : (tracks, width) float32
        The points.
    squared_radii : (tracks,) float32
        Squared radius of each window.
    """

    def __init__(
        self,
        points: NDArray[np.float32],
        reference: NDArray[np.float32],
        share: float,
        for_each: ForEach = in_turn,
    ) -> None:
        self.points, sample = np.ascontiguousarray(points, np.float32), np.ascontiguousarray(reference, np.float32)
        place = ceil(share * len(sample))
        self.squared_radii = np.full(len(points), np.inf, np.float32)

        def write(rows: slice) -> None:
            _write_radii(self.points[rows], sample, place, self.squared_radii[rows])

        if place < len(sample):
            for _ in for_each(write, _blocks(len(points))):
                pass

    @classmethod
    def of(cls, index: LibraryIndex, for_each: ForEach = in_turn) -> "Windows":
        """Make the windows of an index. `for_each` is as for the class."""
        calibration = index.calibration
        tracks = max(1, index.calibrated_tracks)
        share = _SURPLUS * candidates_to_fetch(tracks, index.parameters.ranked_count) / tracks
        reference = calibration.embedding(calibration.reference.tracks.feature_table)
        points = np.empty((len(index.tracks), reference.shape[1]), np.float32)

        def write(rows: slice) -> None:
            points[rows] = calibration.embedding(index.feature_table.rows(np.arange(rows.start, rows.stop)))

        for _ in for_each(write, _blocks(len(points))):
            pass
        return cls(points, reference, share, for_each)

    def __len__(self) -> int:
        return len(self.points)

    def among(self, tracks: NDArray[np.int64]) -> "WindowSearch":
        """Return the search of the windows for some tracks, given their rows."""
        return WindowSearch(self, tracks)


class WindowSearch:
    """Finds some tracks in the windows of others, and those in whose windows others are.

    Parameters
    ----------
    windows
        The windows.
    tracks
        Rows of the tracks that are found.
    """

    def __init__(self, windows: Windows, tracks: NDArray[np.int64]) -> None:
        self._windows, self._tracks = windows, tracks
        self._squared_radii = windows.squared_radii[tracks]
        self._test = _QuickTest(windows.points[tracks])

    def tracks_of_each(self, queries: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Return the rows of the tracks in the window of each query, in their order, without the query itself.

        It is quicker for a few dozen queries at once.
        """
        windows = self._windows
        within = np.empty((len(queries), len(self._tracks)), np.bool_)
        _mark_windows(self._turned, windows.points[queries], windows.squared_radii[queries], within)
        found = (self._tracks[np.flatnonzero(of_query)] for of_query in within)
        return [rows[rows != query] for rows, query in zip(found, queries.tolist(), strict=True)]

    @cached_property
    def _turned(self) -> NDArray[np.float32]:
        """The points (width, tracks) of the tracks that are found."""
        return np.ascontiguousarray(self._windows.points[self._tracks].T)

    def queries_of(self, track: int) -> NDArray[np.int64]:
        """Return the rows of the tracks in whose windows a track is, in their order, without the track itself."""
        windows = self._windows
        near = self._tracks[self._test.may_be_within(windows.points[track], self._squared_radii)]
        found = near[_squared_distances(windows.points, track, near) <= windows.squared_radii[near]]
        others: NDArray[np.int64] = found[found != track]
        return others


class _QuickTest:
    """Points with a quick test of their distances, which excludes most of them.

    A product of matrices rounds differently for each number of rows and each processor. So it only excludes points, and
    `_squared_distances` decides about the others.
    """

    def __init__(self, points: NDArray[np.float32]) -> None:
        self._points, self._lengths = points, np.einsum("ij,ij->i", points, points)

    def may_be_within(self, point: NDArray[np.float32], squared: NDArray[np.float32] | np.float32) -> NDArray[np.bool_]:
        """Return whether each point may be within a squared distance of another point."""
        lengths = self._lengths + point @ point
        least = lengths - 2 * (self._points @ point) - np.float32(_ROUNDING) * lengths
        within: NDArray[np.bool_] = least <= squared
        return within


@compiled
def _squared_distances(points: NDArray[np.float32], row: int, others: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the squared distances (others,) of one point to others. Those of two points are always the same."""
    found = np.empty(len(others), np.float32)
    for place in range(len(others)):
        total = np.float32(0)
        for axis in range(points.shape[1]):
            apart = points[others[place], axis] - points[row, axis]
            total += apart * apart
        found[place] = total
    return found


@compiled
def _mark_windows(
    turned: NDArray[np.float32],
    queries: NDArray[np.float32],
    squared_radii: NDArray[np.float32],
    within: NDArray[np.bool_],
) -> None:
    """Write whether each point (width, tracks) is in the window of each query: (queries, tracks).

    The squares are added in the order of `_squared_distances`, so both agree to the last bit. The points of a tile stay
    in the processor's caches for all queries, and the squares of many points are added at once.
    """
    width, tracks = turned.shape
    totals = np.empty(_TILE, np.float32)
    for first in range(0, tracks, _TILE):
        count = min(_TILE, tracks - first)
        for query in range(len(queries)):
            totals[:count] = 0
            for axis in range(width):
                place, points = queries[query, axis], turned[axis, first : first + count]
                for track in range(count):
                    apart = points[track] - place
                    totals[track] += apart * apart
            limit, found = squared_radii[query], within[query, first : first + count]
            for track in range(count):
                found[track] = totals[track] <= limit


def _blocks(rows: int) -> list[slice]:
    return [slice(first, min(first + _ROWS_AT_ONCE, rows)) for first in range(0, rows, _ROWS_AT_ONCE)]


@compiled
def _write_radii(
    points: NDArray[np.float32], reference: NDArray[np.float32], place: int, squared: NDArray[np.float32]
) -> None:
    """Write the squared distance from each point to that point of the reference which has this place, from 0 on."""
    apart = np.empty(len(reference), np.float32)
    for row in range(len(points)):
        for other in range(len(reference)):
            total = np.float32(0)
            for axis in range(points.shape[1]):
                difference = reference[other, axis] - points[row, axis]
                total += difference * difference
            apart[other] = total
        squared[row] = np.partition(apart, place)[place]
