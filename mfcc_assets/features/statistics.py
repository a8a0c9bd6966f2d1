"""Sums and means over many frames. Gaussians, contours and segment means are made from them."""

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.jit import compiled_reordered


def second_moments(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the sum of x x' over all points x.

    Parameters
    ----------
    points : (d, points) float32 or float64
        Points as columns. The sums are computed in the precision of the points, so that float32 is accurate only for a
        few thousand points.

    Returns
    -------
    (d, d) float64
        A symmetric matrix.

    Notes
    -----
    This is ``points @ points.T`` without OpenBLAS, whose threads keep waiting for more work without sleeping, and so
    take CPU time from the decoders that run at the same time.

    Examples
    --------
    >>> second_moments(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[ 5., 11.],
           [11., 25.]])
    """
    moments = np.zeros((len(points), len(points)))
    _add_products(np.ascontiguousarray(points), moments)
    return moments


@compiled_reordered
def _add_products(points: NDArray[np.floating], moments: NDArray[np.float64]) -> None:
    for i in range(len(points)):
        for j in range(i + 1):
            row, other = points[i], points[j]
            total = points.dtype.type(0)
            for k in range(len(row)):
                total += row[k] * other[k]
            moments[i, j] = moments[j, i] = total


def segment_means(cepstra: NDArray[np.float32], segments: int) -> NDArray[np.float32]:
    """Cut a track into segments of equal length and average each of them.

    Parameters
    ----------
    cepstra : (frames, d) float
        At least one frame.
    segments
        Number of segments. Their lengths differ by at most one frame. If there are fewer frames than segments, one
        frame fills several segments.

    Returns
    -------
    (segments, d) float32
        The mean of each segment, in order.

    Raises
    ------
    ValueError
        If there is no frame, or `segments` is not positive.

    Examples
    --------
    >>> segment_means(np.array([[1.0], [3.0], [5.0], [9.0]], np.float32), 2)
    array([[2.],
           [7.]], dtype=float32)
    """
    frames = len(cepstra)
    if cepstra.ndim != 2 or not frames:
        raise ValueError(f"cepstra are frames x coefficients with at least one frame, not {cepstra.shape}")
    if segments < 1:
        raise ValueError(f"cepstra have at least one segment, not {segments}")
    edges = np.arange(segments + 1) * frames // segments
    # An empty segment takes the frame at its start.
    bounds = zip(edges[:-1], np.maximum(edges[1:], edges[:-1] + 1), strict=True)
    # One segment at a time, because np.add.reduceat would convert the whole track to float64 first.
    means = [cepstra[start:end].mean(axis=0, dtype=np.float64) for start, end in bounds]
    return np.array(means, dtype=np.float32)
