"""A track's timbre as a vector: the nearer two vectors, the more alike the tracks sound.

Three clouds of points describe a track: its frames, its seconds, and windows of 2.56 s and how they are modulated. Of
each cloud mean and covariance are kept, a Gaussian, as a vector. The order of seconds and windows is not kept.

Constants are those of the development corpus, rounded; the features are scaled by them to deviations about 1. With
centres and scales fitted number by number, precision at five is the same there.
"""

from collections.abc import Iterator, Mapping
from itertools import accumulate, pairwise
from types import MappingProxyType

import numpy as np
import scipy  # its FFT, 0.25 s of imports, comes when it is first used
from numpy.typing import NDArray

from mfcc_assets.core.parameters import CepstraParameters

COEFFICIENTS = 20
"""With the usual 13, 43 % of the five nearest tracks of the development corpus share the artist; with 20, 46 %."""

_BANDS, _FILTERS_OF_BAND = 5, 4
"""The bands end at 10 kHz: what lies above is what re-encoding changes."""

_MODULATIONS = np.array([1, 2, 4, 7, 13, 26, 52])
"""Where octaves of modulation begin and end, in bins of 0.39 Hz: from 0.39 to 20 Hz."""


def _numbers(dimensions: int) -> int:
    """How many numbers a Gaussian of so many dimensions becomes."""
    return (dimensions + 1) * (dimensions + 2) // 2


_ENDS = list(
    accumulate(
        [_numbers(2 * COEFFICIENTS), _numbers(3 * COEFFICIENTS), _numbers(_BANDS * len(_MODULATIONS))], initial=0
    )
)

PARTS: Mapping[str, slice] = MappingProxyType(
    {
        name: slice(start, end)
        for name, (start, end) in zip(("cepstra", "texture", "movement"), pairwise(_ENDS), strict=True)
    }
)
"""Where each part lies in the vector."""

WIDTH = _ENDS[-1]

_PARAMETERS = CepstraParameters()
_LIFTING = 1 + _PARAMETERS.lifter / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / _PARAMETERS.lifter)

_CENTRES = np.append(-2.4, np.zeros(COEFFICIENTS - 1))
_SCALES = np.append(2.4, 4.7 * np.arange(1, COEFFICIENTS) ** -0.75 * _LIFTING[1:])
"""Mean of the energy, and deviation of each coefficient: before liftering it falls with the number to the 3/4."""

_DELTA_SCALE = 0.2
"""Deviation of deltas, as a share of the coefficients'."""

_BLOCK_FRAMES = 100
_BLOCK_MEAN_SCALE, _LOG_DEVIATION_SCALE = 0.7, 0.25
_LOG_DEVIATION_CENTRE = -0.3
"""Of the cepstra of a block; that of its deltas is 0."""

_SMALLEST_DEVIATION = 0.05
"""Added to each within a block: one of nothing has no logarithm."""

_WINDOW_FRAMES, _HOP_FRAMES = 256, 128
_WINDOW = np.hanning(_WINDOW_FRAMES)
_WINDOW *= np.sqrt(2 / (_WINDOW_FRAMES * (_WINDOW**2).sum()))
"""Scaled such that powers of the spectrum add up to the variance."""

_SILENCE = np.log(1e-6)
"""Logarithm of the energy below which a filter is silent."""

_LEVEL_CENTRE, _LEVEL_SCALE = -6.5, 1.4
_MODULATION_CENTRE, _MODULATION_SCALE = -2.6, 1.2
_SMALLEST_MODULATION = 1e-4
"""Added to variances, whose logarithms are compared."""

_RIDGE = 0.05
"""Added to each variance of a Gaussian: a coefficient that stands still would be infinitely far from all others."""

_SMALLEST_EIGENVALUE = 1e-9
"""Rounding may leave a smaller one where cepstra are absurdly large."""

_STRETCH = 3_200
"""Frames described at once, a multiple of blocks and hops: what is computed of them stays in the processor's cache."""


