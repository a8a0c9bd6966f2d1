"""What the vector index searches: a point for each track, near to which lie the tracks that a ranking puts first."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.similarity.rankings import WARPED, Ranking

_DIMENSIONS = 32
"""Principal components that are kept. Of the five nearest by `fused` 98 % are among the first 100 of 469 tracks by 32
components, 96 % by 64, 87 % by all: the lesser ones are rather noise."""

_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Embedding:
    """From summaries to points whose Euclidean distance follows a ranking.

    What all parts of the ranking compare, each divided by how far it spreads over the reference sample and multiplied
    by the root of its weight, lie side by side, and are projected on their principal components.

    Attributes
    ----------
    ranking
    scales : (d,)
        Deviation of each coefficient over the library.
    spreads : (parts,)
        Root of the mean squared distance of a part's vectors from their mean.
    axes : (width, dimensions) float32
        Unit vectors.
    """

    ranking: Ranking
    scales: NDArray[np.float64]
    spreads: NDArray[np.float64]
    axes: NDArray[np.float32]

    @classmethod
    def of(cls, ranking: Ranking, scales: NDArray[np.float64], reference: FeatureTable) -> Self:
        """The embedding fitted to a sample of the library."""
        # An empty library, too, has an index: of points on one axis.
        sample = max(1, len(reference))
        centred = [vectors - vectors.sum(axis=0) / sample for vectors in _vectors(ranking, scales, reference)]
        spreads = np.array([np.sqrt(np.square(vectors).sum() / sample) or 1.0 for vectors in centred])
        joined = _joined(ranking, centred, spreads)
        width = joined.shape[1]
        if not ranking.summary_parts:
            return cls(ranking, scales, spreads, np.eye(width, dtype=np.float32))
        components = (
            np.linalg.svd(joined, full_matrices=False)[2] if len(joined) else np.eye(1, width, dtype=np.float32)
        )
        return cls(ranking, scales, spreads, np.ascontiguousarray(components[:_DIMENSIONS].T))

    def __call__(self, feature_table: FeatureTable) -> NDArray[np.float32]:
        """Points (tracks, dimensions) of some tracks."""
        points = np.empty((len(feature_table), self.axes.shape[1]), np.float32)
        for first in range(0, len(feature_table), _ROWS_AT_ONCE):
            some = feature_table.rows(np.arange(first, min(first + _ROWS_AT_ONCE, len(feature_table))))
            vectors = _vectors(self.ranking, self.scales, some)
            points[first : first + len(some)] = _joined(self.ranking, list(vectors), self.spreads) @ self.axes
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
            # Where the cepstra's Gaussians are compared by their divergence, this is near to it.
            yield feature_table.timbre.astype(np.float32)


def _joined(ranking: Ranking, vectors: list[NDArray[np.float32]], spreads: NDArray[np.float64]) -> NDArray[np.float32]:
    factors = np.sqrt(ranking.weights) / spreads
    return np.hstack(
        [vector * np.float32(factor) for vector, factor in zip(vectors, factors, strict=True)], dtype=np.float32
    )
