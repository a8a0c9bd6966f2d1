"""Products of vectors and a matrix that are the same on every machine.

A library of linear algebra adds in an order that depends on the number of rows, of processor cores and on the kind of
processor. The version of an index is a digest of such numbers. Two machines that build an index of the same library
must get the same version, and a track must get the same row whichever other tracks came with it.
"""

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.jit import compiled


def projected(rows: NDArray[np.float32], axes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the product of rows and axes, each number of it added in the order of the width.

    Parameters
    ----------
    rows : (n, width) float32
    axes : (width, dimensions) float32

    Returns
    -------
    (n, dimensions) float32

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> projected(np.array([[1, 2]], np.float32), np.array([[1, 0, 1], [0, 1, 1]], np.float32)).tolist()
    [[1.0, 2.0, 3.0]]
    """
    if rows.ndim != 2 or axes.ndim != 2 or rows.shape[1] != axes.shape[0]:
        raise ValueError(f"rows of shape {rows.shape} have no product with axes of shape {axes.shape}")
    points = np.zeros((len(rows), axes.shape[1]), np.float32)
    _add_products(np.ascontiguousarray(rows, np.float32), np.ascontiguousarray(axes, np.float32), points)
    return points


@compiled
def _add_products(rows: NDArray[np.float32], axes: NDArray[np.float32], points: NDArray[np.float32]) -> None:
    for row in range(rows.shape[0]):
        for place in range(rows.shape[1]):
            factor = rows[row, place]
            for axis in range(axes.shape[1]):
                points[row, axis] += factor * axes[place, axis]
