"""The candidates of a query: the tracks of an index that are worth comparing by their contours.

They are found from what the index holds, without reading a contour. The window of a query gives the tracks to estimate
(see `mfcc_assets.search.window`), and `mfcc_assets.search.cascade.prune` keeps those that may be among the nearest.

What is kept of two sets of tracks together is kept of each of them: further tracks only lower the limit. So candidates
that are known are merged with new ones without looking at any other track, and the result is that of a new search.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.for_each import ForEach, in_turn
from mfcc_assets.search.cascade import COARSE_MODEL, CoarseQuery, most_compared, prune
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.hubness import Correction, DistanceStatistics
from mfcc_assets.similarity.rankings import ranking_named

_ROUNDING = 1e-9
"""Share by which a corrected distance may differ if it is computed from the candidate to the query, with much to
spare."""

_ESTIMATED_FIRST = 8
"""Number of tracks, for each wanted one, whose estimates give a first limit."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """The candidates of one query.

    Attributes
    ----------
    rows : (candidates,) int64
        Their rows in the index, nearest first by their estimates.
    estimates : (candidates,) float64
        Their estimated distances by the warped part of the ranking. They are not corrected.
    limit
        A further track is a candidate only if the corrected distance of its estimate, lowered by the margin of
        `mfcc_assets.search.cascade.COARSE_MODEL`, does not exceed it. It is infinite if any track is a candidate.
    """

    rows: NDArray[np.int64]
    estimates: NDArray[np.float64]
    limit: float

    def is_full(self, count: int) -> bool:
        """Return whether further candidates were dropped because there are too many for `count` wanted tracks."""
        return len(self.rows) >= most_compared(count)


class CandidateSearch:
    """A query that is compared with tracks of an index by their coarse contours.

    Parameters
    ----------
    index
        Index to search.
    feature_table
        Features of the query, in one row.
    statistics
        Distance statistics of the query, one row.
    coarse
        Coarse contour of the query; None if the ranking compares no contours.
    for_each
        Function that applies another function to many items: `in_turn`, or `mfcc_assets.compute.local.on_all_cores`.
    rows_at_once
        Number of tracks that one task looks up. The points of timbre of 1,000 tracks take 2 MB, which fits into the
        processor's caches.
    """

    def __init__(
        self,
        index: LibraryIndex,
        feature_table: FeatureTable,
        statistics: DistanceStatistics,
        coarse: CoarseQuery | None,
        for_each: ForEach = in_turn,
        *,
        rows_at_once: int = 1_000,
    ) -> None:
        self._index, self._table, self._statistics, self._coarse = index, feature_table, statistics, coarse
        self._for_each, self._rows_at_once = for_each, rows_at_once
        self._ranking = ranking_named(index.parameters.ranking)

    @classmethod
    def of_row(cls, index: LibraryIndex, row: int) -> "CandidateSearch":
        """Prepare the search for a track of the index."""
        rows, warped = np.array([row]), ranking_named(index.parameters.ranking).warped
        table = index.feature_table.rows(rows)
        coarse = (
            CoarseQuery(index.coarse_contours.rows(rows), table.roughness[0], warped, index.scales) if warped else None
        )
        return cls(index, table, index.statistics.rows(rows), coarse)

    def pruned(
        self,
        rows: NDArray[np.int64],
        count: int,
        known_rows: NDArray[np.int64] | None = None,
        known_estimates: NDArray[np.float64] | None = None,
    ) -> Candidates:
        """Return those of some tracks that are worth comparing by their contours.

        Parameters
        ----------
        rows : (tracks,)
            Rows of tracks whose distances are to be estimated.
        count
            Number of wanted tracks.
        known_rows, known_estimates : (known,), optional
            Rows of other tracks, and their estimates from an earlier call.
        """
        if known_rows is None:
            rows = self._possible(rows, count)
        every, estimates = rows, self.estimates(rows)
        if known_rows is not None and known_estimates is not None:
            every, estimates = np.append(known_rows, rows), np.append(known_estimates, estimates)
        # Equal estimates are in the order of the rows, whichever tracks were known before.
        order = np.argsort(every, kind="stable")
        every, estimates = every[order], estimates[order]
        correction = self.correction(every)
        kept = prune(estimates, count, correction)
        limit = np.inf
        if len(kept) >= count:
            last = kept[count - 1 : count]
            (limit,) = correction.rows(last)(np.maximum(0.0, estimates[last])).tolist()
        return Candidates(every[kept], estimates[kept], limit)

    def _possible(self, rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """Leave out tracks that are no candidates even at the distance 0, which spares most of the estimates.

        The estimates of a few tracks, which are the nearest by the other parts of the ranking, give a limit that those
        of all tracks can only lower.
        """
        few = _ESTIMATED_FIRST * count
        if self._coarse is None or len(rows) <= 2 * few:
            return rows
        correction = self.correction(rows)
        least = correction(np.zeros(len(rows)))
        first = np.argpartition(least, few)[:few]
        corrected = correction.rows(first)(np.maximum(0.0, self.estimates(rows[first])))
        limit = np.partition(corrected, count - 1)[count - 1]
        possible: NDArray[np.int64] = rows[least <= limit + _ROUNDING * (1 + abs(limit))]
        return possible

    def estimates(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Estimate the distances (rows,) from this query to tracks of the index by the warped part of the ranking."""
        query = self._coarse
        if query is None:
            return np.zeros(len(rows))
        coarse_contours, feature_table = self._index.coarse_contours, self._index.feature_table
        return self._in_blocks(
            lambda block: query.distances_to(coarse_contours.rows(block), feature_table.roughness(block)), rows
        )

    def correction(self, rows: NDArray[np.int64]) -> Correction:
        """Return the correction of the distances from this query to tracks of the index."""
        known, weights = self._known(rows), self._weights(rows)
        return Correction.of(known, self._statistics, self._index.statistics.rows(rows), weights)

    def queries_that_may_keep(self, rows: NDArray[np.int64], limits: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the rows of the queries for which this track may be a candidate. For all others it is none.

        Parameters
        ----------
        rows : (queries,)
            Rows of the queries in the index.
        limits : (queries,)
            Limit of the candidates of each query; see `Candidates`.
        """
        # Distances of a pair may differ in the last bits if the two change their places.
        limits = limits + _ROUNDING * (1 + np.abs(limits))
        own = self._statistics.rows(np.zeros(len(rows), np.int64))
        theirs, known, weights = self._index.statistics.rows(rows), self._known(rows), self._weights(rows)
        correction = Correction.of(known, theirs, own, weights)
        estimates = np.zeros(len(rows))
        query = self._coarse
        if query is not None:
            # Most queries drop the track even at the distance 0, because of its other parts.
            left = np.flatnonzero(correction(estimates) <= limits)
            rows, limits, estimates = rows[left], limits[left], estimates[left]
            correction = Correction.of(known[left], theirs.rows(left), own.rows(left), weights[left])
            coarse_contours = self._index.coarse_contours
            estimates = self._in_blocks(lambda block: query.distances_from(coarse_contours.rows(block)), rows)
        return rows[correction(np.maximum(0.0, estimates) / (1 + COARSE_MODEL.margin)) <= limits]

    def _known(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        feature_table = self._index.feature_table
        return self._in_blocks(
            lambda block: self._ranking.summary_distances(self._table, feature_table.rows(block)), rows
        )

    def _weights(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        return self._ranking.pair_weights(self._table.treble, self._index.feature_table.treble(rows))

    def _in_blocks(
        self, function: Callable[[NDArray[np.int64]], NDArray[np.float64]], rows: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Apply a function to blocks of rows, and join the results in the order of the rows."""
        if len(rows) <= self._rows_at_once:
            return function(rows)
        blocks = np.array_split(rows, ceil(len(rows) / self._rows_at_once))
        found = dict(self._for_each(lambda number: function(blocks[number]), range(len(blocks))))
        return np.concatenate([found[number] for number in range(len(blocks))])
