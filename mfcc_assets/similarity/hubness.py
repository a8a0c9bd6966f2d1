"""Distances in which no track is near to everything: mutual proximity against a fixed sample of the library.

In many dimensions some tracks are among the nearest of very many others (hubs), and many are among nobody's. What
counts instead of a distance is how unusual it is: for the one track, and for the other. Schnitzer, Flexer, Schedl and
Widmer, "Local and Global Scaling Reduce Hubs in Space", JMLR 13 (2012), section 3.2, with independent normal
distributions. There each track's distances to all others are looked at; here those to a reference sample, which stays
the same while the library grows, so that a new track changes no distance between others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf

import numpy as np
import scipy  # its special functions, 0.15 s of imports, come when they are first used
from numpy.typing import NDArray

_SMALLEST_DEVIATION, _SMALLEST_DEVIATION_AT_ALL, _SMALLEST_DEVIATION_OF_SUMS = 0.05, 1e-6, 0.05
"""Of distances as a share of their mean, and at all; of sums at all. Of two or three tracks all can be equal."""

ROUNDS = 2
"""Times that a sum of parts is taken in units of what is usual before its mutual proximity is. On the development
corpus no round leaves 3.2 % of the tracks in nobody's first five, one 1.5 %, two 0.4 %; a third brings nothing."""

_HALVINGS, _FARTHEST, _ROUNDING = 60, 1e30, 1e-12


@dataclass(frozen=True)
class DistanceStatistics:
    """What distances of some tracks to the reference sample are usual.

    Attributes
    ----------
    means, deviations : (tracks, parts + 1 + ROUNDS)
        Of the distances by each part that a ranking sums; of their sum, each part in units of what is usual; and of
        the sum in units of what is usual, round by round.
    """

    means: NDArray[np.float64]
    deviations: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.means)

    def rows(self, rows: NDArray[np.int64]) -> "DistanceStatistics":
        """Some of the rows, in the order given."""
        return DistanceStatistics(self.means[rows], self.deviations[rows])

    @classmethod
    def joined(cls, parts: Sequence["DistanceStatistics"]) -> "DistanceStatistics":
        """The rows of all parts, of which there is one at least."""
        return cls(np.concatenate([part.means for part in parts]), np.concatenate([part.deviations for part in parts]))

    @classmethod
    def of_reference(cls, distances: NDArray[np.floating], weights: NDArray[np.floating]) -> "DistanceStatistics":
        """Of the reference sample itself.

        Parameters
        ----------
        distances : (reference, reference, parts)
            The diagonal does not count.
        weights : (parts,)
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
        """Of tracks whose distances to the reference sample are known.

        Parameters
        ----------
        distances : (tracks, reference, parts)
        others : (tracks, reference)
            False where a track of the sample is the track itself.
        reference
            Of the sample; None where the tracks are the sample.
        weights : (parts,)
        """
        # Column by column, since each needs those before it.
        statistics, parts = _moments(distances, others, _SMALLEST_DEVIATION_AT_ALL), len(weights)

        def with_column(values: Sequence[NDArray[np.float64]]) -> DistanceStatistics:
            more = _moments(np.reshape(values, (*others.shape, 1)), others, _SMALLEST_DEVIATION_OF_SUMS)
            return cls(np.hstack([statistics.means, more.means]), np.hstack([statistics.deviations, more.deviations]))

        def each(
            function: Callable[..., NDArray[np.float64]], values: Sequence[NDArray[np.floating]]
        ) -> list[NDArray[np.float64]]:
            to = statistics if reference is None else reference
            return [function(of_track, statistics.rows(np.array([row])), to) for row, of_track in enumerate(values)]

        sums = each(partial(unusual_sums, weights=weights), list(distances))
        statistics = with_column(sums)
        for column in range(parts, parts + ROUNDS):
            sums = each(partial(_standardised, column=column), sums)
            statistics = with_column(sums)
        return statistics


def unusual_parts(
    distances: NDArray[np.floating], query: DistanceStatistics, candidates: DistanceStatistics
) -> NDArray[np.float64]:
    """How unusual the distances of one query are, part by part: for it and for each candidate, the mean of both.

    Parameters
    ----------
    distances : (candidates, parts)
    query
        Of one track.
    candidates
        Of as many tracks as there are distances.

    Returns
    -------
    (candidates, parts)
        In deviations from what is usual: negative where a candidate is near.
    """
    parts = slice(distances.shape[1])
    for_query = (distances - query.means[:, parts]) / query.deviations[:, parts]
    for_candidates = (distances - candidates.means[:, parts]) / candidates.deviations[:, parts]
    unusual: NDArray[np.float64] = (for_query + for_candidates) / 2
    return unusual


def unusual_sums(
    distances: NDArray[np.floating],
    query: DistanceStatistics,
    candidates: DistanceStatistics,
    weights: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Weighted sums (candidates,) of `unusual_parts`; `weights` (parts,) are those of a ranking."""
    sums: NDArray[np.float64] = unusual_parts(distances, query, candidates) @ weights
    return sums