def timbre_vector(cepstra: NDArray[np.float32]) -> NDArray[np.float32]:
    """How a track sounds, in numbers whose Euclidean distances, part by part, tell how far two tracks are apart.

    Parameters
    ----------
    cepstra : (frames, 20 or more) float32
        Liftered cepstra of 26 filters at 100 frames a second, levelled, the first column the logarithm of the energy:
        `compute_cepstra` with the default parameters but more coefficients. Those after the 20th do not count. Fewer
        frames than a window of 256 are repeated until they fill one.

    Returns
    -------
    (3418,) float32
        The parts that `PARTS` names, each made of a Gaussian as described below:

        ``cepstra``, of every frame: the cepstra and their deltas, 40 dimensions.

        ``texture``, of every block of 1 s: the mean of each coefficient, and the logarithms of the deviations of it
        and its delta, 60 dimensions.

        ``movement``, of every window of 2.56 s, half overlapping: the mean level of five bands of four mel filters
        each, in nepers of power, and the logarithms of the variance of these levels in six octaves of modulation, from
        0.39 to 20 Hz, 35 dimensions.

        What is left at the end and fills no block or window counts for the frames alone.

    Raises
    ------
    ValueError
        There is no frame, too few coefficients, or one that is not finite.

    Notes
    -----
    A Gaussian of mean m and covariance S is a symmetric positive definite matrix, [[S + m m', m], [m', 1]] (Calvo and
    Oller, "A distance between multivariate normal distributions based in an embedding into the Siegel group", Journal
    of Multivariate Analysis 35, 1990), which is the mean of x x' over all points x extended by a 1. Distances of such
    matrices are those of their logarithms (Arsigny, Fillard, Pennec and Ayache, "Log-Euclidean metrics for fast and
    simple calculus on diffusion tensors", Magnetic Resonance in Medicine 56, 2006). Kept is the upper triangle, row by
    row, times the root of 2 off the diagonal, so that Euclidean distances are those of the whole matrices.

    Deltas are regressions over five frames, as in ``python_speech_features.delta(cepstra, 2)``. Modulation spectra of
    the level of bands: Pampalk, Rauber and Merkl, "Content-based organization and visualization of music archives",
    ACM Multimedia 2002; a second or two looked at as one thing: Seyerlehner, Widmer and Pohle, "Fusing block-level
    features for music similarity estimation", DAFx 2010.
    """
    if cepstra.ndim != 2 or not len(cepstra) or cepstra.shape[1] < COEFFICIENTS:
        raise ValueError(f"timbre is of at least one frame of {COEFFICIENTS} cepstra, not of {cepstra.shape}")
    frames = cepstra[:, :COEFFICIENTS]
    if len(frames) < _WINDOW_FRAMES:
        frames = np.resize(frames, (_WINDOW_FRAMES, COEFFICIENTS))
    moments: dict[str, NDArray[np.float64] | float] = dict.fromkeys(PARTS, 0.0)
    for stretch, deltas in _stretches(frames):
        scaled = (stretch[:_STRETCH] - _CENTRES) / _SCALES
        scaled_deltas = deltas[:_STRETCH] / (_DELTA_SCALE * _SCALES)
        points_by_part = {
            "cepstra": np.hstack([scaled, scaled_deltas]),
            "texture": _texture(scaled, scaled_deltas),
            "movement": _movement(_band_levels(stretch)),
        }
        for part, points in points_by_part.items():
            extended = np.column_stack([points, np.ones(len(points))])
            moments[part] += extended.T @ extended
    return np.concatenate([_log_euclidean(np.asarray(moments[part])) for part in PARTS]).astype(np.float32)


def _stretches(frames: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Frames and their deltas, a stretch at a time, and after it what windows that begin in it see of the next."""
    for start in range(0, len(frames), _STRETCH):
        end = min(start + _STRETCH + _WINDOW_FRAMES - _HOP_FRAMES, len(frames))
        around = frames[np.arange(start - 2, end + 2).clip(0, len(frames) - 1)].astype(np.float64)
        if not np.isfinite(around).all():
            raise ValueError("the cepstra are not all finite")
        deltas = (around[3:-1] - around[1:-3] + 2 * (around[4:] - around[:-4])) / 10
        yield around[2:-2], deltas


def _texture(scaled: NDArray[np.float64], scaled_deltas: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each block that is complete (blocks, 60)."""
    blocks, of_deltas = (
        values[: len(values) // _BLOCK_FRAMES * _BLOCK_FRAMES].reshape(-1, _BLOCK_FRAMES, COEFFICIENTS)
        for values in (scaled, scaled_deltas)
    )
    log_deviations = np.log(_SMALLEST_DEVIATION + blocks.std(axis=1)) - _LOG_DEVIATION_CENTRE
    log_deviations_of_deltas = np.log(_SMALLEST_DEVIATION + of_deltas.std(axis=1))
    return np.hstack(
        [
            blocks.mean(axis=1) / _BLOCK_MEAN_SCALE,
            log_deviations / _LOG_DEVIATION_SCALE,
            log_deviations_of_deltas / _LOG_DEVIATION_SCALE,
        ]
    )


def _band_levels(cepstra: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean log energies (frames, 5) of the filters of each band.

    The first coefficient of the cosine transform was replaced by the frame's energy. It is found again, since filters
    overlap to 1: their energies add up to the frame's.
    """
    unliftered = cepstra / _LIFTING
    unliftered[:, 0] = 0
    filters = scipy.fft.idct(unliftered, n=_PARAMETERS.filters, norm="ortho")
    filters -= filters.max(axis=1, keepdims=True)
    filters += cepstra[:, :1] - np.log(np.exp(filters).sum(axis=1, keepdims=True))
    audible = np.logaddexp(filters[:, : _BANDS * _FILTERS_OF_BAND], _SILENCE)
    levels: NDArray[np.float64] = audible.reshape(len(cepstra), _BANDS, _FILTERS_OF_BAND).mean(axis=2)
    return levels


def _movement(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each window that is complete (windows, 35)."""
    if len(levels) < _WINDOW_FRAMES:
        return np.empty((0, _BANDS * len(_MODULATIONS)))
    windows = np.lib.stride_tricks.sliding_window_view(levels, _WINDOW_FRAMES, axis=0)[::_HOP_FRAMES]
    means = windows.mean(axis=2)
    spectra = np.fft.rfft((windows - means[:, :, np.newaxis]) * _WINDOW)[:, :, : _MODULATIONS[-1]]
    powers = spectra.real**2 + spectra.imag**2
    variances = np.add.reduceat(powers, _MODULATIONS[:-1], axis=2).reshape(len(windows), -1)
    modulations = np.log(_SMALLEST_MODULATION + variances) - _MODULATION_CENTRE
    return np.hstack([(means - _LEVEL_CENTRE) / _LEVEL_SCALE, modulations / _MODULATION_SCALE])


def _log_euclidean(moments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vector of a Gaussian, given the sum of x x' over its points x extended by a 1."""
    count = moments[-1, -1]
    ridge = np.append(np.full(len(moments) - 1, _RIDGE), 0)
    values, vectors = np.linalg.eigh(moments / count + np.diag(ridge))
    logarithm = vectors * np.log(np.maximum(values, _SMALLEST_EIGENVALUE)) @ vectors.T
    rows, columns = np.triu_indices(len(moments))
    vector: NDArray[np.float64] = logarithm[rows, columns] * np.where(rows == columns, 1, np.sqrt(2))
    return vector
