"""The correction of distances for hubs: mutual proximity against a fixed sample of the library.

In many dimensions some tracks, the hubs, are among the nearest of very many others, and many tracks are among the
nearest of none. Mutual proximity replaces a distance by the probability that distances of both tracks are larger. It is
described by Schnitzer, Flexer, Schedl and Widmer, "Local and Global Scaling Reduce Hubs in Space", JMLR 13 (2012),
section 3.2; this module uses it with independent normal distributions. In the paper the distributions are those of the
distances to all other tracks. Here they are those of the distances to a reference sample. The sample stays the same
while the library grows, so a new track changes no distance between other tracks.

All distances of an outlier, such as a drum loop, are large. Compared with them, even a large distance looks small. Two
rules keep outliers away from the lists of other tracks. The mean distance of a track counts only as far as it is usual
in the sample, and a distance that is not small for the query adds to the corrected distance: see `Correction`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any

import numpy as np
import scipy  # loads its submodules when they are first used, which keeps imports short
from numpy.typing import NDArray

_MIN_RELATIVE_DEVIATION, _MIN_DEVIATION, _MIN_DEVIATION_OF_SUMS = 0.05, 1e-6, 0.05
"""Smallest deviation of distances as a share of their mean, smallest deviation of distances, and smallest deviation of
sums. Without them the deviation could be 0, because the distances among two or three tracks can all be equal."""

ROUNDS = 2
"""Number of times that a sum of parts is standardised before its mutual proximity is computed. Without any round,
several times as many tracks are among the first five of no other track. A third round changes nothing."""

_MOST_UNUSUAL = 4.0
"""Largest mean distance of a track, in deviations above the median of the sample. The deviation is 1.48 times the
median absolute deviation, as in a normal distribution, so that outliers in the sample do not matter."""

STILL_NEAR = -1.0
"""A candidate is near for the query if the weighted mean of the query's own z-scores is below this number."""

SHARE_ADDED = 0.25
"""Share of what exceeds `STILL_NEAR` that is added to the last z-scores of the query and of the candidate. A larger
share recommends fewer outliers, and leaves more tracks in no list: 0.9 % of the development corpus with 0.25, and 2.8 %
with 0.5."""

STILL_USUAL = 0.5
"""Number of standard deviations above the query's mean distance from which on a distance by the last part is far for
the query. Tracks of the same artist rarely are. On the development corpus, a smaller number leaves more tracks without
any query."""

_COPY = 0.1
"""A track of the sample is a copy of another track if its distances by all parts are less than this share of the usual
distances of that track. The nearest tracks that are other music are at 0.13 on the development corpus."""

_LEAST_WEIGHT = 0.001
"""Weight with which a pair counts at least for what is usual by a part. Otherwise nothing would be usual for a track of
a treble that no track of the sample has."""

_HALVINGS, _FARTHEST, _ROUNDING = 60, 1e30, 1e-12
"""Number of bisection steps, the distance beyond which the search for a bound stops, and the relative allowance for
rounding."""


