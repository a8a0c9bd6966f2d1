"""The low band of a track, which every usual coding of it keeps, and the treble above, which codings change.

Codings with loss leave out high frequencies. So two codings of the same music differ above some frequency, and are
alike below. The low band ends at 9.8 kHz: MP3 at 22.05 kHz or at 64 kbit/s keeps it.
"""

from functools import cache

import numpy as np
import scipy  # loads its submodules when they are first used, which keeps imports short
from numpy.typing import NDArray

from mfcc_assets.features.filters import filters_below, filters_of_cepstra
from mfcc_assets.features.mel import lifter_weights
from mfcc_assets.features.parameters import CepstraParameters

LOW_BAND = 9_800.0
"""Frequency in Hz at which the low band ends."""

_FRAMES_AT_ONCE = 10_000

_MIDDLE = (0.4, 0.9)
"""Filters of the low band with which the treble is compared, as shares of their number. They are those from 1.5 to
6.4 kHz by default."""


def low_filters(parameters: CepstraParameters) -> int:
    """Return the number of filters in the low band.

    Examples
    --------
    >>> low_filters(CepstraParameters())
    20
    """
    return max(1, filters_below(LOW_BAND, parameters))


def low_coefficients(parameters: CepstraParameters) -> int:
    """Return the number of cepstra of the low band that cepstra of the whole band determine.

    Fewer cosines fit into a part of the filters than into all. Others would be hardly more than noise.

    Examples
    --------
    >>> low_coefficients(CepstraParameters())
    10
    """
    return max(1, parameters.coefficients * low_filters(parameters) // parameters.filters)


def low_band_cepstra(
    cepstra: NDArray[np.float32], parameters: CepstraParameters, coefficients: int | None = None
) -> NDArray[np.float32]:
    """Describe the low band alone by cepstra.

    Parameters
    ----------
    cepstra : (frames, d) float32
        Liftered cepstra of the whole band, with the logarithm of the energy in the first column.
    parameters
        Parameters of these cepstra.
    coefficients
        Number of coefficients of the result. By default `low_coefficients`.

    Returns
    -------
    (frames, coefficients) float32
        Liftered cepstra of the filters of the low band, with the logarithm of their energy in the first column.

    Raises
    ------
    ValueError
        If the cepstra do not fit the parameters.

    Notes
    -----
    The cosine transform is inverted, which gives the logarithms of the energies of all filters, and the filters of the
    low band are transformed again. If coefficients were dropped, the filters are smooth curves through the true ones.

    Examples
    --------
    >>> cepstra = np.random.default_rng(0).normal(size=(100, 13)).astype(np.float32)
    >>> low_band_cepstra(cepstra, CepstraParameters()).shape
    (100, 10)
    """
    if cepstra.ndim != 2 or cepstra.shape[1] != parameters.coefficients:
        raise ValueError(f"cepstra are frames x {parameters.coefficients}, not {cepstra.shape}")
    kept = low_coefficients(parameters) if coefficients is None else coefficients
    filters, shapes = filters_of_cepstra(parameters).astype(np.float32), _shapes_of_cepstra(parameters, kept)
    low = low_filters(parameters)
    found = np.empty((len(cepstra), kept), np.float32)
    # A few frames at a time, because the filters of hours of frames need much memory.
    for start in range(0, len(cepstra), _FRAMES_AT_ONCE):
        frames = cepstra[start : start + _FRAMES_AT_ONCE]
        energies = np.exp((levels := frames @ filters) - levels.max(axis=1, keepdims=True))
        block = found[start : start + _FRAMES_AT_ONCE]
        np.matmul(frames, shapes, out=block)
        # All filters together have the energy of the frame.
        block[:, 0] = frames[:, 0] + np.log(np.maximum(energies[:, :low].sum(axis=1) / energies.sum(axis=1), 1e-30))
    return found


def treble(mean: NDArray[np.floating], parameters: CepstraParameters) -> float:
    """Return how loud a track is above the low band.

    Parameters
    ----------
    mean : (d,)
        Mean of the track's cepstra.
    parameters
        Parameters of these cepstra.

    Returns
    -------
    float
        Mean log energy of the filters above the low band, minus that of filters within it. It is 0 if the cepstra have
        no filter above the low band.

    Examples
    --------
    >>> treble(np.zeros(13), CepstraParameters())
    0.0
    """
    low = low_filters(parameters)
    levels = mean @ filters_of_cepstra(parameters)
    above = levels[low + 1 :]  # the filter before them overlaps the low band
    begin, end = (int(share * low) for share in _MIDDLE)
    return float(above.mean() - levels[begin : max(end, begin + 1)].mean()) if len(above) else 0.0


@cache
def _shapes_of_cepstra(parameters: CepstraParameters, coefficients: int) -> NDArray[np.float32]:
    """Return the matrix (d, coefficients) that turns cepstra into those of the low band. The first column is 0."""
    cosines = scipy.fft.dct(filters_of_cepstra(parameters)[:, : low_filters(parameters)], axis=1, norm="ortho")
    shapes = np.zeros((parameters.coefficients, coefficients), np.float32)
    kept = min(coefficients, cosines.shape[1])
    shapes[:, 1:kept] = cosines[:, 1:kept] * lifter_weights(coefficients, parameters.lifter)[1:kept]
    return shapes
