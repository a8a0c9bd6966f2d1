"""Lower bounds of the weighted sum of independent DTW distances. They cost much less than the distances.

The bounded distance is ::

    D(a, b) = sum over k of w[k] DTW(a[:, k], b[:, k])        w[k] >= 0

where each coefficient takes its own best path. Every path inside the band passes through each frame `i` of `a` at least
once. The cost there is at least the distance of ``a[i, k]`` from the range of the values of `b` in the columns that the
band allows for `i` ::

    t[i, k] = max(a[i, k] - max(b[j, k]), min(b[j, k]) - a[i, k], 0)        over all j in the band of i

Costs are not negative, so ``DTW(a[:, k], b[:, k]) >= sum over i of t[i, k]``. This is LB_Keogh (Keogh and
Ratanamahatana, "Exact indexing of dynamic time warping", 2005). Here the envelope is taken over the slanted band of
this engine, whose columns differ from frame to frame. The bound holds for each coefficient whatever path another
coefficient takes, so the weighted sum of the bounds is a bound of the weighted sum of the distances ::

    D(a, b) >= sum over k of w[k] sum over i of t[i, k]

The same argument bounds the remaining cost: a path that has reached frame `i` passes through all later frames, which
costs at least ``sum of t[i + 1:, k]``. `mfcc_assets.similarity.dtw.kernels.bounded_distance` adds this to the cost so
far and can stop a comparison early.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.jit import compiled
from mfcc_assets.similarity.dtw.kernels import Curves, reach


@dataclass(frozen=True)
class LowerBound:
    """Lower bound of the DTW distances between a candidate and a query.

    Attributes
    ----------
    distances : (d,) float64
        Lower bound of each coefficient's distance.
    remaining : (m, d) float32
        Lower bound, for each frame of the candidate, of the cost that later frames add.
    """

    distances: NDArray[np.float64]
    remaining: NDArray[np.float32]


class Envelope:
    """Least and greatest values of a query in any range of frames. It is computed once and used for every candidate.

    Tables hold the values for ranges of 1, 2, 4, … frames. Any other range is the union of two of these, so the time
    for a frame of a candidate does not depend on the band.
    """

    def __init__(self, query: Curves) -> None:
        self._minima, self._maxima = _tables(query.values)

    def bound(self, candidate: Curves, *, band: float | None) -> LowerBound:
        """Return a lower bound of the DTW distances between the query and a candidate.

        Parameters
        ----------
        candidate
            Curves with m frames.
        band
            As in `mfcc_assets.similarity.dtw.kernels.dtw_distances`.

        Raises
        ------
        ValueError
            If the candidate and the query differ in coefficients, or if `band` is not in (0, 1].
        """
        values = candidate.values
        frames, coefficients = self._minima.shape[1:]
        if values.shape[1] != coefficients:
            raise ValueError(f"tracks of {values.shape[1]} and {coefficients} coefficients cannot be compared")
        sums, remaining = _bound(values, self._minima, self._maxima, reach(len(values), frames, band))
        # The distance itself is summed in float32, and each of its n + m additions may lose 2**-24 of it.
        return LowerBound(sums * (1 - (len(values) + frames + 3) * 2.0**-24), remaining)


@compiled
def _tables(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the least and greatest values (levels, n, d) in the ``2 ** level`` frames from each frame on."""
    n, d = values.shape
    levels = 1
    while 2**levels <= n:
        levels += 1
    minima = np.empty((levels, n, d), np.float32)
    maxima = np.empty((levels, n, d), np.float32)
    minima[0] = values
    maxima[0] = values
    for level in range(1, levels):
        half = 2 ** (level - 1)
        for i in range(n - 2 * half + 1):
            for k in range(d):
                minima[level, i, k] = min(minima[level - 1, i, k], minima[level - 1, i + half, k])
                maxima[level, i, k] = max(maxima[level - 1, i, k], maxima[level - 1, i + half, k])
    return minima, maxima


@compiled
def _bound(
    values: NDArray[np.float32], minima: NDArray[np.float32], maxima: NDArray[np.float32], reach: int
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    m, d = values.shape
    n = minima.shape[1]
    sums = np.zeros(d)
    remaining = np.empty((m, d), np.float32)
    for i in range(m - 1, -1, -1):
        first, last = 0, n - 1
        if m > 1:
            first = max(0, -((reach - i * (n - 1)) // (m - 1)))
            last = min(n - 1, (i * (n - 1) + reach) // (m - 1))
        level = 0
        while 2 ** (level + 1) <= last - first + 1:
            level += 1
        second = last + 1 - 2**level
        for k in range(d):
            remaining[i, k] = sums[k]
            below = min(minima[level, first, k], minima[level, second, k]) - values[i, k]
            above = values[i, k] - max(maxima[level, first, k], maxima[level, second, k])
            sums[k] += max(below, above, np.float32(0))
    return sums, remaining
