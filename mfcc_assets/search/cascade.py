"""The nearest tracks of a library by dynamic time warping, at a twentieth of the work of comparing with them all.

A query passes through four stages, each of which looks closer and hands on fewer tracks: the vector index
(`vector_index`), outlines at an eighth of the contour's rate, contours at a quarter of it, and the contours themselves.
Dynamic time warping at a quarter of the rate computes a sixteenth of the cells.

The stages order tracks by an estimate, and give up those whose estimate is well above the distance of the last wanted
place. So a track that belongs there may be lost; the margins were chosen by how often that happens. The distances that
come out are exact. `Query.distance_within` gives up by a lower bound alone, and so proves of every other track that it
does not belong there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, inf, sqrt

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.similarity.dtw.distance import Frames, WarpedDistance, distances_to_all
from mfcc_assets.similarity.dtw.kernels import Curves, bounded_distance
from mfcc_assets.similarity.dtw.lower_bound import Envelope
from mfcc_assets.similarity.hubness import Correction
from mfcc_assets.similarity.rankings import RankedTrack, rank

COARSE_FACTOR = 8
"""Frames of a contour that one frame of its outline stands for."""

_QUARTER = 4
_STILL_COARSER = 4

_MOST_COMPARED = 300
"""Tracks that are compared by their contours for up to ten places. Among 469 tracks 40 are within the margin of five
places, of a million some 1,600: their contours alone took 0.7 s to read, and 2 s for some queries. Where tracks are
compared by timbre as well, a dozen are within it."""

_SEGMENTS = 8

_STEPS = 8
"""The coefficients are compared in so many steps. After each, less of a distance is estimated and more tracks are given
up; with more steps, less would fill the processor's vectors."""

_ERRORS = (1.07, 1.01, 1.08, 0.99, 0.96, 0.83, 0.88, 0.74, 0.82, 0.79, 0.95, 0.86, 1.11)
"""Standard deviation of each coefficient's estimate from its share in the distance, in percent of the distance. What is
estimated worst is compared first: 0.2 % of the nearest tracks more than in the order of the coefficients, from 0.1 % of
the cells less."""


@dataclass(frozen=True)
class _Model:
    """A linear model of a distance, fitted by least squares to near pairs of the development corpus.

    Attributes
    ----------
    finer, coarser
        Weights of the distances at the stage's resolution and at a quarter of it. Averaging takes from a distance what
        is rough in the tracks; what more of it takes tells what it took before, hence the negative weight.
    segments
        Weight of the mean difference of the means of equal segments.
    roughness
        Weight of the candidate's mean change from frame to frame, which no warping avoids.
    margin
        Tracks whose estimate is above the last wanted place's by more than this share are given up.
    """

    finer: float
    coarser: float
    segments: float
    roughness: float
    margin: float


_OF_COARSE_CONTOURS = _Model(finer=0.578, coarser=-0.176, segments=0.179, roughness=0.109, margin=0.20)
_OF_QUARTERS = _Model(finer=0.88, coarser=-0.204, segments=0.076, roughness=0.078, margin=0.113)


def candidates_to_fetch(tracks: int, count: int) -> int:
    """How many tracks the vector index hands on, of a library of so many, where the nearest `count` are wanted.

    Of the true five nearest by distances that are not corrected, 99.8 % were among the first 32, 48, 93 and 141 by
    their embeddings in samples of 58, 117, 234 and 469 tracks of real music. So it grows a little faster than the root
    of the library. Corrected ones ask for more: of the five nearest of 469, 97.4 % are among the first 150 by `fused`,
    and 92.8 % by `dtw`; among the first 300, which are handed on where ten are wanted, 99.2 % and 98.0 %.
    """
    # An empty library, too, is asked for a track at least.
    return max(count, ceil(150 * float((tracks / 469) ** 0.55) * max(1.0, count / 5)))


def prune(estimates: NDArray[np.float64], count: int, correction: Correction | None = None) -> NDArray[np.intp]:
    """Rows of these estimates by `Query.coarse_distances` that are handed on, nearest first.

    Parameters
    ----------
    correction
        Of the candidates, in the order of the estimates; None to go by the distances themselves.
    """
    most = ceil(_MOST_COMPARED * max(1.0, count / 10))
    return _nearest_rows(estimates, count, _OF_COARSE_CONTOURS.margin, correction)[:most]


