"""The candidates of a query: the tracks of an index that are worth comparing by their contours.

They are found from what the index holds, without reading a contour. The window of a query gives the tracks to estimate
(see `mfcc_assets.search.window`), and `mfcc_assets.search.pruning.prune` keeps those that may be among the nearest.
Most tracks are excluded before, by the little that `mfcc_assets.similarity.corrected_estimates` compares.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from math import ceil

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.for_each import ForEach, in_turn
from mfcc_assets.search.cascade import COARSE_FACTOR, COARSE_MODEL, CoarseQuery
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.pruning import corrected_within_margin, prune
from mfcc_assets.similarity.corrected_estimates import (
    ComparedTracks,
    can_be_estimated,
    deviations_of,
    least_corrected,
    least_deviations,
)
from mfcc_assets.similarity.hubness import Correction, DistanceStatistics
from mfcc_assets.similarity.rankings import ranking_named

_FIRST_ESTIMATED = 2
"""Number of tracks, for each wanted one, whose distances are estimated first."""


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
        `mfcc_assets.search.cascade.COARSE_MODEL`, does not exceed it, and neither does `least_corrected` of
        `CandidateSearch`. It is infinite if any track is a candidate.
    """

    rows: NDArray[np.int64]
    estimates: NDArray[np.float64]
    limit: float


