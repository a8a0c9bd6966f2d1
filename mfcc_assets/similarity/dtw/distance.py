"""Distance of two tracks by how they move: dynamic time warping of each coefficient, summed."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.jit import compiled
from mfcc_assets.similarity.dtw.kernels import all_distances, checked, reach

Frames: TypeAlias = NDArray[np.floating]
"""(n, d): a contour, or full cepstra."""

BAND = 0.1
"""How far apart in time `DTW` may match, as a share of the longer track."""

SMALLEST_SCALE = 1e-3
"""Music's cepstra have scales of 1 to 20. Below this one a coefficient stands still in the whole library, and dividing
by less would let the faintest noise in it decide every comparison."""


@dataclass(frozen=True)
class WarpedDistance:
    """A distance of tracks: a weighted sum of the DTW distances of all coefficients, each warped on its own.

    Attributes
    ----------
    band
        As in `mfcc_assets.similarity.dtw.kernels.dtw_distances`.
    normalised
        Whether every coefficient weighs the same and length none: distances are in units of the coefficient's scale,
        and divided by the frames of both tracks, as Sakoe and Chiba (1978) normalise for length. Otherwise it is the
        raw sum, which grows with length, and in which COE_2, which varies most, weighs most.
    """

    band: float | None
    normalised: bool

    def weights(self, scales: NDArray[np.floating], frames: int | NDArray[np.integer]) -> NDArray[np.float64]:
        """Weight of each coefficient's DTW distance.

        Parameters
        ----------
        scales : (d,)
            Each coefficient's standard deviation over the library; see `pooled_scales`.
        frames
            Of both tracks together: a number, or (pairs, 1) for the weights of many pairs.

        Returns
        -------
        (d,) or (pairs, d)

        Raises
        ------
        ValueError
            The scales are not positive, finite numbers.
        """
        if not (np.isfinite(scales) & (scales > 0)).all():
            raise ValueError(f"expected positive, finite scales, got {scales}")
        # DTW is proportional to its input: scaling distances is scaling coefficients.
        return 1 / (scales * frames) if self.normalised else np.ones_like(scales * frames)

    def distances(self, query: Frames, others: RaggedFrames, scales: NDArray[np.floating]) -> NDArray[np.float64]:
        """Distances of one track to many.

        Parameters
        ----------
        query : (n, d)
        others
            Tracks of `d` coefficients.
        scales : (d,)

        Returns
        -------
        (tracks,)

        Raises
        ------
        ValueError
            As `dtw_distances` and `weights` do.
        """
        frames = others.lengths[:, np.newaxis] + len(query)
        distances, _ = distances_to_all(checked(query, ndim=2), others, self.band)
        summed: NDArray[np.float64] = (self.weights(scales, frames) * distances).sum(axis=1)
        return summed


def distances_to_all(
    query: NDArray[np.float32], others: RaggedFrames, band: float | None
) -> tuple[NDArray[np.float64], int]:
    """DTW distances of every coefficient of one track to many tracks, none of them weighted.

    Parameters
    ----------
    query : (n, d) float32
        Finite, of at least one frame.
    others
        Tracks of `d` coefficients.
    band
        As in `mfcc_assets.similarity.dtw.kernels.dtw_distances`.

    Returns
    -------
    distances : (tracks, d)
    cells : int
        Number of matrix cells that were computed.
    """
    lengths, rows = np.unique(others.lengths, return_inverse=True)
    reaches = np.array([reach(length, len(query), band) for length in lengths.tolist()], np.int64)[rows]
    return _distances_to_all(query, others.frames, others.starts, reaches)


@compiled
def _distances_to_all(
    query: NDArray[np.float32], frames: NDArray[np.float32], starts: NDArray[np.int64], reaches: NDArray[np.int64]
) -> tuple[NDArray[np.float64], int]:
    """DTW distances (tracks, d) to stacked tracks, and the cells that took.

    In one call: of a hundred small comparisons, one by one, half of the time would be Python's.
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
"""The distance that the engine ranks by."""


def pooled_scales(means: Frames, variances: Frames) -> NDArray[np.float64]:
    """Standard deviation of each coefficient over the library, every track weighing the same.

    Parameters
    ----------
    means : (tracks, d)
    variances : (tracks, d)
        Of each track's frames, divided by their number.

    Returns
    -------
    (d,)
        At least `SMALLEST_SCALE`.

    Raises
    ------
    ValueError
        If there is no track, the shapes differ, a number is not finite or a variance is negative.

    Notes
    -----
    Draw a track T with equal chances, then one of its frames X. By the law of total variance ::

        Var(X) = E[Var(X | T)] + Var(E[X | T])

    the mean of the tracks' variances plus the variance of their means: no frame is needed again, and a long track
    counts no more than a short one.
    """
    means, variances = np.asarray(means, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if means.ndim != 2 or means.shape != variances.shape or means.size == 0:
        raise ValueError(f"expected means and variances of the same tracks, got {means.shape} and {variances.shape}")
    if not (np.isfinite(means) & np.isfinite(variances) & (variances >= 0)).all():
        raise ValueError("expected finite means and finite variances of at least 0")
    scales: NDArray[np.float64] = np.sqrt(variances.mean(axis=0) + means.var(axis=0))
    return np.maximum(scales, SMALLEST_SCALE)
