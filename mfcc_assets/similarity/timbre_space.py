"""A library's own space of timbre, in which near tracks sound alike.

Vectors of timbre differ in what tells tracks apart, and in what varies from one track to the next of the same kind.
The second is measured on the library itself, without labels: pairs of tracks that are among each other's nearest stand
for tracks of one kind. Directions in which such pairs differ much count less. That is relevant component analysis
(Bar-Hillel, Hertz, Shental and Weinshall, "Learning a Mahalanobis metric from equivalence constraints", JMLR 6, 2005),
as within-class covariance normalisation is in speaker recognition, with neighbours in the place of known groups.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.timbre import PARTS, WIDTH
from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.similarity.hubness import DistanceStatistics, all_corrected

SAMPLE_SIZE = 2_000
"""Tracks that the space of a library is fitted to at most, in 4 s. The sparser a sample, the less are neighbours of one
kind."""

_WEIGHTS: Mapping[str, float] = MappingProxyType({"cepstra": 0.5, "texture": 1.0, "movement": 0.75})
"""Of the mean squared distance by each part of the vectors."""

_COMPONENTS = 256
"""Principal components that are kept. With 128 other performances of a piece on the same piano are found less surely
(average precision 0.97 instead of 1.00)."""

_WHITENED, _TRACKS_A_COMPONENT = 96, 4
"""Components within which directions are weighted, and tracks of the sample that each of them takes at least."""

_REST = 0.2
"""Weight of the lesser components, as a share of the largest that a direction gets. They tell pieces apart."""

_NEIGHBOURS = 6
"""Tracks are of one kind if each is among so many nearest of the other."""

_SHRINKAGE = 0.3
"""Share of the covariance that is replaced by one alike in all directions: some 400 pairs do not tell it surely."""

_ROUNDS = 3
"""From the second on, pairs are those of the space that the round before has made."""

_NOTHING = 1e-6
"""Share of the largest component's variance below which one is rounding."""


@dataclass(frozen=True)
class TimbreSpace:
    """From vectors of timbre to points whose Euclidean distances tell how unlike tracks sound.

    Attributes
    ----------
    centre : (width,) float32
    axes : (width, dimensions) float32
    """

    centre: NDArray[np.float32]
    axes: NDArray[np.float32]

    @classmethod
    def of(cls, timbre: NDArray[np.floating]) -> Self:
        """The space fitted to a sample (tracks, width) of a library."""
        sample = timbre.astype(np.float32)
        # A library of one track, or none, has a space, too: of one axis.
        centre = (sample.sum(axis=0) / max(1, len(sample))).astype(np.float32)
        scales = _scales(sample - centre)
        scaled = (sample - centre) * scales
        components = _principal_components(scaled)
        points = (scaled @ components.T).astype(np.float64)
        weighting = np.eye(len(components))
        for _ in range(_ROUNDS):
            weighting = _weighting(points, _mutual_neighbours(points @ weighting))
        return cls(centre, (scales[:, np.newaxis] * (components.T @ weighting)).astype(np.float32))

    def __call__(self, timbre: NDArray[np.floating]) -> NDArray[np.float32]:
        """Points (tracks, dimensions) of some vectors (tracks, width)."""
        return ((timbre - self.centre) @ self.axes).astype(np.float32)


def table_in_space(feature_table: FeatureTable, space: TimbreSpace) -> FeatureTable:
    """The same tracks, with their timbre mapped into a space."""
    return replace(feature_table, timbre=space(feature_table.timbre))


def _scales(centred: NDArray[np.float32]) -> NDArray[np.float32]:
    """Factor (width,) of each number, such that parts spread as their weights say."""
    scales = np.ones(WIDTH, np.float32)
    for part, weight in _WEIGHTS.items():
        spread = np.square(centred[:, PARTS[part]]).sum() / max(1, len(centred))
        scales[PARTS[part]] = np.sqrt(weight / spread) if spread > 0 else 0
    return scales


def _principal_components(centred: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vectors (components, width), by the products of all tracks: there are fewer of them than numbers."""
    values, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    kept = np.flatnonzero(values > _NOTHING * values.max(initial=0))[: -_COMPONENTS - 1 : -1]
    if not len(kept):
        return np.eye(1, WIDTH, dtype=np.float32)
    components: NDArray[np.float64] = (vectors[:, kept] / np.sqrt(values[kept])).T @ centred
    return components.astype(np.float32)


def _mutual_neighbours(points: NDArray[np.float64]) -> tuple[NDArray[np.intp], ...]:
    """Rows of both tracks of each pair that are among each other's nearest, corrected for hubs."""
    squares = np.square(points).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, np.newaxis] + squares - 2 * points @ points.T, 0))
    by_one_part, weights = apart[:, :, np.newaxis], np.ones(1)
    distances = all_corrected(by_one_part, DistanceStatistics.of_reference(by_one_part, weights), weights)
    nearest = np.zeros(distances.shape, bool)
    np.put_along_axis(nearest, distances.argsort(axis=1, kind="stable")[:, :_NEIGHBOURS], True, axis=1)
    return np.nonzero(np.triu(nearest & nearest.T, k=1))


def _weighting(points: NDArray[np.float64], pairs: tuple[NDArray[np.intp], ...]) -> NDArray[np.float64]:
    """Matrix (components, components) that makes points (tracks, components) differ alike in all directions."""
    components = points.shape[1]
    whitened = min(_WHITENED, len(points) // _TRACKS_A_COMPONENT, components)
    apart = (points[pairs[0]] - points[pairs[1]])[:, :whitened]
    covariance = apart.T @ apart
    total = np.trace(covariance)
    if not total > 0:
        return np.eye(components)
    shrunk = (1 - _SHRINKAGE) * covariance / total + _SHRINKAGE / whitened * np.eye(whitened)
    values, vectors = np.linalg.eigh(shrunk)
    weighting: NDArray[np.float64] = np.sqrt(_REST * whitened / _SHRINKAGE) * np.eye(components)
    weighting[:whitened, :whitened] = vectors / np.sqrt(values) @ vectors.T
    return weighting