@dataclass(frozen=True, eq=False)
class _Estimated:
    """Tracks whose distances are estimated.

    Attributes
    ----------
    rows : (tracks,) int64
        Their rows in the index.
    estimates : (tracks,)
        Estimates of their distances by the warped part of the ranking.
    corrected, lowered : (tracks,)
        Corrected distances of the estimates, and of the estimates lowered by the margin.
    """

    rows: NDArray[np.int64]
    estimates: NDArray[np.float64]
    corrected: NDArray[np.float64]
    lowered: NDArray[np.float64]

    def joined(self, other: "_Estimated") -> "_Estimated":
        """Return these tracks and others."""
        pairs = ((getattr(self, column.name), getattr(other, column.name)) for column in fields(self))
        return _Estimated(*(np.concatenate(pair) for pair in pairs))

    def sorted(self) -> "_Estimated":
        """Return the tracks by their rows, so that equal estimates have one order."""
        order = np.argsort(self.rows, kind="stable")
        return _Estimated(*(getattr(self, column.name)[order] for column in fields(self)))

    def limit(self, count: int) -> float:
        """Return the corrected distance of the last of the nearest `count`; infinity if there are fewer."""
        if len(self.rows) < count:
            return np.inf
        return float(np.partition(self.corrected, count - 1)[count - 1])


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

    def pruned(self, rows: NDArray[np.int64], count: int) -> Candidates:
        """Return those of some tracks that are worth comparing by their contours.

        Parameters
        ----------
        rows : (tracks,)
            Rows of tracks whose distances are to be estimated.
        count
            Number of wanted tracks.
        """
        deviations = None
        if self.is_preselecting(rows, count):
            (deviations,) = _least_deviations(self._index, self._compared, [rows])
        return self.pruned_by(rows, count, deviations)

    def pruned_by(self, rows: NDArray[np.int64], count: int, deviations: NDArray[np.float64] | None) -> Candidates:
        """Return what `pruned` returns, given the least z-score of each track if there are many."""
        if deviations is not None:
            # The nearest of a few promising tracks exclude most of the others without an estimate.
            first = np.argpartition(deviations, _FIRST_ESTIMATED * count)[: _FIRST_ESTIMATED * count]
            promising = self._estimated(rows[first], self.least_corrected(rows[first]))
            deviations[first] = np.inf
            limit = promising.limit(count)
            rows = rows[deviations <= deviations_of(limit)]
            least = self.least_corrected(rows)
            rows, least = rows[least <= limit], least[least <= limit]
            found = promising.joined(self._estimated(rows, least)).sorted()
        else:
            found = self._estimated(rows, self.least_corrected(rows)).sorted()
        kept = prune(found.corrected, found.lowered, count)
        return Candidates(found.rows[kept], found.estimates[kept], found.limit(count))

    def is_preselecting(self, rows: NDArray[np.int64], count: int) -> bool:
        """Return whether there are so many tracks that most are excluded without an estimate."""
        return len(rows) > _FIRST_ESTIMATED * count and self._is_estimable

    @property
    def _is_estimable(self) -> bool:
        return self._coarse is not None and can_be_estimated(self._ranking)

    def least_corrected(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return about the least corrected distances (rows,) that tracks of the index can have from this query."""
        if not self._is_estimable:
            return np.full(len(rows), -np.inf)
        query, found, scales = self._compared, np.empty(len(rows)), self._index.scales
        for segment, positions, within in self._index.places.split(rows):
            own, others = np.zeros(len(within), np.int64), self._index.segments[segment].compared
            found[positions] = least_corrected(self._ranking, scales, query, others, own, within)
        return found

    def _estimated(self, rows: NDArray[np.int64], least: NDArray[np.float64]) -> "_Estimated":
        estimates = self.estimates(rows)
        corrected = corrected_within_margin(estimates, COARSE_MODEL.margin, self.correction(rows), least)
        return _Estimated(rows, estimates, *corrected)

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

    @property
    def _compared(self) -> ComparedTracks:
        assert self._coarse is not None
        return ComparedTracks(self._table, self._statistics, np.array([self._coarse.frames]))

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


def candidates_in_windows(
    index: LibraryIndex, queries: NDArray[np.int64], windows: Sequence[NDArray[np.int64]], count: int
) -> list[Candidates]:
    """Return the candidates of several tracks of an index, each among the tracks in its window.

    The result is that of `CandidateSearch.pruned` for each query, and takes less time.

    Parameters
    ----------
    index
        The index.
    queries : (queries,)
        Rows of the queries.
    windows
        Rows of the tracks in the window of each query, ascending.
    count
        Number of wanted tracks.
    """
    searches = [CandidateSearch.of_row(index, row) for row in queries.tolist()]
    many = [
        number
        for number, (search, rows) in enumerate(zip(searches, windows, strict=True))
        if search.is_preselecting(rows, count)
    ]
    deviations: list[NDArray[np.float64] | None] = [None] * len(queries)
    if many:
        rows = queries[many]
        frames = COARSE_FACTOR * index.coarse_contours.rows(rows).lengths
        compared = ComparedTracks(index.feature_table.rows(rows), index.statistics.rows(rows), frames)
        for number, found in zip(
            many, _least_deviations(index, compared, [windows[each] for each in many]), strict=True
        ):
            deviations[number] = found
    return [
        search.pruned_by(rows, count, found) for search, rows, found in zip(searches, windows, deviations, strict=True)
    ]


def _least_deviations(
    index: LibraryIndex, queries: ComparedTracks, windows: Sequence[NDArray[np.int64]]
) -> list[NDArray[np.float64]]:
    """Return the least z-score of each track in the window of each query."""
    found = [np.empty(len(rows)) for rows in windows]
    split = [
        {segment: (positions, within) for segment, positions, within in index.places.split(rows)} for rows in windows
    ]
    nothing = np.empty(0, np.intp), np.empty(0, np.int64)
    for number, segment in enumerate(index.segments):
        of_segment = [parts.get(number, nothing) for parts in split]
        starts = np.cumsum([0, *(len(within) for _, within in of_segment)])
        if starts[-1]:
            rows = np.concatenate([within for _, within in of_segment])
            ranking = ranking_named(index.parameters.ranking)
            deviations = least_deviations(ranking, queries, segment.compared, starts, rows)
            for query, (positions, _) in enumerate(of_segment):
                found[query][positions] = deviations[starts[query] : starts[query + 1]]
    return found