@dataclass(frozen=True)
class DistanceStatistics:
    """Mean and standard deviation of the distances between each of some tracks and the reference sample.

    Attributes
    ----------
    means, deviations : (tracks, parts + 1 + ROUNDS)
        The first columns are for the distances by each part of a ranking; their means are at most those of unusual
        tracks. The next column is for the weighted sum of the parts' z-scores. Each further column is for the z-scores
        of the column before it.
    """

    means: NDArray[np.float64]
    deviations: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.means)

    def rows(self, rows: NDArray[np.int64]) -> "DistanceStatistics":
        """Return some of the rows, in the given order."""
        return DistanceStatistics(self.means[rows], self.deviations[rows])

    def z_scores(self, values: NDArray[np.floating], columns: int | slice) -> NDArray[np.float64]:
        """Return values as numbers of standard deviations above the mean, by one or more of the columns.

        Parameters
        ----------
        values : (n,) or (n, columns)
            One dimension for one column, two for a slice of columns. `n` is the number of tracks, or any number if the
            statistics are of one track.
        columns
            Columns of the means and deviations.
        """
        scores: NDArray[np.float64] = (values - self.means[:, columns]) / self.deviations[:, columns]
        return scores

    @classmethod
    def of_reference(cls, distances: NDArray[np.floating], weights: NDArray[np.floating]) -> "DistanceStatistics":
        """Compute the statistics of the reference sample itself.

        Parameters
        ----------
        distances : (reference, reference, parts)
            Distances within the sample. The diagonal is ignored, but must be finite.
        weights : (reference, reference, parts)
            Weights of the parts for each pair.
        """
        return cls.of_tracks(distances, ~np.eye(len(distances), dtype=bool), None, weights)

    @classmethod
    def of_tracks(
        cls,
        distances: NDArray[np.floating],
        others: NDArray[np.bool_],
        reference: "DistanceStatistics | None",
        weights: NDArray[np.floating],
    ) -> "DistanceStatistics":
        """Compute the statistics of tracks from their distances to the reference sample.

        Parameters
        ----------
        distances : (tracks, reference, parts)
            Distances of the tracks to the sample.
        others : (tracks, reference)
            False if the track of the sample is the track itself. Copies of the track are left out, too: in a small
            sample, a distance of nearly 0 would change what is usual for the track.
        reference
            Statistics of the sample; None if the tracks are the sample.
        weights : (tracks, reference, parts)
            Weights of the parts for each pair. What is usual by a part is measured on the pairs for which it counts.
        """
        others = others & ~_are_copies(distances, others)
        # The columns are added one after the other, since each needs those before it.
        counts, parts = others[:, :, np.newaxis] * (weights + _LEAST_WEIGHT), distances.shape[-1]
        statistics = _mean_and_deviation(distances, counts, _MIN_DEVIATION)
        usual = (statistics if reference is None else reference).means[:, :parts]
        statistics = cls(np.minimum(statistics.means, _largest_usual(usual)), statistics.deviations)

        def with_column(values: Sequence[NDArray[np.float64]]) -> DistanceStatistics:
            sums = np.reshape(values, (*others.shape, 1))
            more = _mean_and_deviation(sums, others[:, :, np.newaxis].astype(np.float64), _MIN_DEVIATION_OF_SUMS)
            return cls(np.hstack([statistics.means, more.means]), np.hstack([statistics.deviations, more.deviations]))

        def each(function: Callable[..., NDArray[np.float64]], *values: Iterable[Any]) -> list[NDArray[np.float64]]:
            to = statistics if reference is None else reference
            return [
                function(of_track[0], statistics.rows(np.array([row])), to, *of_track[1:])
                for row, of_track in enumerate(zip(*values, strict=True))
            ]

        sums = each(summed_z_scores, distances, weights)
        statistics = with_column(sums)
        for column in range(parts, parts + ROUNDS):
            sums = each(partial(_mean_z_scores, columns=column), sums)
            statistics = with_column(sums)
        return statistics


def part_z_scores(
    distances: NDArray[np.floating], query: DistanceStatistics, candidates: DistanceStatistics
) -> NDArray[np.float64]:
    """Return the z-scores of a query's distances by each part: the mean of the query's and the candidate's z-score.

    Parameters
    ----------
    distances : (candidates, parts)
        Distances of the query to the candidates.
    query
        Statistics of the query, one row.
    candidates
        Statistics of the candidates.

    Returns
    -------
    (candidates, parts)
        Numbers of standard deviations. A negative number means that the candidate is near.

    Examples
    --------
    >>> query = DistanceStatistics(means=np.array([[6.0]]), deviations=np.array([[2.0]]))
    >>> candidates = DistanceStatistics(means=np.array([[4.0], [8.0]]), deviations=np.array([[1.0], [4.0]]))
    >>> part_z_scores(np.array([[4.0], [8.0]]), query, candidates).tolist()
    [[-0.5], [0.5]]
    """
    return _mean_z_scores(distances, query, candidates, slice(distances.shape[1]))


