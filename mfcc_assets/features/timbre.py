"""A track's timbre as a vector: the nearer two vectors, the more alike the tracks sound.

Three clouds of points describe a track: its frames, its seconds, and windows of 2.56 s and how they are modulated. Of
each cloud mean and covariance are kept, a Gaussian, as a vector. The order of seconds and windows is not kept.

Constants are those of the development corpus, rounded; the features are scaled by them to deviations about 1. With
centres and scales fitted number by number, precision at five is the same there.
"""

from collections.abc import Iterator, Mapping
from itertools import accumulate, pairwise
from math import log
from types import MappingProxyType

import numpy as np
import scipy  # its FFT and algebra, 0.25 s of imports, come when they are first used
from numpy.typing import NDArray

from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.statistics import second_moments

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


def _column(numbers: NDArray[np.float64]) -> NDArray[np.float32]:
    return numbers.astype(np.float32)[:, np.newaxis]


_CENTRES = _column(np.append(-2.4, np.zeros(COEFFICIENTS - 1)))

_SCALES = _column(np.append(2.4, 4.7 * np.arange(1, COEFFICIENTS) ** -0.75 * _LIFTING[1:]))
"""Mean of the energy, and deviation of each coefficient: before liftering it falls with the number to the 3/4."""

_ANGLES = np.outer(np.arange(_PARAMETERS.filters) + 0.5, np.arange(COEFFICIENTS)) * np.pi / _PARAMETERS.filters
_COSINES = (np.sqrt(2 / _PARAMETERS.filters) * np.cos(_ANGLES) / _LIFTING).astype(np.float32)

_COSINES[:, 0] = 0
"""Matrix (26, 20): liftered cepstra to log energies of the filters, but for what all have in common."""

_DELTA_SCALE = 0.2
"""Deviation of deltas, as a share of the coefficients'."""

_BLOCK_FRAMES = 100
_BLOCK_MEAN_SCALE, _LOG_DEVIATION_SCALE = 0.7, 0.25

_LOG_DEVIATION_CENTRE = -0.3
"""Of the cepstra of a block; that of its deltas is 0."""

_SMALLEST_DEVIATION = 0.05
"""Added to each within a block: one of nothing has no logarithm."""

_WINDOW_FRAMES, _HOP_FRAMES = 256, 128
_WINDOW = np.hanning(_WINDOW_FRAMES).astype(np.float32)

_WINDOW *= np.sqrt(2 / (_WINDOW_FRAMES * (_WINDOW**2).sum()))
"""Scaled such that powers of the spectrum add up to the variance."""

_SILENCE = log(1e-6)
"""Logarithm of the energy below which a filter is silent."""

_LEVEL_CENTRE, _LEVEL_SCALE = -6.5, 1.4
_MODULATION_CENTRE, _MODULATION_SCALE = -2.6, 1.2

_SMALLEST_MODULATION = 1e-4
"""Added to variances, whose logarithms are compared."""

_RIDGE = 0.05
"""Added to each variance of a Gaussian: a coefficient that stands still would be infinitely far from all others."""

_SMALLEST_EIGENVALUE = 1e-9
"""Rounding may leave a smaller one where cepstra are absurdly large."""

_LARGEST = 1e6
"""Sound's cepstra are below 3,000; the squares of absurd ones would overflow."""

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
        There is no frame, too few coefficients, or one that is not finite or absurdly large.

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
        scaled = (stretch[:, :_STRETCH] - _CENTRES) / _SCALES
        scaled_deltas = deltas[:, :_STRETCH] / (_DELTA_SCALE * _SCALES)
        frames_and_deltas = np.vstack([scaled, scaled_deltas])
        points_by_part: dict[str, NDArray[np.float32]] = {
            "cepstra": frames_and_deltas,
            "texture": _texture(frames_and_deltas),
            "movement": _movement(_band_levels(stretch)),
        }
        for part, points in points_by_part.items():
            moments[part] += second_moments(np.vstack([points, np.ones(points.shape[1], np.float32)]))
    return np.concatenate([_log_euclidean(np.asarray(moments[part])) for part in PARTS]).astype(np.float32)


