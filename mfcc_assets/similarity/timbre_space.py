"""The timbre space of a library, in which near points are tracks that sound alike.

Vectors of timbre differ for two reasons: the tracks are of different kinds, or they vary within one kind. The variation
within a kind is measured on the library itself, without labels: two tracks that are among the nearest neighbours of
each other are taken for tracks of one kind. Directions in which such pairs differ much get a small weight. This is
relevant component analysis (Bar-Hillel, Hertz, Shental and Weinshall, "Learning a Mahalanobis metric from equivalence
constraints", JMLR 6, 2005) with neighbours instead of known groups. Speaker recognition uses the same idea under the
name of within-class covariance normalisation.

A track has two points: one for the whole band, and one for the low band alone. See `mfcc_assets.features.low_band`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from mfcc_assets.features.timbre import GROUPS
from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.similarity.hubness import DistanceStatistics, all_corrected
from mfcc_assets.similarity.projection import projected

SAMPLE_SIZE = 2_000
"""Largest number of tracks that a space is fitted to. In a sparser sample, neighbours are more often of different
kinds."""

_WHOLE_BAND: Mapping[str, float] = MappingProxyType({"cepstra": 0.5, "texture": 1.0, "movement": 0.75})
_LOW_BAND: Mapping[str, float] = MappingProxyType({"movement": 0.75, "low_cepstra": 0.5, "low_texture": 1.0})
"""Groups of numbers that follow each other in a vector, and the share of each in the mean squared distance. Movement is
measured below 10 kHz, so it belongs to both bands."""

_COMPONENTS = 256
"""Number of principal components that are kept. With 128 the search finds other performances of a piece on the same
piano less reliably (average precision 0.97 instead of 1.00)."""

_WHITENED, _TRACKS_PER_COMPONENT = 96, 4
"""Largest number of components that are weighted by direction, and least number of sample tracks for each of them."""

_REST = 0.2
"""Weight of the minor components, as a share of the largest weight of a direction. They distinguish pieces."""

_REMAINDER = 256
"""Number of random directions that stand for everything outside of the components, if the sample is so small that its
components hold each of its tracks completely. They hold only a part of a track that came later, such as an upload, and
without the other directions it would lie too near to everything."""

_NEIGHBOURS = 6
"""Two tracks are taken for tracks of one kind if each is among this number of nearest neighbours of the other."""

_SHRINKAGE = 0.3
"""Share of the covariance that is replaced by a multiple of the identity, because about 400 pairs give no exact
covariance."""

_ROUNDS = 3
"""Number of times that pairs are chosen. From the second time on, they are neighbours in the space of the round
before."""

_NEGLIGIBLE = 1e-6
"""A component with a smaller share than this of the largest component's variance is a rounding error."""


