"""How near a distance is, compared with the distances of random pairs of the library.

A corrected distance has no unit that anybody knows. So it is compared with those of random pairs, which gives a share
of the pairs that are farther apart, and a word for it.
"""

from dataclasses import dataclass
from math import log10

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.for_each import ForEach, in_turn
from mfcc_assets.sentence import Sentence
from mfcc_assets.similarity.hubness import Correction
from mfcc_assets.similarity.pairwise import Reference, part_distances

RANDOM_PAIRS = 1000
"""Largest number of random pairs that are measured. Their comparison takes less than a second."""

_WORDS = (
    (0.99, Sentence("very near")),
    (0.95, Sentence("near")),
    (0.75, Sentence("fairly near")),
    (0.25, Sentence("not near")),
    (0.0, Sentence("far")),
)
"""Least share of the pairs that are farther apart, for each word."""

_FULL_BAR = 0.001
"""Share of nearer pairs at which a bar is full. Its length is a logarithm: most of the tracks that are shown are nearer
than 95 % of the pairs, and bars of equal lengths would say nothing."""


@dataclass(frozen=True)
class Nearness:
    """How near the tracks of a pair are to each other.

    Attributes
    ----------
    closer_than
        Share of the random pairs of the library that are farther apart, 0 to 1.
    """

    closer_than: float

    @property
    def word(self) -> Sentence:
        """The share as a word: very near from 99 % on, near from 95 %, fairly near from 75 %, not near from 25 %, far.

        Examples
        --------
        >>> [Nearness(share).word for share in (1.0, 0.97, 0.8, 0.5, 0.1)]
        ['very near', 'near', 'fairly near', 'not near', 'far']
        """
        return next(word for least, word in _WORDS if self.closer_than >= least)

    @property
    def bar(self) -> float:
        """Length of a bar, 0 to 1. It grows by the same amount each time that a tenth as many pairs are nearer.

        Examples
        --------
        >>> [round(Nearness(share).bar, 2) for share in (1.0, 0.999, 0.99, 0.9, 0.5, 0.0)]
        [1.0, 1.0, 0.67, 0.33, 0.1, 0.0]
        """
        nearer = 1 - self.closer_than
        return abs(log10(max(nearer, _FULL_BAR)) / log10(_FULL_BAR))

    def __str__(self) -> str:
        """Return the share in words. It is rounded down, so that it never says too much.

        Examples
        --------
        >>> for share in (1.0, 0.9999, 0.949, 0.0):
        ...     print(Nearness(share))
        closer than all measured pairs
        closer than 99.9 % of pairs
        closer than 94 % of pairs
        closer than none of the pairs
        """
        return f"closer than {self.of_pairs}"

    @property
    def of_pairs(self) -> str:
        """The pairs that are farther apart, such as ``94 % of pairs``."""
        if self.closer_than in (0, 1):
            return "all measured pairs" if self.closer_than else "none of the pairs"
        return f"{self.percentage} of pairs"

    @property
    def percentage(self) -> str:
        """The share of the pairs that are farther apart, such as ``94 %``. From 99 % on, there is a decimal."""
        # Ratios of small numbers may be a little below the true share.
        tenths = int(1000 * self.closer_than + 1e-6)
        return f"{tenths / 10:.1f} %" if tenths >= 990 else f"{tenths // 10} %"


@dataclass(frozen=True, eq=False)
class PairDistances:
    """The corrected distances of random pairs of a library.

    Attributes
    ----------
    distances : (pairs,)
        The distances in ascending order.
    """

    distances: NDArray[np.float64]

    @classmethod
    def within(cls, reference: Reference, for_each: ForEach = in_turn) -> "PairDistances":
        """Measure random pairs of a reference sample, which is a random part of the library.

        They are all pairs if these are not more than `RANDOM_PAIRS`. The same sample always gives the same pairs.
        """
        count = len(reference.tracks)
        first, second = np.triu_indices(count, 1)
        if len(first) > RANDOM_PAIRS:
            chosen = np.random.default_rng(0).choice(len(first), RANDOM_PAIRS, replace=False)
            first, second = first[chosen], second[chosen]

        def of_track(row: int) -> NDArray[np.float64]:
            query, others = reference.tracks[row], reference.tracks.rows(second[first == row])
            distances = part_distances(reference.ranking, query, others, reference.scales)
            weights = reference.ranking.pair_weights(query.feature_table.treble, others.feature_table.treble)
            of_query, of_others = (reference.statistics.rows(rows) for rows in (np.array([row]), second[first == row]))
            return Correction.of(distances, of_query, of_others, weights).of_known()

        found = [distances for _, distances in for_each(of_track, np.unique(first).tolist())]
        return cls(np.sort(np.concatenate(found)) if found else np.empty(0))

    def nearness(self, distance: float) -> Nearness | None:
        """Return how near a pair with this corrected distance is; None if the library has no pair.

        Examples
        --------
        >>> PairDistances(np.array([0.5, 1.0, 2.0, 4.0])).nearness(1.0)
        Nearness(closer_than=0.5)
        """
        if not len(self.distances):
            return None
        nearer = np.searchsorted(self.distances, distance, side="right")
        return Nearness(1 - int(nearer) / len(self.distances))