def _stretches(frames: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Frames (20, n) and their deltas, a stretch at a time, and after it what windows that begin in it see of the next.

    A coefficient a row, here and below: everything runs along time, and so in vectors.
    """
    for start in range(0, len(frames), _STRETCH):
        end = min(start + _STRETCH + _WINDOW_FRAMES - _HOP_FRAMES, len(frames))
        # The first and the last frame stand for those before and after.
        around = np.ascontiguousarray(frames.take(np.arange(start - 2, end + 2), axis=0, mode="clip").T)
        if not np.abs(around).max() <= _LARGEST:
            raise ValueError(f"the cepstra are not all finite, or exceed {_LARGEST:,.0f}")
        one_apart, two_apart = around[:, 3:-1] - around[:, 1:-3], around[:, 4:] - around[:, :-4]
        deltas = np.float32(0.1) * one_apart + np.float32(0.2) * two_apart
        yield around[:, 2:-2], deltas


def _texture(frames_and_deltas: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each block that is complete (60, blocks)."""
    count = frames_and_deltas.shape[1] // _BLOCK_FRAMES
    blocks = frames_and_deltas[:, : count * _BLOCK_FRAMES].reshape(2 * COEFFICIENTS, count, _BLOCK_FRAMES)
    means = blocks[:COEFFICIENTS].mean(axis=2)
    log_deviations = np.log(_SMALLEST_DEVIATION + blocks.std(axis=2))
    log_deviations[:COEFFICIENTS] -= _LOG_DEVIATION_CENTRE
    return np.vstack([means / _BLOCK_MEAN_SCALE, log_deviations / _LOG_DEVIATION_SCALE])


def _band_levels(cepstra: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean log energies (5, frames) of the filters of each band.

    The first coefficient of the cosine transform was replaced by the frame's energy. It is found again, since filters
    overlap to 1: their energies add up to the frame's.
    """
    filters: NDArray[np.float32] = np.einsum("fc,ct->ft", _COSINES, cepstra)
    filters -= filters.max(axis=0)
    filters += cepstra[0] - np.log(np.exp(filters).sum(axis=0))
    filters = filters[: _BANDS * _FILTERS_OF_BAND]
    # As np.logaddexp, which takes four times as long.
    audible = np.maximum(filters, _SILENCE) + np.log(1 + np.exp(-np.abs(filters - _SILENCE)))
    levels: NDArray[np.float32] = audible.reshape(_BANDS, _FILTERS_OF_BAND, -1).mean(axis=1)
    return levels


def _movement(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each window that is complete (35, windows)."""
    if levels.shape[1] < _WINDOW_FRAMES:
        return np.empty((_BANDS * len(_MODULATIONS), 0), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(levels, _WINDOW_FRAMES, axis=1)[:, ::_HOP_FRAMES]
    means = windows.mean(axis=2)
    spectra = scipy.fft.rfft((windows - means[:, :, np.newaxis]) * _WINDOW)[:, :, : _MODULATIONS[-1]]
    powers = spectra.real**2 + spectra.imag**2
    variances = np.add.reduceat(powers, _MODULATIONS[:-1], axis=2).swapaxes(1, 2).reshape(-1, means.shape[1])
    modulations = np.log(_SMALLEST_MODULATION + variances) - _MODULATION_CENTRE
    return np.vstack([(means - _LEVEL_CENTRE) / _LEVEL_SCALE, modulations / _MODULATION_SCALE])


def _log_euclidean(moments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vector of a Gaussian, given the sum of x x' over its points x extended by a 1."""
    count = moments[-1, -1]
    ridge = np.append(np.full(len(moments) - 1, _RIDGE), 0)
    # numpy's eigh makes OpenBLAS's threads spin.
    values, vectors = scipy.linalg.eigh(moments / count + np.diag(ridge))
    logarithm = vectors * np.log(np.maximum(values, _SMALLEST_EIGENVALUE)) @ vectors.T
    rows, columns = np.triu_indices(len(moments))
    vector: NDArray[np.float64] = logarithm[rows, columns] * np.where(rows == columns, 1, np.sqrt(2))
    return vector