class Query:
    """A track that is compared with many others.

    Parameters
    ----------
    contour : (n, d)
    warped
        The distance that is searched by.
    scales : (d,)
        Each coefficient's standard deviation over the library.

    Attributes
    ----------
    cells
        Cells of DTW matrices computed so far, those of every coefficient and every resolution counted. Threads that
        share a query may miss some.

    Raises
    ------
    ValueError
        The contour is empty or not finite, or there are not `d` positive, finite scales.
    """

    def __init__(self, contour: Frames, warped: WarpedDistance, scales: NDArray[np.floating]) -> None:
        self._warped, self._scales = warped, scales
        self._curves = Curves(contour)
        self._contour = RaggedFrames.of([self._curves.values], len(scales))
        warped.weights(scales, len(self._curves.values))  # refuses scales now rather than in the middle of a search
        self.cells = 0

    def coarse_distances(self, coarse_contours: RaggedFrames, roughness: NDArray[np.float32]) -> NDArray[np.float64]:
        """Estimate of the distance to tracks of which little is known.

        Parameters
        ----------
        outlines
            Contours made `coarser` by `COARSE_FACTOR`.
        roughness : (tracks, d)
            `changes` of the contours.

        Returns
        -------
        (tracks,)
        """
        estimates = self._estimates(
            _OF_COARSE_CONTOURS, coarse_contours, COARSE_FACTOR, COARSE_FACTOR * coarse_contours.lengths, roughness
        )
        total: NDArray[np.float64] = estimates.sum(axis=1)
        return total

    def nearest(
        self, audio_ids: Sequence[str], contours: RaggedFrames, count: int, correction: Correction | None = None
    ) -> list[RankedTrack]:
        """The nearest of some tracks, best first: no more than `count`.

        Parameters
        ----------
        audio_ids
            Of the tracks, in the order of `contours`.
        correction
            Of the tracks, in the same order: they are ranked by their corrected distances. None to go by the distances
            themselves.
        """
        if not len(contours):
            return []
        shares = self._estimates(
            _OF_QUARTERS, contours.coarser(_QUARTER), _QUARTER, contours.lengths, contours.changes()
        )
        left = np.arange(len(contours))
        variances = np.square(np.resize(_ERRORS, len(self._scales)))
        worst_first = np.argsort(-variances, kind="stable")
        estimated = total = variances.sum()
        for step in np.array_split(worst_first, min(_STEPS, len(worst_first))):
            # The errors of what is still estimated add up as those of independent terms do.
            margin = _OF_QUARTERS.margin * sqrt(estimated / total)
            of_left = correction.rows(left) if correction else None
            left = left[_nearest_rows(shares[left].sum(axis=1), count, margin, of_left)]
            shares[np.ix_(left, step)] = self._shares(contours.rows(left), step)
            estimated -= variances[step].sum()
        distances = shares[left].sum(axis=1)
        if correction:
            distances = correction.rows(left)(distances)
        return rank(zip((audio_ids[row] for row in left.tolist()), distances.tolist(), strict=True))[:count]

    def distance_within(self, contour: Frames, limit: float) -> float:
        """Distance to a track, infinite where it exceeds `limit`: the smaller that is, the sooner it is known.

        Raises
        ------
        ValueError
            The contour is empty, not finite, or has other coefficients than the query.
        """
        candidate, band = Curves(contour), self._warped.band
        weights = self._warped.weights(self._scales, self._contour.frames.shape[0] + len(contour))
        bound = self._envelope.bound(candidate, band=band)
        if weights @ bound.distances > limit:
            return inf
        remaining = bound.remaining if limit < inf else None
        distance, cells = bounded_distance(candidate, self._curves, weights, limit, band=band, remaining=remaining)
        self.cells += cells
        return distance if distance <= limit else inf

    @cached_property
    def _envelope(self) -> Envelope:
        return Envelope(self._curves)

    @cached_property
    def _segments(self) -> NDArray[np.float32]:
        return self._contour.segments(_SEGMENTS)

    def _estimates(
        self,
        model: _Model,
        others: RaggedFrames,
        factor: int,
        lengths: NDArray[np.int64],
        roughness: NDArray[np.float32],
    ) -> NDArray[np.float64]:
        """Estimate of every coefficient's share (tracks, d) of the distance to tracks of these `lengths`."""
        if not len(others):
            return np.empty((0, len(self._scales)))
        query = self._contour.coarser(factor)
        per_frame = (
            model.finer * self._distances_per_frame(query, others)
            + model.coarser * self._distances_per_frame(query.coarser(_STILL_COARSER), others.coarser(_STILL_COARSER))
            + model.segments * np.abs(others.segments(_SEGMENTS) - self._segments).mean(axis=1)
            + model.roughness * roughness
        )
        frames = lengths[:, np.newaxis] + len(self._contour.frames)
        estimates: NDArray[np.float64] = frames * self._warped.weights(self._scales, frames) * per_frame
        return estimates

    def _shares(self, contours: RaggedFrames, coefficients: NDArray[np.intp]) -> NDArray[np.float64]:
        """Shares (tracks, some) of some coefficients in the distance, exactly."""
        frames = contours.lengths[:, np.newaxis] + len(self._contour.frames)
        weights = self._warped.weights(self._scales, frames)[:, coefficients]
        shares: NDArray[np.float64] = weights * self._distances(
            self._contour.columns(coefficients), contours.columns(coefficients)
        )
        return shares

    def _distances_per_frame(self, query: RaggedFrames, others: RaggedFrames) -> NDArray[np.float64]:
        per_frame: NDArray[np.float64] = self._distances(query, others) / (
            others.lengths[:, np.newaxis] + len(query.frames)
        )
        return per_frame

    def _distances(self, query: RaggedFrames, others: RaggedFrames) -> NDArray[np.float64]:
        """DTW distances (tracks, d) of every coefficient."""
        distances, cells = distances_to_all(query.frames, others, self._warped.band)
        self.cells += cells
        return distances


def _nearest_rows(
    estimates: NDArray[np.float64], count: int, margin: float, correction: Correction | None
) -> NDArray[np.intp]:
    """Rows that could be nearer than the last place, were they overestimated by a margin; nearest first."""
    # Of tracks that are but a little delayed an estimate can fall below nothing. A distance cannot.
    estimates = np.maximum(0.0, estimates)
    least = estimates / (1 + margin)
    if correction:
        estimates, least = correction(estimates), correction(least)
    order = np.argsort(estimates, kind="stable")
    if len(order) <= count:
        return order
    kept: NDArray[np.intp] = order[least[order] <= estimates[order[count - 1]]]
    return kept
