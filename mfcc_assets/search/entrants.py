"""New tracks of an index: which queries they concern, and the candidates of these queries with them.

What is kept of two sets of tracks together is kept of each of them, because further tracks only lower the limit. So the
known candidates of a query are merged with new tracks without looking at any other track, and the result is that of a
new search by `mfcc_assets.search.candidates.CandidateSearch`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.search.candidates import Candidates
from mfcc_assets.search.cascade import COARSE_MODEL, CoarseQuery
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.pairs import Pairs
from mfcc_assets.search.pruning import corrected_within_margin, prune
from mfcc_assets.similarity.rankings import ranking_named

_ROUNDING = 1e-9
"""Share by which numbers of a pair may differ if a kernel was compiled for other arrays, with much to spare."""

_PAIRS_AT_ONCE = 20_000
"""Number of pairs that are compared at once, so that their features take little memory."""


@dataclass(frozen=True, eq=False)
class EstimatedLists:
    """Lists of tracks that may be candidates of queries, one list after the other.

    Attributes
    ----------
    queries : (lists,) int64
        Row of the query of each list.
    starts : (lists + 1,) int64
        Where each list starts, and where the last one ends.
    rows : (tracks,) int64
        Rows of the tracks.
    estimates : (tracks,) float64
        Their estimated distances by the warped part of the ranking.
    """

    queries: NDArray[np.int64]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]
    estimates: NDArray[np.float64]

    def parts(self, most: int) -> Iterator["EstimatedLists"]:
        """Split the lists into parts of about `most` tracks."""
        first = 0
        while first < len(self.queries):
            last = max(first + 1, int(np.searchsorted(self.starts, self.starts[first] + most, side="right")) - 1)
            tracks = slice(self.starts[first], self.starts[last])
            starts = self.starts[first : last + 1] - self.starts[first]
            yield EstimatedLists(self.queries[first:last], starts, self.rows[tracks], self.estimates[tracks])
            first = last


def queries_that_may_keep(
    index: LibraryIndex, track: int, queries: NDArray[np.int64], limits: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the queries for which a track may be a candidate, and the estimates of its distances from them.

    For all other queries it is none.

    Parameters
    ----------
    index
        The index.
    track
        Row of the track.
    queries : (queries,)
        Rows of the queries.
    limits : (queries,)
        Limit of the candidates of each query; see `Candidates`.

    Returns
    -------
    rows, estimates
        Rows of the queries, and the estimate of the distance from each.
    """
    limits = limits + _ROUNDING * (1 + np.abs(limits))
    pairs = Pairs(index, queries, np.full(len(queries), track))
    near = np.flatnonzero(pairs.least_corrected <= limits)
    pairs, limits = pairs[near], limits[near]
    warped, rows = ranking_named(index.parameters.ranking).warped, np.array([track])
    estimates = np.zeros(len(near))
    if warped is not None:
        roughness = index.feature_table.roughness(rows)[0]
        coarse = CoarseQuery(index.coarse_contours.rows(rows), roughness, warped, index.scales)
        estimates = coarse.distances_from(index.coarse_contours.rows(pairs.queries))
    _, lowered = corrected_within_margin(estimates, COARSE_MODEL.margin, pairs.correction)
    near = np.flatnonzero(lowered <= limits)
    return pairs.queries[near], estimates[near]


def candidates_among(index: LibraryIndex, lists: EstimatedLists, count: int) -> list[Candidates]:
    """Return those tracks of each list that are worth comparing by their contours, if `count` are wanted."""
    found = list[Candidates]()
    for part in lists.parts(_PAIRS_AT_ONCE):
        numbers = np.repeat(np.arange(len(part.queries)), np.diff(part.starts))
        # Equal estimates have one order, whichever tracks were known.
        order = np.lexsort((part.rows, numbers))
        rows, estimates = part.rows[order], part.estimates[order]
        pairs = Pairs(index, part.queries[numbers], rows)
        corrected, lowered = corrected_within_margin(
            estimates, COARSE_MODEL.margin, pairs.correction, pairs.least_corrected
        )
        for first, end in zip(part.starts[:-1].tolist(), part.starts[1:].tolist(), strict=True):
            of_list = corrected[first:end]
            kept = prune(of_list, lowered[first:end], count)
            limit = float(of_list[kept[count - 1]]) if end - first >= count else np.inf
            found.append(Candidates(rows[first:end][kept], estimates[first:end][kept], limit))
    return found
