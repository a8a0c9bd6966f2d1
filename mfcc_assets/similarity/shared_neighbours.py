"""The order of a list by shared neighbours: a track that has the same neighbours as the query moves forward.

A corrected distance compares two tracks. It says nothing about the tracks around them. Two tracks of one kind have many
neighbours in common, and a track of another kind that happens to be near has few. The first tracks of a ranking are
therefore put in the order of a sum: their corrected distance as a number of standard deviations, and the Jaccard
distance of their neighbourhoods from that of the query.

The neighbourhood of a track is a set of tracks with weights: the track itself, and its reciprocal neighbours, which are
those of its nearest tracks that have it among their own nearest tracks. This is described by Zhong, Zheng, Cao and Li,
"Re-ranking Person Re-identification with k-reciprocal Encoding", CVPR 2017, section 3.
"""

from dataclasses import dataclass
from math import inf
from typing import Self

import numpy as np
import scipy  # loads its submodules when they are first used, which keeps imports short
from numpy.typing import NDArray

from mfcc_assets.jit import compiled

NEIGHBOURS = 15
"""Number of nearest tracks from which the neighbourhood of a track is made in a library of 150 tracks or more. On the
development corpus, 10 to 20 are about as good."""

_FEWEST_NEIGHBOURS, _TRACKS_PER_NEIGHBOUR = 3, 10
"""In a smaller library, a tenth of the tracks are neighbours, but at least three."""

REORDERED = 20
"""Number of tracks at the top of a ranking that are put in another order. With 50 the lists are the same."""

_WEIGHT = 6.0
"""Number of standard deviations that two neighbourhoods without a common track are worth."""

_SMALLEST_DISTANCE = 1e-20
"""A corrected distance of 0, which is smaller than a number can hold, counts as this one: 9 standard deviations below
the mean."""

_NOBODY, _STRANGER = -1, -2
"""Row of a missing neighbour or member, and row of a track that is not in the library."""

_ROWS_AT_ONCE = 10_000
"""Number of tracks whose neighbours are compared at a time, which takes some 20 MB."""


