"""The warping path of a DTW distance: which frame of one track is matched with which frame of the other."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mfcc_assets.jit import compiled
from mfcc_assets.similarity.dtw.kernels import checked, reach


def warping_path(a: ArrayLike, b: ArrayLike, *, band: float | None = None) -> NDArray[np.intp]:
    """Return the path of least cost between two curves. A diagonal step is preferred if costs are equal.

    The function holds whole matrices, 12 n m bytes. It is meant for contours, not for full cepstra.

    Parameters
    ----------
    a : (n,)
    b : (m,)
    band
        As in `mfcc_assets.similarity.dtw.kernels.dtw_distances`.

    Returns
    -------
    (k, 2)
        Pairs of a frame of `a` and a frame of `b`, from (0, 0) to (n - 1, m - 1).

    Raises
    ------
    ValueError
        If a curve is empty, not 1-D or not finite, or if `band` is not in (0, 1].

    Examples
    --------
    >>> warping_path([0, 1, 2], [0, 0, 1, 2]).tolist()
    [[0, 0], [0, 1], [1, 2], [2, 3]]
    """
    x, y = checked(a, ndim=1), checked(b, ndim=1)
    return cheapest_path(np.abs(x[:, np.newaxis] - y), band=band)


def cheapest_path(costs: ArrayLike, *, band: float | None = None) -> NDArray[np.intp]:
    """Return the path of least cost through a matrix. A diagonal step is preferred if costs are equal.

    Parameters
    ----------
    costs : (n, m)
        Cost of matching each frame of one track with each frame of the other.
    band
        As in `mfcc_assets.similarity.dtw.kernels.dtw_distances`.

    Returns
    -------
    (k, 2)
        Cells, from (0, 0) to (n - 1, m - 1).

    Raises
    ------
    ValueError
        If the matrix is empty, not 2-D or not finite, or if `band` is not in (0, 1].
    """
    matrix = checked(costs, ndim=2)
    n, m = matrix.shape
    return _path(_accumulated_cost(matrix, reach(n, m, band)))


@compiled
def _accumulated_cost(costs: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    n, m = costs.shape
    cost = np.full((n, m), np.float32(np.inf), np.float32)
    for i in range(n):
        for j in range(m):
            if abs(i * (m - 1) - j * (n - 1)) > reach:
                continue
            least = np.float32(0 if i == j == 0 else np.inf)
            if i > 0 and j > 0:
                least = min(least, cost[i - 1, j - 1])
            if i > 0:
                least = min(least, cost[i - 1, j])
            if j > 0:
                least = min(least, cost[i, j - 1])
            cost[i, j] = least + costs[i, j]
    return cost


@compiled
def _path(cost: NDArray[np.float32]) -> NDArray[np.intp]:
    n, m = cost.shape
    path = np.empty((n + m - 1, 2), np.intp)
    start = n + m - 2
    i, j = n - 1, m - 1
    path[start] = i, j
    while i > 0 or j > 0:
        if j == 0:
            i -= 1
        elif i == 0:
            j -= 1
        elif cost[i - 1, j - 1] <= min(cost[i - 1, j], cost[i, j - 1]):
            i, j = i - 1, j - 1
        elif cost[i - 1, j] <= cost[i, j - 1]:
            i -= 1
        else:
            j -= 1
        start -= 1
        path[start, 0], path[start, 1] = i, j
    return path[start:]
