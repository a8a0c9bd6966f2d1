"""Embeddings for the vector index: a point for each track, such that near points are near tracks by a ranking."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.similarity.projection import projected
from mfcc_assets.similarity.rankings import LOW_TIMBRE, TIMBRE, WARPED, Ranking

_DIMENSIONS = 24
"""Number of principal components that are kept. Of the five nearest by the ranking `fused`, 96 % are among the first 93
of 469 tracks by 24 components, and 94 % by 48. The minor components are mostly noise."""

_WHOLE_BAND = 0.35
"""Factor of the weight of the whole band if the ranking also compares the low band. For two tracks of unlike codings
the whole band does not count, but a point cannot tell what it is compared with. If half of the library is encoded
again, 96 % of the five nearest are among the first 93 with this factor, and 90 % without it."""

_ROWS_AT_ONCE = 10_000


class FeaturesInRows(Protocol):
    """The features of tracks in rows: a feature table, or that of an index."""

    def __len__(self) -> int: ...
    def rows(self, rows: NDArray[np.int64]) -> FeatureTable: ...


@dataclass(frozen=True)
class Embedding:
    """Maps tracks to points whose Euclidean distances approximate a ranking.

    Each part of the ranking has a vector for each track. The vectors are divided by their spread over the reference
    sample, multiplied by the square root of the part's weight, joined, and projected on their principal components. The
    whole band gets a smaller weight if the low band is compared, too.

    Attributes
    ----------
    ranking
        Ranking to approximate.
    scales : (d,)
        Standard deviation of each coefficient over the library.
    spreads : (parts,)
        Spread of each part: the root of the mean squared distance of its vectors from their mean.
    axes : (width, dimensions) float32
        Unit vectors of the principal components.
    """

    ranking: Ranking
    scales: NDArray[np.float64]
    spreads: NDArray[np.float64]
    axes: NDArray[np.float32]

    @classmethod
    def of(cls, ranking: Ranking, scales: NDArray[np.float64], reference: FeatureTable) -> Self:
        """Fit the embedding to a sample of the library."""
        # An empty library also gets an index. Its points have one axis.
        sample = max(1, len(reference))
        centred = [vectors - vectors.sum(axis=0) / sample for vectors in _vectors(ranking, scales, reference)]
        spreads = np.array([np.sqrt(np.square(vectors).sum() / sample) or 1.0 for vectors in centred])
        joined = _joined(ranking, centred, spreads)
        width = joined.shape[1]
        if not ranking.summary_parts:
            return cls(ranking, scales, spreads, np.eye(width, dtype=np.float32))
        # The sums of several threads are rounded differently for each number of them.
        with threadpool_limits(1, user_api="blas"):
            components = (
                np.linalg.svd(joined, full_matrices=False)[2] if len(joined) else np.eye(1, width, dtype=np.float32)
            )
        return cls(ranking, scales, spreads, np.ascontiguousarray(components[:_DIMENSIONS].T))

    def __call__(self, feature_table: FeaturesInRows) -> NDArray[np.float32]:
        """Return the points (tracks, dimensions) of some tracks.

        The point of a track does not depend on the tracks that are embedded together with it.
        """
        points = np.empty((len(feature_table), self.axes.shape[1]), np.float32)
        for first in range(0, len(feature_table), _ROWS_AT_ONCE):
            some = feature_table.rows(np.arange(first, min(first + _ROWS_AT_ONCE, len(feature_table))))
            joined = _joined(self.ranking, list(_vectors(self.ranking, self.scales, some)), self.spreads)
            points[first : first + len(some)] = projected(joined, self.axes)
        return points


def _vectors(
    ranking: Ranking, scales: NDArray[np.float64], feature_table: FeatureTable
) -> Iterator[NDArray[np.float32]]:
    for part in ranking.parts:
        if part in WARPED:
            segments = feature_table.segment_means.shape[1] // len(scales)
            units = np.tile(scales, segments) if WARPED[part].normalised else np.ones(segments * len(scales))
            yield (feature_table.segment_means / units).astype(np.float32)
        else:
            # For the part `gaussian` there are no such vectors. Distances in timbre are a good approximation.
            timbre = feature_table.low_timbre if part == LOW_TIMBRE else feature_table.timbre
            yield timbre.astype(np.float32)


def _joined(ranking: Ranking, vectors: list[NDArray[np.float32]], spreads: NDArray[np.float64]) -> NDArray[np.float32]:
    weights = ranking.weights
    if LOW_TIMBRE in ranking.parts:
        weights[[part == TIMBRE for part in ranking.parts]] *= _WHOLE_BAND
    factors = np.sqrt(weights) / spreads
    return np.hstack(
        [vector * np.float32(factor) for vector, factor in zip(vectors, factors, strict=True)], dtype=np.float32
    )
