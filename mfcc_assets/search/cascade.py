"""The search for the nearest tracks by dynamic time warping, without comparing the query with every track.

A search has four stages. Each stage compares more closely than the stage before, and keeps fewer tracks: the vector
index (`mfcc_assets.search.vector_index`), coarse contours at an eighth of the contour's rate, contours at a quarter of
the rate, and the contours themselves. Dynamic time warping at a quarter of the rate computes a sixteenth of the cells.

The stages order the tracks by an estimate of the distance. They drop a track if its estimate is well above the estimate
of the last wanted track. So a stage may lose a track that belongs to the nearest; the margins were chosen by how often
this happens. The resulting distances are exact. `ContourQuery.distance_within` drops a track only by a lower bound. It
loses no track, and so it can prove a result.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, inf, sqrt
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.ids import AudioId
from mfcc_assets.search.pruning import corrected_within_margin, nearest_within_margin
from mfcc_assets.similarity.dtw.distance import Frames, WarpedDistance, distances_to_all
from mfcc_assets.similarity.dtw.kernels import Curves, bounded_distance
from mfcc_assets.similarity.dtw.lower_bound import Envelope
from mfcc_assets.similarity.hubness import Correction
from mfcc_assets.similarity.rankings import RankedTrack, rank

COARSE_FACTOR = 8
"""Number of frames of a contour that are averaged to one frame of its coarse contour."""

_QUARTER = 4
_COARSER_AGAIN = 4

_ALL_COMPARED = 2
"""Number of candidates, for each wanted track, up to which all are compared exactly. Estimates would exclude few of
them, and take longer than that saves."""

_SEGMENTS = 8

_STEPS = 8
"""Number of steps in which the coefficients are compared. After each step a smaller part of the distance is estimated,
and more tracks are dropped. With more steps, each would have too few coefficients to fill the processor's vectors."""

_ERRORS = (1.07, 1.01, 1.08, 0.99, 0.96, 0.83, 0.88, 0.74, 0.82, 0.79)
"""Standard deviation of the error of each coefficient's estimate, in percent of the distance, as measured on the first
ten of 13 coefficients of the whole band. They set only the order of the comparison and the margin that is left after
each step. The coefficients with the largest errors are compared first. Compared with the order of the coefficients,
this finds 0.2 % more of the nearest tracks with 0.1 % fewer cells."""


@dataclass(frozen=True)
class EstimateModel:
    """A linear model of the exact distance, fitted by least squares to near pairs of the development corpus.

    Attributes
    ----------
    finer, coarser
        Weights of the distances at the stage's resolution and at a quarter of it. Averaging makes distances smaller.
        The difference between both resolutions shows how much, hence the negative weight.
    segments
        Weight of the mean difference of the means of equal segments.
    roughness
        Weight of the candidate's mean change from frame to frame, which warping cannot remove.
    margin
        A track is dropped if its estimate is above the estimate of the last wanted track by more than this share.
    """

    finer: float
    coarser: float
    segments: float
    roughness: float
    margin: float


COARSE_MODEL = EstimateModel(finer=0.578, coarser=-0.176, segments=0.179, roughness=0.109, margin=0.20)
QUARTER_MODEL = EstimateModel(finer=0.88, coarser=-0.204, segments=0.076, roughness=0.078, margin=0.113)


def candidates_to_fetch(tracks: int, count: int) -> int:
    """Return how many tracks the vector index has to find if the nearest `count` of a library are wanted.

    The formula comes from samples of 58, 117, 234 and 469 tracks of real music. By uncorrected distances of timbre, the
    number of tracks that holds 99.8 % of the true five nearest grew a little faster than the square root of the
    library. By the ranking `fused`, 99.1 % of the five nearest of 469 tracks and 98.8 % of the ten nearest are among
    the first 240 tracks by embedding; 99.2 % and 99.1 % if half of the tracks are encoded again.

    Examples
    --------
    >>> candidates_to_fetch(tracks=469, count=5), candidates_to_fetch(tracks=1_000_000, count=5)
    (240, 16258)
    """
    # At least one track, also in an empty library.
    return max(count, ceil(240 * float((tracks / 469) ** 0.55) * max(1.0, count / 10)))


def compares_all(candidates: int, count: int) -> bool:
    """Return whether `ContourQuery.nearest` compares so many candidates exactly, and so loses none of the nearest.

    Examples
    --------
    >>> compares_all(candidates=12, count=10), compares_all(candidates=100, count=10)
    (True, False)
    """
    return candidates <= _ALL_COMPARED * count


