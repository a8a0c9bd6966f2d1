"""Rankings of queries of an index, merged with further candidates."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.search.cascade import ContourQuery
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.pairs import Pairs
from mfcc_assets.similarity.rankings import ranking_named


@dataclass(frozen=True, eq=False)
class KnownRanking:
    """The ranking of a query, nearest first.

    Attributes
    ----------
    query
        Row of the query in the index.
    rows : (ranked,) int64
        Rows of the ranked tracks.
    distances : (ranked,) float64
        Their corrected distances.
    """

    query: int
    rows: NDArray[np.int64]
    distances: NDArray[np.float64]


def merged_rankings(
    index: LibraryIndex, known: Sequence[KnownRanking], further: Sequence[NDArray[np.int64]], count: int
) -> list[KnownRanking]:
    """Return the nearest `count` tracks of each query among those of its ranking and further candidates.

    The corrections of all pairs are computed at once. A pair is compared by its contours only if the further candidate
    can still be among the nearest: its distances by the other parts of the ranking exclude most of them before.

    Parameters
    ----------
    index
        The index.
    known
        Present rankings. One with fewer than `count` tracks has all candidates that the query had so far.
    further
        Rows of the candidates with which each query is compared. They are not in its ranking.
    count
        Number of wanted tracks.
    """
    numbers = np.repeat(np.arange(len(known)), [len(rows) for rows in further])
    queries = np.array([each.query for each in known], np.int64)[numbers]
    pairs = Pairs(index, queries, np.concatenate([np.empty(0, np.int64), *further]))
    limits = np.array([each.distances.max() if len(each.rows) == count else inf for each in known])[numbers]
    corrected = pairs.correction(_distances_within(pairs, pairs.correction.largest_distances(limits)))
    is_near, starts = corrected <= limits, np.searchsorted(numbers, np.arange(len(known) + 1))
    merged = list[KnownRanking]()
    for number, each in enumerate(known):
        places = np.flatnonzero(is_near[starts[number] : starts[number + 1]]) + starts[number]
        rows = np.append(each.rows, pairs.candidates[places])
        distances = np.append(each.distances, corrected[places])
        # Audio ids ascend with the rows, so this is the order of `mfcc_assets.similarity.rankings.rank`.
        order = np.lexsort((rows, distances))[:count]
        merged.append(KnownRanking(each.query, rows[order], distances[order]))
    return merged


def _distances_within(pairs: Pairs, farthest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances (pairs,) of contours, infinite where they exceed the farthest ones that matter."""
    index, warped = pairs.index, ranking_named(pairs.index.parameters.ranking).warped
    if warped is None:
        return np.zeros(len(pairs))
    distances, query, of_query = np.full(len(pairs), inf), None, -1
    for place in np.flatnonzero(farthest >= 0).tolist():
        row = int(pairs.queries[place])
        if query is None or row != of_query:
            query, of_query = ContourQuery(index.contours[row], warped, index.scales), row
        distances[place] = query.distance_within(index.contours[int(pairs.candidates[place])], farthest[place])
    return distances
