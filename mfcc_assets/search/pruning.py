"""Which candidates of a query are worth a closer comparison, by estimates of their distances."""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.similarity.hubness import Correction

_MOST_COMPARED = 300
"""Largest number of tracks that are compared by their contours if up to ten are wanted. For five wanted tracks by the
ranking `dtw`, 40 of 469 tracks are within the margin, and about 1,600 of a million, whose contours would take too long
to read. If timbre is also compared, about a dozen are within the margin."""


def prune(corrected: NDArray[np.float64], lowered: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Return the rows of the candidates that are worth comparing by their contours, nearest first.

    Parameters
    ----------
    corrected, lowered : (candidates,)
        Results of `corrected_within_margin`, from `CoarseQuery.distances_to` and the margin of `COARSE_MODEL`.
    count
        Number of wanted tracks.
    """
    return nearest_within_margin(corrected, lowered, count)[: most_compared(count)]


def most_compared(count: int) -> int:
    """Return the largest number of candidates of a query that wants `count` tracks."""
    return ceil(_MOST_COMPARED * max(1.0, count / 10))


def corrected_within_margin(
    estimates: NDArray[np.float64],
    margin: float,
    correction: Correction | None = None,
    least_corrected: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corrected distances (tracks,) of estimates, and those of the estimates lowered by a margin.

    Parameters
    ----------
    estimates : (tracks,)
        Estimates of distances.
    margin
        Share by which an estimate may be too large.
    correction
        Correction of the tracks; None to use the distances without correction.
    least_corrected : (tracks,), optional
        Numbers below which no corrected distance is expected. Smaller results are raised to them.
    """
    # An estimate can be negative, for example if two tracks differ only by a short delay. A distance cannot.
    estimates = np.maximum(0.0, estimates)
    lowered = estimates / (1 + margin)
    if correction:
        estimates, lowered = correction(estimates), correction(lowered)
    if least_corrected is not None:
        estimates, lowered = np.maximum(estimates, least_corrected), np.maximum(lowered, least_corrected)
    return estimates, lowered


def nearest_within_margin(corrected: NDArray[np.float64], lowered: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Return the rows of the nearest `count` and of those whose lowered distance is no larger, nearest first."""
    order = np.argsort(corrected, kind="stable")
    if len(order) <= count:
        return order
    kept: NDArray[np.intp] = order[lowered[order] <= corrected[order[count - 1]]]
    return kept