class CoarseQuery:
    """A track that is compared with many others by its coarse contour.

    It is compared by nothing that an index does not hold. So no contour is read to find candidates, and the estimate
    for a pair is the same, to the last bit, whichever of the two tracks came last into the library.

    Parameters
    ----------
    coarse_contour
        Coarse contour of the track, as the only one, as an index holds it.
    roughness : (d,)
        Mean change of its contour from frame to frame.
    warped, scales
        As for `ContourQuery`.

    Attributes
    ----------
    frames
        Number of frames of the contour, as far as the coarse contour tells it.
    cells
        Number of cells of DTW matrices that were computed so far; see `ContourQuery.cells`.
    """

    def __init__(
        self,
        coarse_contour: RaggedFrames,
        roughness: NDArray[np.floating],
        warped: WarpedDistance,
        scales: NDArray[np.floating],
    ) -> None:
        self._contour, self._roughness, self._warped, self._scales = coarse_contour, roughness, warped, scales
        self.frames = COARSE_FACTOR * len(coarse_contour.frames)
        self._segments = coarse_contour.segment_means(_SEGMENTS)
        self.cells = 0

    @classmethod
    def of_contour(cls, contour: RaggedFrames, warped: WarpedDistance, scales: NDArray[np.floating]) -> Self:
        """Make the query of a contour, which is the only track. It is rounded as an index rounds it."""
        coarse = contour.coarser(COARSE_FACTOR)
        rounded = RaggedFrames(coarse.frames.astype(np.float16).astype(np.float32), coarse.starts)
        return cls(rounded, contour.roughness()[0], warped, scales)

    def distances_to(self, others: RaggedFrames, roughness: NDArray[np.float32]) -> NDArray[np.float64]:
        """Estimate the distances (tracks,) from this track to candidates with these coarse contours and roughness.

        An estimate can be negative, unlike a distance.
        """
        return self._distances(others, roughness)

    def distances_from(self, others: RaggedFrames) -> NDArray[np.float64]:
        """Estimate the distances (tracks,) from tracks with these coarse contours to this track, as their candidate."""
        return self._distances(others, np.broadcast_to(self._roughness, (len(others), len(self._scales))))

    def _distances(self, others: RaggedFrames, roughness: NDArray[np.floating]) -> NDArray[np.float64]:
        if not len(others):
            return np.empty(0)
        apart = np.abs(others.segment_means(_SEGMENTS) - self._segments)
        per_frame, cells = estimates_per_frame(COARSE_MODEL, self._contour, others, apart, self._warped.band)
        self.cells += cells
        frames = COARSE_FACTOR * (others.lengths[:, np.newaxis] + len(self._contour.frames))
        weights = frames * self._warped.weights(self._scales, frames)
        total: NDArray[np.float64] = (weights * (per_frame + COARSE_MODEL.roughness * roughness)).sum(axis=1)
        return total


def estimates_per_frame(
    model: EstimateModel,
    query: RaggedFrames,
    others: RaggedFrames,
    segments_apart: NDArray[np.float32],
    band: float | None,
) -> tuple[NDArray[np.float64], int]:
    """Estimate the distances (tracks, d) of the only track of `query` for each frame, without roughness.

    The result is the same if the query and one of the others change their places. The second result is the number of
    computed cells.
    """
    finer, cells = _distances_per_frame(query, others, band)
    coarser, more_cells = _distances_per_frame(query.coarser(_COARSER_AGAIN), others.coarser(_COARSER_AGAIN), band)
    estimates: NDArray[np.float64] = (
        model.finer * finer + model.coarser * coarser + model.segments * segments_apart.mean(axis=1)
    )
    return estimates, cells + more_cells


def _distances_per_frame(
    query: RaggedFrames, others: RaggedFrames, band: float | None
) -> tuple[NDArray[np.float64], int]:
    distances, cells = distances_to_all(query.frames, others, band)
    per_frame: NDArray[np.float64] = distances / (others.lengths[:, np.newaxis] + len(query.frames))
    return per_frame, cells