@dataclass(frozen=True)
class BandSpace:
    """A linear map from vectors of timbre to points. The Euclidean distance of two points is the distance in timbre.

    Attributes
    ----------
    centre : (width,) float32
        Mean vector of the sample.
    axes : (width, dimensions) float32
        Matrix of the map.
    """

    centre: NDArray[np.float32]
    axes: NDArray[np.float32]

    @classmethod
    def of(cls, vectors: NDArray[np.floating], band: Mapping[str, float]) -> Self:
        """Fit the space to a sample (tracks, width) of a library; `band` has the groups of numbers and their shares."""
        sample = vectors.astype(np.float32)
        # A library of one track or none gets a space with one axis.
        centre = (sample.sum(axis=0) / max(1, len(sample))).astype(np.float32)
        scales = _scales(band, sample - centre)
        scaled = (sample - centre) * scales
        components = _principal_components(scaled)
        points = (scaled @ components.T).astype(np.float64)
        weighting = np.eye(len(components))
        for _ in range(_ROUNDS):
            weighting = _weighting(points, _mutual_neighbours(points @ weighting))
        axes = components.T @ weighting
        if len(components) < _COMPONENTS:
            axes = np.hstack([axes, weighting[-1, -1] * _directions_beyond(components)])
        return cls(centre, (scales[:, np.newaxis] * axes).astype(np.float32))

    def __call__(self, vectors: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the points (tracks, dimensions) of vectors (tracks, width).

        The point of a track does not depend on the tracks that are mapped together with it.
        """
        return projected((vectors - self.centre).astype(np.float32), self.axes)


@dataclass(frozen=True)
class TimbreSpace:
    """The two spaces of a library's timbre.

    Attributes
    ----------
    whole
        Space of the whole band.
    low
        Space of the low band.
    """

    whole: BandSpace
    low: BandSpace

    @classmethod
    def of(cls, timbre: NDArray[np.floating]) -> Self:
        """Fit both spaces to a sample of a library, given its vectors (tracks, width) by `timbre_vector`."""
        bands = (_WHOLE_BAND, _LOW_BAND)
        # Threads of the matrix library spin while they wait for each other, on busy cores for many times as long.
        with threadpool_limits(1, user_api="blas"):
            return cls(*(BandSpace.of(timbre[:, _columns(band)], band) for band in bands))

    def table(self, feature_table: FeatureTable) -> FeatureTable:
        """Return the same tracks with points in these spaces instead of vectors of timbre."""
        vectors = feature_table.timbre
        whole, low = self.whole(vectors[:, _columns(_WHOLE_BAND)]), self.low(vectors[:, _columns(_LOW_BAND)])
        return replace(feature_table, timbre=whole, low_timbre=low)


def _columns(band: Mapping[str, float]) -> slice:
    """Return the columns of a vector that describe a band."""
    groups = [GROUPS[group] for group in band]
    return slice(groups[0].start, groups[-1].stop)


def _scales(band: Mapping[str, float], centred: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return factors (width,) of the vector elements that give every group its weight in the mean squared distance."""
    scales, first = np.ones(centred.shape[1], np.float32), _columns(band).start
    for group, weight in band.items():
        columns = slice(GROUPS[group].start - first, GROUPS[group].stop - first)
        spread = np.square(centred[:, columns]).sum() / max(1, len(centred))
        scales[columns] = np.sqrt(weight / spread) if spread > 0 else 0
    return scales


def _principal_components(centred: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return unit vectors (components, width).

    They come from the Gram matrix, because there are often fewer tracks than vector elements.
    """
    values, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    kept = np.flatnonzero(values > _NEGLIGIBLE * values.max(initial=0))[: -_COMPONENTS - 1 : -1]
    if not len(kept):
        return np.eye(1, centred.shape[1], dtype=np.float32)
    components: NDArray[np.float64] = (vectors[:, kept] / np.sqrt(values[kept])).T @ centred
    return components.astype(np.float32)


def _directions_beyond(components: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return random directions (width, 256) that are orthogonal to the components and to each other.

    They are so long that distances along them are about those in all of the remaining space (Johnson and Lindenstrauss,
    "Extensions of Lipschitz mappings into a Hilbert space", Contemporary Mathematics 26, 1984).
    """
    count, width = components.shape
    random = np.random.default_rng(0).standard_normal((width, _REMAINDER))
    directions, _ = np.linalg.qr(random - components.T.astype(np.float64) @ (components @ random))
    longer: NDArray[np.float64] = directions * np.sqrt((width - count) / _REMAINDER)
    return longer


def _mutual_neighbours(points: NDArray[np.float64]) -> tuple[NDArray[np.intp], ...]:
    """Return the rows of both tracks of each pair of mutual nearest neighbours, by distances corrected for hubs."""
    squares = np.square(points).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, np.newaxis] + squares - 2 * points @ points.T, 0))
    by_one_part = apart[:, :, np.newaxis]
    weights = np.ones(by_one_part.shape)
    distances = all_corrected(by_one_part, DistanceStatistics.of_reference(by_one_part, weights), weights)
    nearest = np.zeros(distances.shape, bool)
    np.put_along_axis(nearest, distances.argsort(axis=1, kind="stable")[:, :_NEIGHBOURS], True, axis=1)
    return np.nonzero(np.triu(nearest & nearest.T, k=1))


def _weighting(points: NDArray[np.float64], pairs: tuple[NDArray[np.intp], ...]) -> NDArray[np.float64]:
    """Return a matrix (components, components) that whitens the differences of the pairs in the main components."""
    components = points.shape[1]
    whitened = min(_WHITENED, len(points) // _TRACKS_PER_COMPONENT, components)
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
