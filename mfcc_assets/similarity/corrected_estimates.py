"""Estimates of corrected distances from what a feature table holds, for many candidates of a query in one loop.

The distances in timbre are those of the ranking. The distance of contours is estimated from the means of their segments
and from their roughness. No contour is read, and for each pair little more than the two points of timbre. So a query
can be compared with tens of thousands of tracks in a few milliseconds, and few of them need a better estimate.
"""

from dataclasses import dataclass
from itertools import product
from math import erfc, exp, inf, log, log1p, sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.jit import compiled_reordered
from mfcc_assets.similarity.hubness import (
    ROUNDS,
    SHARE_ADDED,
    STILL_NEAR,
    STILL_USUAL,
    DistanceStatistics,
)
from mfcc_assets.similarity.rankings import LOW_TIMBRE, TIMBRE, TREBLE_WIDTH, Ranking, ranking_named

_SEGMENTS_APART, _ROUGHNESS, _OWN_ROUGHNESS = 0.392, 0.123, 0.042
"""Weights of the mean difference of the segments' means, of the candidate's roughness and of the query's in an estimate
of the distance of contours for each frame, fitted by least squares to near pairs of the development corpus."""

MARGIN = 1.0
"""The least distance of contours is the estimate divided by 1 and this share. The standard deviation of the estimate's
error is 15 % on near pairs of the development corpus. With 1, a search by `fused` estimates 52 of 274 tracks by their
coarse contours, and with 0.5 it estimates 37. Both find the same tracks as a search that estimates all of them. By the
ranking `article`, 0.5 loses a few of them."""

_NEGLIGIBLE = 1e-4
"""Weight below which a distance in timbre is not computed."""

_TILE = 1_024
"""Number of rows whose candidates are compared with all queries before the next ones. Their timbre takes 2 MB."""

_PARTS_WITH_TIMBRE = 3
_HALVINGS, _FARTHEST = 60, 1e3
_SQUARE_ROOT_OF_2, _LOG_OF_ROOT_OF_2_PI = sqrt(2), 0.9189385332046727
_FAR = 30.0
"""Number of standard deviations from which on the probability of a normal distribution comes from its tail."""


_Columns: TypeAlias = tuple[tuple[NDArray[np.float32], ...], tuple[NDArray[np.float64], NDArray[np.float64]]]


@dataclass(frozen=True, eq=False)
class ComparedTracks:
    """What is compared of some tracks.

    Attributes
    ----------
    feature_table
        Features of the tracks, with their timbre in the library's space.
    statistics
        Distance statistics of the tracks.
    frames : (tracks,) int64
        Number of frames of the contour of each track.
    """

    feature_table: FeatureTable
    statistics: DistanceStatistics
    frames: NDArray[np.int64]

    def rows(self, rows: NDArray[np.int64]) -> "ComparedTracks":
        """Return some of the tracks, in the given order."""
        return ComparedTracks(self.feature_table.rows(rows), self.statistics.rows(rows), self.frames[rows])

    @property
    def columns(self) -> _Columns:
        """What kernels compare: timbre, low timbre, treble, segment means, roughness; means and deviations."""
        table, statistics = self.feature_table, self.statistics
        of_table = table.timbre, table.low_timbre, table.treble, table.segment_means, table.roughness
        return of_table, (statistics.means, statistics.deviations)


def can_be_estimated(ranking: Ranking) -> bool:
    """Return whether `least_corrected` knows all parts of a ranking, and one of them compares contours."""
    return ranking.warped is not None and ranking.summary_parts in ((), (TIMBRE, LOW_TIMBRE))