def corrected(
    sums: NDArray[np.floating], query: DistanceStatistics, candidates: DistanceStatistics
) -> NDArray[np.float64]:
    """Minus the logarithm of the mutual proximity: of the chance that a distance is larger, for the one and the other.

    The logarithm tells pairs apart that are nearer than all others: their chances are 1 to sixteen digits.

    Parameters
    ----------
    sums : (candidates,)
        Of `unusual_sums`.
    """
    for column in range(-1 - ROUNDS, -1):
        sums = _standardised(sums, query, candidates, column)
    for_query = (sums - query.means[:, -1]) / query.deviations[:, -1]
    for_candidates = (sums - candidates.means[:, -1]) / candidates.deviations[:, -1]
    distances: NDArray[np.float64] = -(scipy.special.log_ndtr(-for_query) + scipy.special.log_ndtr(-for_candidates))
    return distances


def all_corrected(
    distances: NDArray[np.floating], statistics: DistanceStatistics, weights: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Corrected distances (tracks, tracks) of all tracks to each other, infinite on the diagonal.

    Parameters
    ----------
    distances : (tracks, tracks, parts)
    usual
        Of all tracks.
    weights : (parts,)
    """
    every = np.full(distances.shape[:2], inf)
    for row, of_track in enumerate(distances):
        query = statistics.rows(np.array([row]))
        every[row] = corrected(unusual_sums(of_track, query, statistics, weights), query, statistics)
    np.fill_diagonal(every, inf)
    return every


def _standardised(
    sums: NDArray[np.floating], query: DistanceStatistics, candidates: DistanceStatistics, column: int
) -> NDArray[np.float64]:
    for_query = (sums - query.means[:, column]) / query.deviations[:, column]
    for_candidates = (sums - candidates.means[:, column]) / candidates.deviations[:, column]
    standardised: NDArray[np.float64] = (for_query + for_candidates) / 2
    return standardised


@dataclass(frozen=True)
class Correction:
    """From the distance of a query to candidates by one part to their corrected distance by all parts.

    The distance by that part is the only one that is not known yet; with it grows the corrected distance.

    Attributes
    ----------
    offsets, slopes : (candidates,)
        The sum of all parts is an offset and so many times the distance.
    query
        Of one track.
    candidates
        Of all candidates.
    """

    offsets: NDArray[np.float64]
    slopes: NDArray[np.float64]
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
        """The correction where all parts of a ranking are known, or all but the last.

        Parameters
        ----------
        known : (candidates, parts) or (candidates, parts - 1)
        query
            Of one track.
        candidates
            Of as many tracks.
        weights : (parts,)
        """
        parts = len(weights)
        at_nothing = np.zeros((len(known), parts))
        at_nothing[:, : known.shape[1]] = known
        deviations = (query.deviations[:, parts - 1], candidates.deviations[:, parts - 1])
        slopes = weights[-1] / 2 * (1 / deviations[0] + 1 / deviations[1])
        if known.shape[1] == parts:
            slopes = np.zeros(len(known))
        return cls(unusual_sums(at_nothing, query, candidates, weights), slopes, query, candidates)

    def rows(self, rows: NDArray[np.intp]) -> "Correction":
        """Of some of the candidates, in the order given."""
        return Correction(self.offsets[rows], self.slopes[rows], self.query, self.candidates.rows(rows))

    def __call__(self, distances: NDArray[np.floating]) -> NDArray[np.float64]:
        """Corrected distances (candidates,): minus the logarithm of mutual proximity, 0 for what is nearer than all."""
        return corrected(self.offsets + self.slopes * distances, self.query, self.candidates)

    def within(self, limit: float) -> NDArray[np.float64]:
        """Distance (candidates,) up to which the corrected one does not exceed a limit; -inf where it always does."""
        if limit == inf:
            return np.full(len(self.offsets), inf)
        least, most = np.zeros(len(self.offsets)), np.ones(len(self.offsets))
        while (growing := (self(most) <= limit) & (most < _FARTHEST)).any():
            most[growing] *= 2
        for _ in range(_HALVINGS):
            middle = (least + most) / 2
            near = self(middle) <= limit
            least, most = np.where(near, middle, least), np.where(near, most, middle)
        # The upper end and a little more, so that rounding never excludes the track whose distance the limit is.
        return np.where(self(np.zeros(len(self.offsets))) <= limit, most * (1 + _ROUNDING), -inf)


def _moments(distances: NDArray[np.floating], others: NDArray[np.bool_], smallest: float) -> DistanceStatistics:
    """Of the distances (tracks, reference, parts) that count."""
    counts = others[:, :, np.newaxis]
    number = np.maximum(1, counts.sum(axis=1))
    means = np.where(counts, distances, 0.0).sum(axis=1) / number
    centred = np.where(counts, distances - means[:, np.newaxis], 0.0)
    floor = np.maximum(_SMALLEST_DEVIATION * np.abs(means), smallest)
    return DistanceStatistics(means, np.maximum(np.sqrt((centred**2).sum(axis=1) / number), floor))
