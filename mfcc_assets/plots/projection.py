"""The layout of a library's map: a point on a plane for every track, with similar tracks near to each other."""

import numpy as np
from numpy.typing import NDArray

_FEWEST_FOR_TSNE = 10
"""With fewer tracks, neighbourhoods mean nothing, and the plane of the two first principal components is shown."""

_COMPONENTS = 30
_PERPLEXITY = 30.0

_ITERATIONS = 350
"""With 500, the trustworthiness of a map of 469 tracks is the same (0.88). With 300, it is a little lower, because the
first 250 iterations exaggerate the distances."""

_LARGEST_EXACT = 500
"""Up to so many vectors, the forces between all pairs are computed. Beyond it, that would take more than seconds."""

_EXAGGERATION, _EXTENT_AT_FIRST = 12.0, 1e-2

_LEAST_EXTENT = 1e-9


def project(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Map vectors to points on a plane, so that neighbours stay neighbours.

    Parameters
    ----------
    vectors : (n, v)
        Vectors that are similar if their Euclidean distance is small.

    Returns
    -------
    (n, 2)
        The same points each time. A few hundred vectors mostly have the same points on another processor, too, which
        rounds in another way. The axes have no meaning, and neither have distances between groups of points.

    Raises
    ------
    ValueError
        If `vectors` is not 2-D or not finite.

    Notes
    -----
    t-SNE of the first principal components: van der Maaten and Hinton, "Visualizing Data using t-SNE", JMLR 9 (2008).
    The learning rate is that of Belkina et al., "Automated optimized parameters for t-distributed stochastic neighbor
    embedding improve visualization and analysis of large datasets", Nature Communications 10 (2019).
    Fewer than ten vectors are projected to their first two principal components.

    Examples
    --------
    >>> project(np.eye(3)).shape
    (3, 2)
    """
    if vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise ValueError(f"expected finite vectors of shape (n, v), not {vectors.shape}")
    if not len(vectors):
        return np.empty((0, 2))
    components = _principal_components(vectors.astype(np.float64))
    if len(vectors) < _FEWEST_FOR_TSNE:
        return components[:, :2]
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    count = len(vectors)
    # By default, t-SNE divides the initial points by their extent, which can be zero.
    begin = components[:, :2] / max(float(components[:, 0].std()), _LEAST_EXTENT) * _EXTENT_AT_FIRST
    # By default, the learning rate is at least 50. With few points, each step would then be too far, and where they end
    # would depend on how the processor rounds.
    is_small = count <= _LARGEST_EXACT
    tsne = TSNE(
        perplexity=min(_PERPLEXITY, (count - 1) / 3),
        init=begin,
        method="exact" if is_small else "barnes_hut",
        early_exaggeration=_EXAGGERATION,
        learning_rate=count / _EXAGGERATION / 4 if is_small else "auto",
        random_state=0,
        max_iter=_ITERATIONS,
    )
    # Its threads wait for each other every few microseconds. If the machine is busy, two are far slower than one.
    with threadpool_limits(1):
        points: NDArray[np.floating] = tsne.fit_transform(components)
    return points.astype(np.float64)


def place_between(distances: NDArray[np.floating], points: NDArray[np.number]) -> NDArray[np.float64]:
    """Place a vector on a map that was made without it: between its nearest neighbours there.

    Parameters
    ----------
    distances : (k,)
        Distances of the vector to its nearest neighbours, at least one.
    points : (k, 2)
        Positions of these neighbours on the map.

    Returns
    -------
    (2,)
        The mean position of the neighbours. Their weights fall with the fourth power of the distance: on a map of
        made-up groups, this kept more neighbours near than the second power or equal weights. A vector that equals some
        of the neighbours lies between those.

    Examples
    --------
    >>> place_between(np.array([1.0, 1.0, 9.0]), np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 99.0]])).round(1).tolist()
    [2.0, 0.0]
    >>> place_between(np.array([0.0, 1.0]), np.array([[3.0, 5.0], [7.0, 7.0]])).tolist()
    [3.0, 5.0]
    """
    nearest = distances.min()
    weights = (distances == 0).astype(np.float64) if nearest == 0 else (nearest / distances.astype(np.float64)) ** 4
    position: NDArray[np.float64] = weights @ points / weights.sum()
    return position


def loneliest(points: NDArray[np.floating], count: int = 40) -> list[int]:
    """Return the rows of the points (n, 2) that lie farthest from their nearest neighbour, the farthest first."""
    from scipy.spatial import KDTree

    if len(points) < 2:
        return list(range(len(points)))
    distances, _ = KDTree(points).query(points, k=2)
    farthest_first: list[int] = np.argsort(-distances[:, 1], kind="stable")[:count].tolist()
    return farthest_first


def _principal_components(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the coordinates along the first axes: at most `_COMPONENTS`, and at least two.

    The direction of an axis is arbitrary. Its largest coordinate is made positive, so that it is always the same.
    """
    rows, sizes, axes = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    kept = min(_COMPONENTS, len(sizes))
    signs = np.sign(axes[np.arange(kept), np.abs(axes[:kept]).argmax(axis=1)])
    components = np.zeros((len(vectors), max(2, kept)))
    components[:, :kept] = rows[:, :kept] * sizes[:kept] * signs
    return components