def least_corrected(
    ranking: Ranking,
    scales: NDArray[np.float64],
    queries: ComparedTracks,
    others: ComparedTracks,
    query_rows: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return about the least corrected distances (pairs,) that candidates can have, from what feature tables hold.

    The number for a pair depends on nothing but the two tracks.

    Parameters
    ----------
    ranking
        The ranking; see `can_be_estimated`.
    scales : (d,)
        Standard deviation of each coefficient over the library.
    queries, others
        Tracks in which the queries and the candidates are.
    query_rows, rows : (pairs,)
        Row of the query and row of the candidate of each pair.
    """
    warped = ranking.warped
    if warped is None or not can_be_estimated(ranking):
        raise ValueError(f"distances by {', '.join(ranking.parts)} cannot be estimated")
    # Numba compiles another version for arrays that are read-only, as those of a stored index are. Rows that were taken
    # from them are copies, which are not.
    return _least_corrected(
        (query_rows, rows),
        queries.columns,
        others.columns,
        queries.frames,
        others.frames,
        ranking.weights,
        (1 / scales).astype(np.float32) if warped.normalised else np.ones(len(scales), np.float32),
        warped.normalised,
    )


def least_deviations(
    ranking: Ranking,
    queries: ComparedTracks,
    others: ComparedTracks,
    starts: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the least z-scores (pairs,) that candidates can have, if their contours were equal to that of the query.

    They take a fraction of the time of `least_corrected`. A candidate whose z-score exceeds `deviations_of` a corrected
    distance exceeds this corrected distance, too.

    Parameters
    ----------
    ranking, queries, others
        As for `least_corrected`.
    starts : (queries + 1,)
        Where the candidates of each query start, and where the last ones end.
    rows : (pairs,)
        Rows of the candidates, ascending for each query.
    """
    return _least_deviations(starts, rows, queries.columns, others.columns, ranking.weights)


def deviations_of(corrected: float) -> float:
    """Return the z-score whose probability alone makes a corrected distance.

    Examples
    --------
    >>> round(deviations_of(-log(0.05)), 3)
    1.645
    """
    if corrected <= 0:
        return -inf
    least, most = -_FARTHEST, _FARTHEST
    for _ in range(_HALVINGS):
        middle = (least + most) / 2
        if -_log_of_probability_beyond(middle) <= corrected:
            least = middle
        else:
            most = middle
    return most


def warm_up() -> None:
    """Compile the kernel for arrays in memory and for those of a stored index, or load it from Numba's cache."""
    ranking, one = ranking_named("dtw"), np.ones((1, 1), np.float32)
    square = np.ones((1, 1, 1), np.float32)
    statistics = DistanceStatistics(np.ones((1, 2 + ROUNDS)), np.ones((1, 2 + ROUNDS)))
    query = ComparedTracks(
        FeatureTable(np.ones((1, 1)), square, one, one, one, one, one[0]), statistics, np.ones(1, np.int64)
    )
    stored = one.copy(), one[0].copy(), statistics.means.copy()
    for array in stored:
        array.flags.writeable = False
    of_index = ComparedTracks(
        FeatureTable(np.ones((1, 1)), square, stored[0], stored[0], stored[0], stored[0], stored[1]),
        DistanceStatistics(stored[2], stored[2]),
        query.frames,
    )
    first = np.zeros(1, np.int64)
    for queries, others in product((query, of_index), repeat=2):
        least_corrected(ranking, np.ones(1), queries, others, first, first)
        least_deviations(ranking, queries, others, np.array([0, 1]), first)
    deviations_of(1.0)


@compiled_reordered
def _least_corrected(
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    queries: _Columns,
    others: _Columns,
    query_frames: NDArray[np.int64],
    frames: NDArray[np.int64],
    weights: NDArray[np.float64],
    units: NDArray[np.float32],
    normalised: bool,
) -> NDArray[np.float64]:
    """Return the result of `least_corrected`, given the columns of the tracks."""
    query_rows, rows = pairs
    _, _, _, segment_means, roughness = others[0]
    _, _, _, own_segment_means, own_roughness = queries[0]
    own_means, own_deviations = queries[1]
    last, coefficients = len(weights) - 1, len(units)
    segments = own_segment_means.shape[1] // coefficients
    least, shares, known = np.empty(len(rows)), np.empty(len(weights)), np.empty(len(weights))
    for place in range(len(rows)):
        query, row = query_rows[place], rows[place]
        _write_timbre(query, row, queries[0], others[0], weights, shares, known)
        total = np.float32(0)
        for coefficient in range(coefficients):
            difference = np.float32(0)
            for segment in range(segments):
                at = segment * coefficients + coefficient
                difference += abs(own_segment_means[query, at] - segment_means[row, at])
            total += units[coefficient] * (
                np.float32(_SEGMENTS_APART / segments) * difference
                + np.float32(_ROUGHNESS) * roughness[row, coefficient]
                + np.float32(_OWN_ROUGHNESS) * own_roughness[query, coefficient]
            )
        if not normalised:
            total *= frames[row] + query_frames[query]
        known[last] = total / (1 + MARGIN)
        own, theirs = _deviations(query, row, shares, known, queries[1], others[1])
        excess = (known[last] - own_means[query, last]) / own_deviations[query, last] - STILL_USUAL
        least[place] = max(excess, 0.0) - _log_of_probability_beyond(own) - _log_of_probability_beyond(theirs)
    return least


@compiled_reordered
def _least_deviations(
    starts: NDArray[np.int64],
    rows: NDArray[np.int64],
    queries: _Columns,
    others: _Columns,
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the result of `least_deviations`, given the columns of the tracks.

    The candidates of all queries in one tile of rows are compared before those in the next one. So the features of the
    candidates stream through the processor's caches once for all queries, and not at random for each of them.
    """
    least, shares, known = np.empty(len(rows)), np.empty(len(weights)), np.empty(len(weights))
    next_ones, tile_end, left = starts[:-1].copy(), 0, len(rows)
    while left:
        tile_end += _TILE
        for query in range(len(starts) - 1):
            place = next_ones[query]
            while place < starts[query + 1] and rows[place] < tile_end:
                _write_timbre(query, rows[place], queries[0], others[0], weights, shares, known)
                own, theirs = _deviations(query, rows[place], shares, known, queries[1], others[1])
                least[place] = max(own, theirs)
                place += 1
            left -= place - next_ones[query]
            next_ones[query] = place
    return least


@compiled_reordered
def _write_timbre(
    query: int,
    row: int,
    of_queries: tuple[NDArray[np.float32], ...],
    of_others: tuple[NDArray[np.float32], ...],
    weights: NDArray[np.float64],
    shares: NDArray[np.float64],
    known: NDArray[np.float64],
) -> None:
    """Write the weights of the parts for a pair, and the distances by timbre. The distance of contours is 0."""
    for part in range(len(weights)):
        shares[part] = weights[part]
        known[part] = 0.0
    if len(weights) == _PARTS_WITH_TIMBRE:
        timbre, low_timbre, treble, _, _ = of_others
        own_timbre, own_low_timbre, own_treble, _, _ = of_queries
        apart = abs(own_treble[query] - treble[row]) / TREBLE_WIDTH
        whole = exp(-(apart**4))
        shares[0] *= whole
        shares[1] *= 1 - whole
        if shares[0] > _NEGLIGIBLE:
            known[0] = _distance(own_timbre, query, timbre, row)
        if shares[1] > _NEGLIGIBLE:
            known[1] = _distance(own_low_timbre, query, low_timbre, row)


@compiled_reordered
def _deviations(
    query: int,
    row: int,
    shares: NDArray[np.float64],
    known: NDArray[np.float64],
    of_queries: tuple[NDArray[np.float64], NDArray[np.float64]],
    of_others: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> tuple[float, float]:
    """Return the last z-scores of the query and of a candidate, with what is added if the candidate is not near."""
    own_means, own_deviations = of_queries
    means, deviations = of_others
    parts = len(shares)
    summed, for_query, all_shares = 0.0, 0.0, 0.0
    for part in range(parts):
        if shares[part] > _NEGLIGIBLE:
            own = (known[part] - own_means[query, part]) / own_deviations[query, part]
            theirs = (known[part] - means[row, part]) / deviations[row, part]
            summed += shares[part] * (own + theirs) / 2
            for_query += shares[part] * own
            all_shares += shares[part]
    for column in range(parts, parts + ROUNDS):
        own = (summed - own_means[query, column]) / own_deviations[query, column]
        theirs = (summed - means[row, column]) / deviations[row, column]
        summed = (own + theirs) / 2
    last = parts + ROUNDS
    more = SHARE_ADDED * max(for_query / all_shares - STILL_NEAR, 0.0)
    own = (summed - own_means[query, last]) / own_deviations[query, last] + more
    theirs = (summed - means[row, last]) / deviations[row, last] + more
    return own, theirs


@compiled_reordered
def _distance(queries: NDArray[np.float32], query: int, others: NDArray[np.float32], row: int) -> float:
    total = np.float32(0)
    for axis in range(others.shape[1]):
        apart = queries[query, axis] - others[row, axis]
        total += apart * apart
    return sqrt(total)


@compiled_reordered
def _log_of_probability_beyond(deviations: float) -> float:
    """Return the logarithm of the probability that a standard normal variable is larger."""
    if deviations > _FAR:
        squared = deviations * deviations
        return -squared / 2 - log(deviations) - _LOG_OF_ROOT_OF_2_PI + log1p(-1 / squared)
    if deviations < 0:
        return log1p(-erfc(-deviations / _SQUARE_ROOT_OF_2) / 2)
    return log(erfc(deviations / _SQUARE_ROOT_OF_2) / 2)
