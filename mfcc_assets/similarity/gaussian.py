"""How far two Gaussians are apart: a track's timbre is the mean and covariance of its cepstra."""

import numpy as np
from numpy.typing import NDArray

_SMALLEST_VARIANCE = 1e-6
"""Added to every variance: a coefficient that stands still in a track has no determinant. Music's variances are above
0.1."""


def jensen_shannon(
    mean: NDArray[np.floating],
    covariance: NDArray[np.floating],
    means: NDArray[np.floating],
    covariances: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Root of the Jensen-Shannon divergence of a Gaussian from others, a metric but for its mixture's approximation.

    Parameters
    ----------
    mean : (d,)
    covariance : (d, d)
    means : (tracks, d)
    covariances : (tracks, d, d)

    Returns
    -------
    (tracks,)
        0 to the same Gaussian.

    Raises
    ------
    ValueError
        The shapes do not agree.

    Notes
    -----
    The mixture of two Gaussians is taken for the Gaussian of its mean and covariance (Schnitzer, Flexer, Widmer and
    Gasser, "Islands of Gaussians", ISMIR 2010, eq. 4), whose entropy is half the logarithm of its determinant but for
    a constant: the divergence is that entropy less the mean of those of the two.
    """
    d = len(mean)
    if covariance.shape != (d, d) or means.shape != (len(means), d) or covariances.shape != (len(means), d, d):
        raise ValueError(f"Gaussians of {d} numbers are not {covariance.shape}, {means.shape}, {covariances.shape}")
    offsets = (means - mean) / 2
    mixed = (covariances + covariance) / 2 + offsets[:, :, np.newaxis] * offsets[:, np.newaxis]
    entropies = (_log_determinants(covariances) + _log_determinants(covariance[np.newaxis])) / 2
    divergences = (_log_determinants(mixed) - entropies) / 2
    distances: NDArray[np.float64] = np.sqrt(np.maximum(divergences, 0))
    return distances


def _log_determinants(covariances: NDArray[np.floating]) -> NDArray[np.float64]:
    smallest = _SMALLEST_VARIANCE * np.eye(covariances.shape[1])
    logarithms: NDArray[np.float64] = np.linalg.slogdet(covariances.astype(np.float64) + smallest)[1]
    return logarithms