def summed_z_scores(
    distances: NDArray[np.floating],
    query: DistanceStatistics,
    candidates: DistanceStatistics,
    weights: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Return the sums (candidates,) of `part_z_scores`, with the weights (candidates, parts) of the pairs."""
    sums: NDArray[np.float64] = (part_z_scores(distances, query, candidates) * weights).sum(axis=1)
    return sums


def all_corrected(
    distances: NDArray[np.floating], statistics: DistanceStatistics, weights: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the corrected distances (tracks, tracks) of all tracks to each other. They are infinite on the diagonal.

    Parameters
    ----------
    distances : (tracks, tracks, parts)
        Distances by each part.
    statistics
        Statistics of all tracks.
    weights : (tracks, tracks, parts)
        Weights of the parts for each pair.
    """
    every = np.full(distances.shape[:2], inf)
    for row, of_track in enumerate(distances):
        query = statistics.rows(np.array([row]))
        every[row] = Correction.of(of_track, query, statistics, weights[row]).of_known()
    np.fill_diagonal(every, inf)
    return every


def _mean_z_scores(
    values: NDArray[np.floating], query: DistanceStatistics, candidates: DistanceStatistics, columns: int | slice
) -> NDArray[np.float64]:
    return (query.z_scores(values, columns) + candidates.z_scores(values, columns)) / 2


@dataclass(frozen=True)
class Correction:
    """Maps a query's distances by the last part of a ranking to corrected distances by the whole ranking.

    The distances by the other parts are already known. The corrected distance grows with the distance by the last part.

    A corrected distance has two terms. The first is minus the logarithm of the mutual proximity: the probability that a
    distance of the query is larger, times the probability that a distance of the candidate is larger. The logarithm
    distinguishes pairs that are nearer than all others, for which both probabilities are 1 to sixteen digits. Before
    the probabilities are computed, both z-scores grow a little if the candidate is not near for the query alone. The
    second term depends on the query alone, too. It is the number of standard deviations by which the
    distance by the last part exceeds what is usual for the query, and 0 for a usual distance.

    Attributes
    ----------
    offsets, slopes : (candidates,)
        The weighted sum of the z-scores of all parts is ``offsets + slopes * distances``.
    offsets_for_query, slopes_for_query : (candidates,)
        The weighted mean of the query's own z-scores is ``offsets_for_query + slopes_for_query * distances``.
    last : (candidates,)
        Known distances by the last part; 0 if they are not known.
    part
        Number of the last part.
    query
        Statistics of the query, one row; or of many queries, one for each candidate.
    candidates
        Statistics of the candidates.
    """

    offsets: NDArray[np.float64]
    slopes: NDArray[np.float64]
    offsets_for_query: NDArray[np.float64]
    slopes_for_query: NDArray[np.float64]
    last: NDArray[np.float64]
    part: int
    query: DistanceStatistics
    candidates: DistanceStatistics

    @classmethod
    def of(
        cls,
        known: NDArray[np.floating],
        query: DistanceStatistics,
        candidates: DistanceStatistics,
        weights: NDArray[np.floating],
    ) -> "Correction":
        """Make the correction from the known distances.

        Parameters
        ----------
        known : (candidates, parts) or (candidates, parts - 1)
            Distances by all parts of the ranking, or by all but the last. If all are known, the slopes are 0.
        query
            Statistics of the query, one row; or of many queries, one for each candidate.
        candidates
            Statistics of the candidates.
        weights : (candidates, parts)
            Weights of the parts for each candidate.
        """
        parts = weights.shape[1]
        at_zero = np.zeros((len(known), parts))
        at_zero[:, : known.shape[1]] = known
        deviations = (query.deviations[:, parts - 1], candidates.deviations[:, parts - 1])
        shares = weights / weights.sum(axis=1, keepdims=True)
        slopes = weights[:, -1] / 2 * (1 / deviations[0] + 1 / deviations[1])
        slopes_for_query = shares[:, -1] / deviations[0]
        if known.shape[1] == parts:
            slopes = slopes_for_query = np.zeros(len(known))
        sums = summed_z_scores(at_zero, query, candidates, weights)
        for_query = (query.z_scores(at_zero, slice(parts)) * shares).sum(axis=1)
        return cls(sums, slopes, for_query, slopes_for_query, at_zero[:, -1], parts - 1, query, candidates)

    def rows(self, rows: NDArray[np.intp]) -> "Correction":
        """Return the correction of some of the candidates, in the given order."""
        return Correction(
            self.offsets[rows],
            self.slopes[rows],
            self.offsets_for_query[rows],
            self.slopes_for_query[rows],
            self.last[rows],
            self.part,
            self.query if len(self.query) == 1 else self.query.rows(rows),
            self.candidates.rows(rows),
        )

    def __call__(self, distances: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the corrected distances (candidates,). A corrected distance of 0 is nearer than all others."""
        sums = self.offsets + self.slopes * distances
        for column in range(-1 - ROUNDS, -1):
            sums = _mean_z_scores(sums, self.query, self.candidates, column)
        for_query = self.offsets_for_query + self.slopes_for_query * distances
        more = SHARE_ADDED * np.maximum(for_query - STILL_NEAR, 0)
        log_probabilities = [
            scipy.special.log_ndtr(-each.z_scores(sums, -1) - more) for each in (self.query, self.candidates)
        ]
        # If all parts are known, the slopes are 0, and the distances are ignored.
        last = np.where(self.slopes > 0, distances, self.last)
        excess = self.query.z_scores(last, self.part) - STILL_USUAL
        corrected: NDArray[np.float64] = np.maximum(excess, 0) - (log_probabilities[0] + log_probabilities[1])
        return corrected

    def of_known(self) -> NDArray[np.float64]:
        """Return the corrected distances (candidates,) if the distances by all parts are known."""
        return self(np.zeros(len(self.offsets)))

    def largest_distances(self, limits: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the largest distances (candidates,) whose corrected distances do not exceed limits.

        A distance is -inf if the corrected distance always exceeds the limit.

        Parameters
        ----------
        limits
            One limit for all candidates, or one for each (candidates,).
        """
        limit = np.broadcast_to(limits, self.offsets.shape)
        is_limited = limit < inf
        if not is_limited.any():
            return np.full(len(limit), inf)
        least, most = np.zeros(len(limit)), np.ones(len(limit))
        while (growing := is_limited & (self(most) <= limit) & (most < _FARTHEST)).any():
            most[growing] *= 2
        for _ in range(_HALVINGS):
            middle = (least + most) / 2
            near = self(middle) <= limit
            least, most = np.where(near, middle, least), np.where(near, most, middle)
        # A little more than the upper end, so that rounding never excludes a track whose corrected distance is the
        # limit.
        most = np.where(is_limited, most * (1 + _ROUNDING), inf)
        return np.where(self(np.zeros(len(limit))) <= limit, most, -inf)


def _largest_usual(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest mean distance (parts,) that is usual among tracks with these mean distances."""
    if not len(means):
        return np.full(means.shape[1], inf)
    medians = np.median(means, axis=0)
    deviations = 1.48 * np.median(np.abs(means - medians), axis=0)
    limits: NDArray[np.float64] = medians + _MOST_UNUSUAL * np.maximum(deviations, _MIN_RELATIVE_DEVIATION * medians)
    return limits


def _are_copies(distances: NDArray[np.floating], others: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return for each track which tracks of the sample (tracks, reference) are copies of it."""
    are_copies = np.zeros(others.shape, np.bool_)
    for track in np.flatnonzero(others.any(axis=1)).tolist():
        usual = np.median(distances[track, others[track]], axis=0)
        are_copies[track] = (distances[track] < _COPY * usual).all(axis=1)
    return are_copies


def _mean_and_deviation(
    distances: NDArray[np.floating], counts: NDArray[np.float64], smallest: float
) -> DistanceStatistics:
    """Return the weighted mean and deviation (tracks, parts) of distances (tracks, reference, parts).

    `counts` has the weight of each distance; 0 to ignore it.
    """
    number = counts.sum(axis=1)
    number[number == 0] = 1  # a track that is compared with nothing
    means = (counts * distances).sum(axis=1) / number
    centred = distances - means[:, np.newaxis]
    floor = np.maximum(_MIN_RELATIVE_DEVIATION * np.abs(means), smallest)
    return DistanceStatistics(means, np.maximum(np.sqrt((counts * centred**2).sum(axis=1) / number), floor))
