"""Distance of two tracks by the course of their coefficients: the sum of their dynamic time warping distances."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.jit import compiled
from mfcc_assets.similarity.dtw.anti_diagonals import all_distances
from mfcc_assets.similarity.dtw.kernels import checked, reach

Frames: TypeAlias = NDArray[np.floating]
"""A contour or full cepstra, of shape (n, d)."""

BAND = 0.1
"""Largest distance in time of two frames that `DTW` matches, as a share of the longer track."""

SMALLEST_SCALE = 1e-3
"""Cepstra of music have scales of 1 to 20. A coefficient with a smaller scale than this one is constant in the whole
library, and a division by less would let faint noise decide every comparison."""


@dataclass(frozen=True)
class WarpedDistance:
    """A distance of tracks: a weighted sum of the DTW distances of all coefficients. Each is warped independently.

    Attributes
    ----------
    band
        As in `mfcc_assets.similarity.dtw.kernels.dtw_distances`.
    normalised
        If True, the distance of each coefficient is divided by the scale of the coefficient and by the number of frames
        of both tracks, which is the normalisation for length of Sakoe and Chiba (1978). All coefficients have the same
        weight, and the length of the tracks has no influence. If False, the distance is the plain sum. It grows with
        the length, and COE_2 has the largest influence because it varies most.
    """

    band: float | None
    normalised: bool

    def weights(self, scales: NDArray[np.floating], frames: int | NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the weight of each coefficient's DTW distance.

        Parameters
        ----------
        scales : (d,)
            Standard deviation of each coefficient over the library; see `pooled_scales`.
        frames
            Number of frames of both tracks together, or an array (pairs, 1) of them for many pairs.

        Returns
        -------
        (d,) or (pairs, d)

        Raises
        ------
        ValueError
            If a scale is not a positive, finite number.
        """
        if not (np.isfinite(scales) & (scales > 0)).all():
            raise ValueError(f"expected positive, finite scales, got {scales}")
        # DTW is proportional to its input. So dividing the distance by the scale is the same as dividing the
        # coefficient.
        return 1 / (scales * frames) if self.normalised else np.ones_like(scales * frames)

    def distances(self, query: Frames, others: RaggedFrames, scales: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the distances of one track to many.

        Parameters
        ----------
        query : (n, d)
            Frames of the track.
        others
            Frames of the other tracks, with `d` coefficients.
        scales : (d,)
            As in `weights`.

        Returns
        -------
        (tracks,)

        Raises
        ------
        ValueError
            If the query is empty, not 2-D or not finite, or as in `weights`. It is not checked here that the frames of
            `others` are finite.
        """
        frames = others.lengths[:, np.newaxis] + len(query)
        distances, _ = distances_to_all(checked(query, ndim=2), others, self.band)
        summed: NDArray[np.float64] = (self.weights(scales, frames) * distances).sum(axis=1)
        return summed


def distances_to_all(
    query: NDArray[np.float32], others: RaggedFrames, band: float | None
) -> tuple[NDArray[np.float64], int]:
    """Return the DTW distances of each coefficient of one track to many tracks, without weights.

    Parameters
    ----------
    query : (n, d) float32
        Frames of the track: finite, and at least one.
    others
        Frames of the other tracks, with `d` coefficients.
    band
        As in `mfcc_assets.similarity.dtw.kernels.dtw_distances`.

    Returns
    -------
    distances : (tracks, d)
    cells : int
        Number of matrix cells that were computed, counted for every coefficient.
    """
    lengths, rows = np.unique(others.lengths, return_inverse=True)
    reaches = np.array([reach(length, len(query), band) for length in lengths.tolist()], np.int64)[rows]
    return _distances_to_all(query, others.frames, others.starts, reaches)


@compiled
def _distances_to_all(
    query: NDArray[np.float32], frames: NDArray[np.float32], starts: NDArray[np.int64], reaches: NDArray[np.int64]
) -> tuple[NDArray[np.float64], int]:
    """Return the DTW distances (tracks, d) and the number of computed cells.

    One call compares all tracks. With a call for each of many short tracks, Python's overhead would take half of the
    time.
    """
    d = query.shape[1]
    distances = np.empty((len(reaches), d))
    cells = 0
    for track in range(len(reaches)):
        other = frames[starts[track] : starts[track + 1]]
        found, computed = all_distances(other, query, reaches[track], np.zeros(d), np.inf, np.zeros_like(other))
        distances[track] = found
        cells += computed
    return distances, cells


ARTICLE = WarpedDistance(band=None, normalised=False)
"""The article's distance, computed exactly."""

DTW = WarpedDistance(BAND, normalised=True)
"""The distance of the ranking `dtw`, and of the second part of the ranking `fused`."""


def pooled_scales(means: Frames, variances: Frames) -> NDArray[np.float64]:
    """Return the standard deviation of each coefficient over the library. All tracks have the same weight.

    Parameters
    ----------
    means : (tracks, d)
        Mean of each track's frames.
    variances : (tracks, d)
        Variance of each track's frames: the mean squared deviation.

    Returns
    -------
    (d,)
        At least `SMALLEST_SCALE`.

    Raises
    ------
    ValueError
        If there is no track, if the shapes differ, if a number is not finite, or if a variance is negative.

    Notes
    -----
    Draw a track T, all with equal probability, and then one of its frames X. By the law of total variance ::

        Var(X) = E[Var(X | T)] + Var(E[X | T])

    This is the mean of the tracks' variances plus the variance of their means. So the frames are not needed again, and
    a long track has no more weight than a short one.

    Examples
    --------
    >>> pooled_scales(means=[[1.0], [3.0]], variances=[[8.0], [8.0]]).tolist()
    [3.0]
    """
    means, variances = np.asarray(means, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if means.ndim != 2 or means.shape != variances.shape or means.size == 0:
        raise ValueError(f"expected means and variances of the same tracks, got {means.shape} and {variances.shape}")
    if not (np.isfinite(means) & np.isfinite(variances) & (variances >= 0)).all():
        raise ValueError("expected finite means and finite variances of at least 0")
    scales: NDArray[np.float64] = np.sqrt(variances.mean(axis=0) + means.var(axis=0))
    return np.maximum(scales, SMALLEST_SCALE)
