"""Distance of two Gaussians. The Gaussian of a track has the mean and the covariance of its cepstra."""

import numpy as np
from numpy.typing import NDArray

_SMALLEST_VARIANCE = 1e-6
"""It is added to every variance, because a covariance with a constant coefficient has the determinant 0. The variances
of music are above 0.1."""


def jensen_shannon(
    mean: NDArray[np.floating],
    covariance: NDArray[np.floating],
    means: NDArray[np.floating],
    covariances: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Return the square root of the Jensen-Shannon divergence between one Gaussian and many others, or of many pairs.

    Parameters
    ----------
    mean : (d,) or (tracks, d)
        Mean of the first Gaussian, or of the first one of each pair.
    covariance : (d, d) or (tracks, d, d)
        Covariance of the first Gaussian, or of the first one of each pair.
    means : (tracks, d)
        Means of the others.
    covariances : (tracks, d, d)
        Covariances of the others.

    Returns
    -------
    (tracks,)
        The distance is 0 to an equal Gaussian.

    Raises
    ------
    ValueError
        If the shapes do not agree.

    Notes
    -----
    The mixture of two Gaussians is approximated by the Gaussian with the same mean and covariance (Schnitzer, Flexer,
    Widmer and Gasser, "Islands of Gaussians", ISMIR 2010, eq. 4). Except for a constant, the entropy of a Gaussian is
    half the logarithm of the determinant of its covariance. The divergence is the entropy of the mixture minus the mean
    of the entropies of both Gaussians. Without the approximation its square root would be a metric.

    Examples
    --------
    >>> mean, covariance = np.zeros(2), np.eye(2)
    >>> others = np.array([[0.0, 0.0], [4.0, 0.0]])
    >>> jensen_shannon(mean, covariance, others, np.array([covariance, covariance])).round(3).tolist()
    [0.0, 0.897]
    """
    d = mean.shape[-1]
    if (
        covariance.shape != (*mean.shape, d)
        or means.shape != (len(means), d)
        or covariances.shape != (len(means), d, d)
    ):
        shapes = f"{covariance.shape}, {means.shape} and {covariances.shape}"
        raise ValueError(f"expected Gaussians of {d} dimensions, got shapes {shapes}")
    offsets = (means - mean) / 2
    mixed = (covariances + covariance) / 2 + offsets[:, :, np.newaxis] * offsets[:, np.newaxis]
    entropies = (_log_determinants(covariances) + _log_determinants(covariance)) / 2
    divergences = (_log_determinants(mixed) - entropies) / 2
    distances: NDArray[np.float64] = np.sqrt(np.maximum(divergences, 0))
    return distances


def _log_determinants(covariances: NDArray[np.floating]) -> NDArray[np.float64]:
    smallest = _SMALLEST_VARIANCE * np.eye(covariances.shape[-1])
    logarithms: NDArray[np.float64] = np.linalg.slogdet(covariances.astype(np.float64) + smallest)[1]
    return logarithms