class ContourQuery:
    """A track that is compared with many others by its contour.

    Parameters
    ----------
    contour : (n, d)
        Contour of the track.
    warped
        Distance of contours.
    scales : (d,)
        Standard deviation of each coefficient over the library.

    Raises
    ------
    ValueError
        If the contour is empty or not finite, or if there are not `d` positive, finite scales.
    """

    def __init__(self, contour: Frames, warped: WarpedDistance, scales: NDArray[np.floating]) -> None:
        self._warped, self._scales = warped, scales
        self._curves = Curves(contour)
        self._contour = RaggedFrames.of([self._curves.values], len(scales))
        warped.weights(scales, len(self._curves.values))  # raises an error now if the scales are not valid
        self._cells = 0

    @property
    def cells(self) -> int:
        """Number of cells of DTW matrices that were computed so far, counted for every coefficient and resolution.

        It measures the work of a search. If threads share a query, some cells may not be counted.
        """
        return self._cells + self.coarse.cells

    @cached_property
    def coarse(self) -> CoarseQuery:
        """The track by its coarse contour."""
        return CoarseQuery.of_contour(self._contour, self._warped, self._scales)

    def nearest(
        self, audio_ids: Sequence[AudioId], contours: RaggedFrames, count: int, correction: Correction | None = None
    ) -> list[RankedTrack]:
        """Return the nearest `count` tracks with their exact distances, nearest first.

        Parameters
        ----------
        audio_ids
            Audio ids of the tracks, in the order of `contours`.
        contours
            Contours of the tracks.
        count
            Largest number of tracks to return.
        correction
            Correction of the tracks, in the same order, to rank them by corrected distances; None to rank them by the
            distances without correction.
        """
        if not len(contours):
            return []
        left = np.arange(len(contours))
        if compares_all(len(contours), count):
            shares = self._shares(contours, np.arange(len(self._scales)))
        else:
            left, shares = self._left_of_many(contours, count, correction)
        distances = shares[left].sum(axis=1)
        if correction:
            distances = correction.rows(left)(distances)
        return rank(zip((audio_ids[row] for row in left.tolist()), distances.tolist(), strict=True))[:count]

    def _left_of_many(
        self, contours: RaggedFrames, count: int, correction: Correction | None
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the rows of the nearest `count` and of some others, and the exact shares (tracks, d) of these rows."""
        left, shares = np.arange(len(contours)), self._estimates(contours)
        variances = np.square(np.resize(_ERRORS, len(self._scales)))
        worst_first = np.argsort(-variances, kind="stable")
        estimated = total = variances.sum()
        for step in np.array_split(worst_first, min(_STEPS, len(worst_first))):
            # The errors of the coefficients that are still estimated add up as those of independent terms do.
            margin = QUARTER_MODEL.margin * sqrt(estimated / total)
            left_correction = correction.rows(left) if correction else None
            left = left[_rows_within_margin(shares[left].sum(axis=1), count, margin, left_correction)]
            shares[np.ix_(left, step)] = self._shares(contours.rows(left), step)
            estimated -= variances[step].sum()
        return left, shares

    def distance_within(self, contour: Frames, limit: float) -> float:
        """Return the exact distance to a track, or infinity if it exceeds a limit. A smaller limit takes less time.

        Parameters
        ----------
        contour : (m, d)
            Contour of the track.
        limit
            Largest distance of interest.

        Raises
        ------
        ValueError
            If the contour is empty or not finite, or if it and the query differ in coefficients.
        """
        candidate, band = Curves(contour), self._warped.band
        weights = self._warped.weights(self._scales, self._contour.frames.shape[0] + len(contour))
        bound = self._envelope.bound(candidate, band=band)
        if weights @ bound.distances > limit:
            return inf
        remaining = bound.remaining if limit < inf else None
        distance, cells = bounded_distance(candidate, self._curves, weights, limit, band=band, remaining=remaining)
        self._cells += cells
        return distance if distance <= limit else inf

    @cached_property
    def _envelope(self) -> Envelope:
        return Envelope(self._curves)

    def _estimates(self, others: RaggedFrames) -> NDArray[np.float64]:
        """Estimate the share (tracks, d) of every coefficient in the distances to tracks."""
        per_frame, cells = estimates_per_frame(
            QUARTER_MODEL,
            self._contour.coarser(_QUARTER),
            others.coarser(_QUARTER),
            np.abs(others.segment_means(_SEGMENTS) - self._contour.segment_means(_SEGMENTS)),
            self._warped.band,
        )
        self._cells += cells
        frames = others.lengths[:, np.newaxis] + len(self._contour.frames)
        weights = frames * self._warped.weights(self._scales, frames)
        estimates: NDArray[np.float64] = weights * (per_frame + QUARTER_MODEL.roughness * others.roughness())
        return estimates

    def _shares(self, contours: RaggedFrames, coefficients: NDArray[np.intp]) -> NDArray[np.float64]:
        """Compute the exact shares (tracks, coefficients) of some coefficients in the distances."""
        frames = contours.lengths[:, np.newaxis] + len(self._contour.frames)
        weights = self._warped.weights(self._scales, frames)[:, coefficients]
        shares: NDArray[np.float64] = weights * self._distances(
            self._contour.columns(coefficients), contours.columns(coefficients)
        )
        return shares

    def _distances(self, query: RaggedFrames, others: RaggedFrames) -> NDArray[np.float64]:
        """Compute the DTW distances (tracks, d) of every coefficient, and count the cells."""
        distances, cells = distances_to_all(query.frames, others, self._warped.band)
        self._cells += cells
        return distances


def _rows_within_margin(
    estimates: NDArray[np.float64],
    count: int,
    margin: float,
    correction: Correction | None,
) -> NDArray[np.intp]:
    """Return the rows of the nearest `count` and of those that are farther by no more than a margin, nearest first."""
    return nearest_within_margin(*corrected_within_margin(estimates, margin, correction), count)