def neighbour_count(tracks: int) -> int:
    """Return the number of nearest tracks from which a neighbourhood is made in a library of this size.

    In a library of fewer than fifteen tracks there are no neighbourhoods, since nearly all tracks would be in each.

    Examples
    --------
    >>> neighbour_count(14), neighbour_count(20), neighbour_count(80), neighbour_count(1_000_000)
    (0, 3, 8, 15)
    """
    if tracks < NEIGHBOURS:
        return 0
    return min(NEIGHBOURS, max(_FEWEST_NEIGHBOURS, tracks // _TRACKS_PER_NEIGHBOUR))


@dataclass(frozen=True)
class Neighbourhood:
    """The neighbourhood of one track.

    Attributes
    ----------
    members : (m,) int
        Rows of the members in the library. No row appears twice.
    weights : (m,)
        Weight of each member. They add up to 1.
    """

    members: NDArray[np.int32]
    weights: NDArray[np.float64]


@dataclass(frozen=True)
class SharedNeighbours:
    """The neighbourhoods of all tracks of a library, which put lists in order.

    Attributes
    ----------
    members : (tracks, m) int32
        Rows of the members of each track's neighbourhood; -1 where it has fewer members.
    weights : (tracks, m) float32
        Weight of each member; 0 where there is none. The weights of a track add up to 1.
    farthest : (tracks,)
        Distance of each track from the last of its nearest tracks, or infinity if the library has too few.
    """

    members: NDArray[np.int32]
    weights: NDArray[np.float32]
    farthest: NDArray[np.float64]

    @classmethod
    def of(cls, neighbours: NDArray[np.integer], distances: NDArray[np.floating]) -> Self:
        """Find the neighbourhood of each track of a library.

        Parameters
        ----------
        neighbours : (tracks, k) int
            Rows of the nearest tracks of each track, nearest first, and -1 where there are fewer than k. See
            `neighbour_count` for k.
        distances : (tracks, k)
            Corrected distances of these tracks. Those of missing ones are ignored.

        Raises
        ------
        ValueError
            If the shapes differ, or a row does not exist.

        Examples
        --------
        Tracks 0 and 1 are neighbours of each other. Track 2 is a neighbour of nobody.

        >>> shared = SharedNeighbours.of(np.array([[1], [0], [0]]), np.array([[0.5], [0.5], [2.0]]))
        >>> shared.members.tolist()
        [[0, 1], [1, 0], [2, -1]]
        """
        rows, count = neighbours.astype(np.int32), len(neighbours)
        if rows.ndim != 2 or rows.shape != distances.shape:
            raise ValueError(f"neighbours {rows.shape} and distances {distances.shape} must be tracks x k")
        if rows.size and not _NOBODY <= rows.min() <= rows.max() < count:
            raise ValueError(f"rows of neighbours must be between {_NOBODY} and {count - 1}")
        is_there = rows != _NOBODY
        apart = np.where(is_there, distances.astype(np.float64), inf)
        farthest = apart[:, -1] if rows.shape[1] else np.full(count, inf)
        is_reciprocal = is_there & _have_among_theirs(rows)
        own = np.arange(count, dtype=np.int32)[:, np.newaxis]
        members = np.hstack([own, np.where(is_reciprocal, rows, _NOBODY)])
        weights = np.hstack([np.ones((count, 1)), np.where(is_reciprocal, _weights(apart), 0)])
        weights /= weights.sum(axis=1, keepdims=True)
        return cls(members, weights.astype(np.float32), farthest)

    def neighbourhood(self, row: int) -> Neighbourhood:
        """Return the neighbourhood of a track of the library."""
        members = self.members[row]
        return Neighbourhood(members[members != _NOBODY], self.weights[row][members != _NOBODY].astype(np.float64))

    def neighbourhood_of_new(self, neighbours: NDArray[np.integer], distances: NDArray[np.floating]) -> Neighbourhood:
        """Return the neighbourhood that a track would have if it came into the library.

        Parameters
        ----------
        neighbours : (k,) int
            Rows of its nearest tracks, nearest first.
        distances : (k,)
            Corrected distances of these tracks.
        """
        nearest = np.asarray(distances, np.float64)
        is_reciprocal = nearest <= self.farthest[neighbours]
        members = np.append(np.int32(_STRANGER), np.asarray(neighbours, np.int32)[is_reciprocal])
        weights = np.append(1.0, _weights(nearest[np.newaxis])[0, is_reciprocal])
        return Neighbourhood(members, weights / weights.sum())

    def jaccard_distances(self, query: Neighbourhood, rows: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the Jaccard distances (rows,) between a query's neighbourhood and those of tracks of the library.

        A distance is 0 for equal neighbourhoods, and 1 for neighbourhoods without a common member.
        """
        shared = _common_weights(self.members, self.weights, query.members, query.weights, np.asarray(rows, np.int64))
        distances: NDArray[np.float64] = 1 - shared / (2 - shared)
        return distances

    def order(
        self, query: Neighbourhood, rows: NDArray[np.integer], distances: NDArray[np.floating]
    ) -> NDArray[np.intp]:
        """Return the order of a list: the places of its tracks in a ranking.

        The nearest twenty are sorted by distance and shared neighbours. All others keep their places.

        Parameters
        ----------
        query
            Neighbourhood of the query.
        rows : (n,) int
            Rows of the ranked tracks, nearest first.
        distances : (n,)
            Their corrected distances from the query.

        Examples
        --------
        The third track has both neighbours of the query, and the second has none.

        >>> neighbours = np.array([[1, 3], [0, 3], [4, 4], [0, 1], [2, 2]])
        >>> shared = SharedNeighbours.of(neighbours, np.full((5, 2), 0.5))
        >>> shared.order(shared.neighbourhood(0), np.array([1, 2, 3]), np.array([0.5, 0.6, 0.7])).tolist()
        [0, 2, 1]
        """
        sorted_places = slice(REORDERED)
        scores = deviations(distances[sorted_places]) + _WEIGHT * self.jaccard_distances(query, rows[sorted_places])
        order = np.arange(len(rows))
        order[sorted_places] = np.argsort(scores, kind="stable")
        return order

    def order_all(
        self, queries: NDArray[np.integer], rows: NDArray[np.integer], distances: NDArray[np.floating]
    ) -> NDArray[np.intp]:
        """Return the orders of many lists at once, as `order` returns each.

        Parameters
        ----------
        queries : (queries,) int
            Rows of tracks of the library whose neighbourhoods the queries have.
        rows : (queries, n) int
            Rows of the ranked tracks of each query, nearest first, and -1 where there are fewer.
        distances : (queries, n)
            Their corrected distances. Those of missing tracks are ignored.

        Returns
        -------
        (queries, n)
            Places of each list's tracks in its ranking. Missing tracks are the last.
        """
        sorted_places = slice(REORDERED)
        first, order = rows[:, sorted_places], np.tile(np.arange(rows.shape[1]), (len(rows), 1))
        shared = np.empty(first.shape)
        _all_common_weights(self.members, self.weights, queries.astype(np.int64), first.astype(np.int64), shared)
        is_there = first >= 0
        scores = deviations(np.where(is_there, distances[:, sorted_places], 1.0))
        scores += _WEIGHT * (1 - shared / (2 - shared))
        order[:, sorted_places] = np.argsort(np.where(is_there, scores, inf), axis=1, kind="stable")
        return order


@compiled
def _common_weights(
    members: NDArray[np.int32],
    weights: NDArray[np.float32],
    query_members: NDArray[np.int32],
    query_weights: NDArray[np.float64],
    rows: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the weight (rows,) that a neighbourhood has in common with those of some rows."""
    found = np.zeros(len(rows))
    for place in range(len(rows)):
        row = rows[place]
        for member in range(members.shape[1]):
            for other in range(len(query_members)):
                if members[row, member] == query_members[other]:
                    found[place] += min(np.float64(weights[row, member]), query_weights[other])
    return found


@compiled
def _all_common_weights(
    members: NDArray[np.int32],
    weights: NDArray[np.float32],
    queries: NDArray[np.int64],
    rows: NDArray[np.int64],
    found: NDArray[np.float64],
) -> None:
    """Write the weight (queries, n) that the neighbourhood of each query has in common with those of its rows.

    The weights are added in the order of `_common_weights`, so a list has the same order whichever of them made it.
    """
    for query in range(len(queries)):
        own = members[queries[query]]
        own_weights = weights[queries[query]]
        for place in range(rows.shape[1]):
            row, total = rows[query, place], 0.0
            if row >= 0:
                for member in range(members.shape[1]):
                    if members[row, member] < 0:
                        continue
                    for other in range(members.shape[1]):
                        if members[row, member] == own[other]:
                            total += min(np.float64(weights[row, member]), np.float64(own_weights[other]))
            found[query, place] = total


def deviations(distances: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return corrected distances as numbers of standard deviations above the mean.

    A corrected distance is taken as minus the logarithm of the probability that both tracks are usually farther apart.
    The number is that of a distance that is equally unusual for both.

    Examples
    --------
    >>> deviations(np.array([0.1, 1, 10])).round(2).tolist()
    [-1.66, -0.27, 2.47]
    """
    found: NDArray[np.float64] = -scipy.special.ndtri_exp(-np.maximum(distances, _SMALLEST_DISTANCE) / 2)
    return found


def _have_among_theirs(neighbours: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return for each neighbour (tracks, k) of a track whether it has the track among its own neighbours."""
    have = np.zeros(neighbours.shape, np.bool_)
    for first in range(0, len(neighbours), _ROWS_AT_ONCE):
        block = slice(first, first + _ROWS_AT_ONCE)
        own = np.arange(len(neighbours))[block, np.newaxis, np.newaxis]
        have[block] = (neighbours[neighbours[block]] == own).any(axis=2)
    return have


def _weights(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights (tracks, k) of neighbours. They fall with the distance, in units of the median distance.

    The distances of each track are in ascending order, and infinite where it has fewer neighbours.
    """
    counts = np.isfinite(distances).sum(axis=1, keepdims=True)
    if not distances.shape[1]:
        return np.zeros(distances.shape)
    middle = [np.take_along_axis(distances, np.maximum(place, 0), axis=1) for place in ((counts - 1) // 2, counts // 2)]
    medians = np.where(counts > 0, (middle[0] + middle[1]) / 2, 1)
    return np.exp(-distances / np.maximum(medians, _SMALLEST_DISTANCE))
