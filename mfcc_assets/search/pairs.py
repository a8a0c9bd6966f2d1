"""Many pairs of tracks of an index, which are compared at once by what the index holds."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.corrected_estimates import can_be_estimated, least_corrected
from mfcc_assets.similarity.hubness import Correction
from mfcc_assets.similarity.rankings import Ranking, ranking_named

_ROWS_AT_ONCE = 1_000
"""Number of pairs whose features are looked up at once. The points of timbre of 1,000 tracks take 2 MB, which fits into
the processor's caches."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of a query and a candidate. The number for a pair depends on nothing but its two tracks.

    Attributes
    ----------
    index
        The index that has both tracks of each pair.
    queries, candidates : (pairs,) int64
        Rows of the tracks in the index.
    """

    index: LibraryIndex
    queries: NDArray[np.int64]
    candidates: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.queries)

    def __getitem__(self, places: NDArray[np.intp]) -> "Pairs":
        """Return some of the pairs, in the given order."""
        return Pairs(self.index, self.queries[places], self.candidates[places])

    @cached_property
    def correction(self) -> Correction:
        """The correction of the distances of the pairs."""
        table, statistics = self.index.feature_table, self.index.statistics
        blocks = [
            np.arange(first, min(first + _ROWS_AT_ONCE, len(self))) for first in range(0, len(self), _ROWS_AT_ONCE)
        ]
        known = [np.empty((0, len(self._ranking.summary_parts)))] + [
            self._ranking.summary_distances(table.rows(self.queries[block]), table.rows(self.candidates[block]))
            for block in blocks
        ]
        weights = self._ranking.pair_weights(table.treble(self.queries), table.treble(self.candidates))
        return Correction.of(
            np.concatenate(known), statistics.rows(self.queries), statistics.rows(self.candidates), weights
        )

    @cached_property
    def least_corrected(self) -> NDArray[np.float64]:
        """About the least corrected distances (pairs,) that the pairs can have; -inf if the ranking gives none."""
        found, index = np.full(len(self), -np.inf), self.index
        if not can_be_estimated(self._ranking):
            return found
        for segment, places, queries in index.places.split(self.queries):
            for other, within, candidates in index.places.split(self.candidates[places]):
                found[places[within]] = least_corrected(
                    self._ranking,
                    index.scales,
                    index.segments[segment].compared,
                    index.segments[other].compared,
                    queries[within],
                    candidates,
                )
        return found

    @property
    def _ranking(self) -> Ranking:
        return ranking_named(self.index.parameters.ranking)
