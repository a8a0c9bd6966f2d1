"""The timbre of a track as a vector: the nearer two vectors are, the more alike the tracks sound.

Three clouds of points describe a track: its frames, its seconds, and the modulation of its windows of 2.56 s. The
vector holds the mean and the covariance of each cloud, that is a Gaussian. The order of seconds and windows is lost.
Frames and seconds are described twice: the whole band, and the low band alone, which every usual coding keeps.

The constants scale all features to deviations of about 1. They were measured on the development corpus and rounded.
Exact centres and scales for each feature give the same precision at five there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import lcm, log
from types import MappingProxyType

import numpy as np
import scipy  # loads its submodules when they are first used, which keeps imports short
from numpy.typing import NDArray

from mfcc_assets.features.filters import filters_of_cepstra
from mfcc_assets.features.low_band import low_band_cepstra
from mfcc_assets.features.mel import lifter_weights
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.statistics import second_moments

COEFFICIENTS = 26
"""Number of coefficients that are needed: that of the filters, so that the low band is known exactly."""

_WHOLE = 20
"""Number of coefficients that describe the whole band. With 13, fewer of the nearest tracks share the artist."""

_LOW = 16
"""Number of coefficients that describe the 20 filters of the low band."""

_BANDS, _FILTERS_PER_BAND = 5, 4
"""The bands end at 10 kHz, because re-encoding changes the spectrum above."""

_MODULATIONS = np.array([1, 2, 4, 7, 13, 26, 52])
"""Edges of the octaves of modulation, in bins of 0.39 Hz: from 0.39 to 20 Hz."""


def _width_of_gaussian(dimensions: int) -> int:
    """Return the length of the vector of a Gaussian."""
    return (dimensions + 1) * (dimensions + 2) // 2


_DIMENSIONS = {
    "cepstra": 2 * _WHOLE,
    "texture": 3 * _WHOLE,
    "movement": _BANDS * len(_MODULATIONS),
    "low_cepstra": 2 * _LOW,
    "low_texture": 3 * _LOW,
}
_EDGES = list(accumulate(map(_width_of_gaussian, _DIMENSIONS.values()), initial=0))

GROUPS: Mapping[str, slice] = MappingProxyType(
    {name: slice(start, end) for name, (start, end) in zip(_DIMENSIONS, pairwise(_EDGES), strict=True)}
)
"""Slice of the vector for each group of its numbers."""

WIDTH = _EDGES[-1]
"""Length of the vector."""

_PARAMETERS = CepstraParameters(coefficients=COEFFICIENTS)


def _column(numbers: NDArray[np.float64]) -> NDArray[np.float32]:
    return numbers.astype(np.float32)[:, np.newaxis]


@dataclass(frozen=True)
class _Normal:
    """Mean and deviation of each coefficient (d, 1)."""

    centres: NDArray[np.float32]
    scales: NDArray[np.float32]

    @classmethod
    def of(cls, energy: tuple[float, float], others: float, coefficients: int) -> "_Normal":
        """Make the numbers from the mean and deviation of the energy, and from the deviation of the second coefficient.

        Only the mean of the energy is not about 0. Before liftering the deviation falls with the number of the
        coefficient to the power of 3/4.
        """
        falling = others * np.arange(1, coefficients) ** -0.75 * lifter_weights(coefficients, _PARAMETERS.lifter)[1:]
        return cls(_column(np.append(energy[0], np.zeros(coefficients - 1))), _column(np.append(energy[1], falling)))


_OF_WHOLE, _OF_LOW = _Normal.of((-2.4, 2.4), 4.7, _WHOLE), _Normal.of((-2.4, 2.0), 4.3, _LOW)

_COSINES = filters_of_cepstra(CepstraParameters(coefficients=_WHOLE)).T.astype(np.float32)
"""Matrix (26, 20) that turns liftered cepstra into log energies of the filters, without the mean of all filters."""

_DELTA_SCALE = 0.2
"""Deviation of deltas, divided by the deviation of their coefficients."""

_BLOCK_FRAMES = 100
"""Frames of a block of texture, which is one second."""

_BLOCK_MEAN_SCALE, _LOG_DEVIATION_SCALE = 0.7, 0.25

_LOG_DEVIATION_CENTRE = -0.3
"""Mean log deviation of the cepstra in a block. The mean log deviation of the deltas is about 0."""

_DEVIATION_OFFSET = 0.05
"""Constant that is added to each deviation within a block, since a deviation of zero has no logarithm."""

_WINDOW_FRAMES, _HOP_FRAMES = 256, 128
"""Length of a window of movement, and the step from one window to the next."""

_WINDOW = np.hanning(_WINDOW_FRAMES).astype(np.float32)

_WINDOW *= np.sqrt(2 / (_WINDOW_FRAMES * (_WINDOW**2).sum()))
"""Hann window, scaled such that the powers of a spectrum add up to the variance."""

_SILENCE = log(1e-6)
"""Natural logarithm of the energy below which a filter counts as silent."""

_LEVEL_CENTRE, _LEVEL_SCALE = -6.5, 1.4
_MODULATION_CENTRE, _MODULATION_SCALE = -2.6, 1.2

_MODULATION_OFFSET = 1e-4
"""Constant that is added to variances of modulation before their logarithms are taken."""

_RIDGE = 0.05
"""Constant that is added to each variance of a Gaussian. Without it, a coefficient that never changes would make
distances infinite."""

_SMALLEST_EIGENVALUE = 1e-9
"""Rounding may leave smaller eigenvalues, or negative ones, if cepstra are absurdly large."""

_LARGEST = 1e6
"""Largest cepstrum that is accepted. Real audio stays below 3,000, and the squares of absurd values would overflow."""

_SHORTEST_CHUNK = lcm(_BLOCK_FRAMES, _HOP_FRAMES)
"""Frames of the shortest chunk that holds whole blocks and whole hops, 3,200."""


def timbre_vector(cepstra: NDArray[np.float32], *, chunk_frames: int = _SHORTEST_CHUNK) -> NDArray[np.float32]:
    """Describe the timbre of a track by a vector.

    The Euclidean distance of two vectors, taken group by group, says how different two tracks sound.

    Parameters
    ----------
    cepstra : (frames, 26) float32
        Liftered cepstra of 26 filters at 100 frames a second, levelled, with the logarithm of the energy in the first
        column, as `compute_cepstra` returns them with the default parameters but all coefficients. Fewer frames than a
        window of 256 are repeated until they fill one.
    chunk_frames
        Number of frames that are processed at once, a multiple of 3,200. The intermediate results of the default fit
        the processor's cache.

    Returns
    -------
    (5204,) float32
        The groups of numbers that `GROUPS` names. Each group is made of a Gaussian as described below.

        ``cepstra`` describes the frames by their cepstra and deltas, in 40 dimensions.

        ``texture`` describes the blocks of 1 s by the mean of each coefficient and by the logarithms of the deviations
        of the coefficient and its delta, in 60 dimensions.

        ``movement`` describes the windows of 2.56 s, which overlap by half, in 35 dimensions: by the mean levels of
        five bands of four mel filters each, as logarithms of their power, and by the logarithms of the variances of
        these levels in six octaves of modulation from 0.39 to 20 Hz.

        ``low_cepstra`` and ``low_texture`` describe the low band as the first two groups describe the whole band, with
        16 cepstra of its own instead of 20: see `mfcc_assets.features.low_band`.

        Frames at the end that fill no block or window count only for ``cepstra`` and ``low_cepstra``.

    Raises
    ------
    ValueError
        If there is no frame, there are not 26 coefficients, a cepstrum is not finite or absurdly large, or
        `chunk_frames` is not a multiple of 3,200.

    Notes
    -----
    A Gaussian of mean m and covariance S is a symmetric positive definite matrix, [[S + m m', m], [m', 1]] (Calvo and
    Oller, "A distance between multivariate normal distributions based in an embedding into the Siegel group", Journal
    of Multivariate Analysis 35, 1990). The matrix is the mean of x x' over all points x extended by a 1. The distance
    of two such matrices is that of their logarithms (Arsigny, Fillard, Pennec and Ayache, "Log-Euclidean metrics for
    fast and simple calculus on diffusion tensors", Magnetic Resonance in Medicine 56, 2006). The vector holds the upper
    triangle of the logarithm, row by row. Elements off the diagonal are multiplied by the root of 2, so that Euclidean
    distances of vectors equal those of the whole matrices.

    Deltas are regressions over five frames, as in ``python_speech_features.delta(cepstra, 2)``. Modulation spectra of
    the levels of bands are from Pampalk, Rauber and Merkl, "Content-based organization and visualization of music
    archives", ACM Multimedia 2002. The description of blocks of a second or two is from Seyerlehner, Widmer and Pohle,
    "Fusing block-level features for music similarity estimation", DAFx 2010.

    Examples
    --------
    >>> cepstra = np.random.default_rng(0).normal(size=(1_000, 26)).astype(np.float32)
    >>> vector = timbre_vector(cepstra)
    >>> vector.shape
    (5204,)
    >>> {name: vector[group].shape for name, group in GROUPS.items()}
    {'cepstra': (861,), 'texture': (1891,), 'movement': (666,), 'low_cepstra': (561,), 'low_texture': (1225,)}
    """
    if cepstra.ndim != 2 or not len(cepstra) or cepstra.shape[1] != COEFFICIENTS:
        raise ValueError(f"timbre needs at least one frame of {COEFFICIENTS} cepstra, not {cepstra.shape}")
    if chunk_frames <= 0 or chunk_frames % _SHORTEST_CHUNK:
        raise ValueError(f"a chunk has a multiple of {_SHORTEST_CHUNK:,} frames, not {chunk_frames:,}")
    frames = cepstra
    if len(frames) < _WINDOW_FRAMES:
        frames = np.resize(frames, (_WINDOW_FRAMES, COEFFICIENTS))
    moments: dict[str, NDArray[np.float64] | float] = dict.fromkeys(GROUPS, 0.0)
    for around in _chunks(frames, chunk_frames):
        whole = np.ascontiguousarray(around[:, :_WHOLE].T)
        low = np.ascontiguousarray(low_band_cepstra(around, _PARAMETERS, _LOW).T)
        frames_and_deltas = _frames_and_deltas(whole, _OF_WHOLE)[:, :chunk_frames]
        low_frames_and_deltas = _frames_and_deltas(low, _OF_LOW)[:, :chunk_frames]
        points_by_group: dict[str, NDArray[np.float32]] = {
            "cepstra": frames_and_deltas,
            "texture": _texture(frames_and_deltas),
            "movement": _movement(_band_levels(whole[:, 2:-2])),
            "low_cepstra": low_frames_and_deltas,
            "low_texture": _texture(low_frames_and_deltas),
        }
        for group, points in points_by_group.items():
            moments[group] += second_moments(np.vstack([points, np.ones(points.shape[1], np.float32)]))
    return np.concatenate([_log_euclidean(np.asarray(moments[group])) for group in GROUPS]).astype(np.float32)


def _chunks(frames: NDArray[np.float32], chunk_frames: int) -> Iterator[NDArray[np.float32]]:
    """Yield the frames (n + 4, 26) of one chunk after the other, with two frames before it and two behind it.

    A chunk also holds the first frames of the next chunk, because its windows of movement reach into them.
    """
    for start in range(0, len(frames), chunk_frames):
        end = min(start + chunk_frames + _WINDOW_FRAMES - _HOP_FRAMES, len(frames))
        # The first frame is repeated before the track, and the last one after it.
        around = frames.take(np.arange(start - 2, end + 2), axis=0, mode="clip")
        if not np.abs(around).max() <= _LARGEST:
            raise ValueError(f"the cepstra are not all finite, or some exceed {_LARGEST:,.0f}")
        yield around


def _frames_and_deltas(around: NDArray[np.float32], normal: _Normal) -> NDArray[np.float32]:
    """Return the scaled coefficients and deltas (2 d, n) of the frames (d, n + 4) of a chunk.

    Here and below each row is a coefficient. Everything is computed along time, which is then contiguous in memory.
    """
    one_apart, two_apart = around[:, 3:-1] - around[:, 1:-3], around[:, 4:] - around[:, :-4]
    deltas = np.float32(0.1) * one_apart + np.float32(0.2) * two_apart
    return np.vstack([(around[:, 2:-2] - normal.centres) / normal.scales, deltas / (_DELTA_SCALE * normal.scales)])


def _texture(frames_and_deltas: NDArray[np.float32]) -> NDArray[np.float32]:
    """Describe each complete block (3 d, blocks)."""
    rows, frames = frames_and_deltas.shape
    count = frames // _BLOCK_FRAMES
    blocks = frames_and_deltas[:, : count * _BLOCK_FRAMES].reshape(rows, count, _BLOCK_FRAMES)
    means = blocks[: rows // 2].mean(axis=2)
    log_deviations = np.log(_DEVIATION_OFFSET + blocks.std(axis=2))
    log_deviations[: rows // 2] -= _LOG_DEVIATION_CENTRE
    return np.vstack([means / _BLOCK_MEAN_SCALE, log_deviations / _LOG_DEVIATION_SCALE])


def _band_levels(cepstra: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute the mean log energy (5, frames) of the filters of each band.

    The cepstra lack the first coefficient of the cosine transform, since the frame's energy replaced it. It can be
    recovered, since the weights of overlapping filters add up to 1, and so their energies add up to the frame's energy.
    """
    filters: NDArray[np.float32] = np.einsum("fc,ct->ft", _COSINES, cepstra)
    filters -= filters.max(axis=0)
    filters += cepstra[0] - np.log(np.exp(filters).sum(axis=0))
    filters = filters[: _BANDS * _FILTERS_PER_BAND]
    # The same as np.logaddexp(filters, _SILENCE), but several times faster.
    audible = np.maximum(filters, _SILENCE) + np.log(1 + np.exp(-np.abs(filters - _SILENCE)))
    levels: NDArray[np.float32] = audible.reshape(_BANDS, _FILTERS_PER_BAND, -1).mean(axis=1)
    return levels


def _movement(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Describe each complete window (35, windows)."""
    if levels.shape[1] < _WINDOW_FRAMES:
        return np.empty((_BANDS * len(_MODULATIONS), 0), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(levels, _WINDOW_FRAMES, axis=1)[:, ::_HOP_FRAMES]
    means = windows.mean(axis=2)
    spectra = scipy.fft.rfft((windows - means[:, :, np.newaxis]) * _WINDOW)[:, :, : _MODULATIONS[-1]]
    powers = spectra.real**2 + spectra.imag**2
    variances = np.add.reduceat(powers, _MODULATIONS[:-1], axis=2).swapaxes(1, 2).reshape(-1, means.shape[1])
    modulations = np.log(_MODULATION_OFFSET + variances) - _MODULATION_CENTRE
    return np.vstack([(means - _LEVEL_CENTRE) / _LEVEL_SCALE, modulations / _MODULATION_SCALE])


def _log_euclidean(moments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the vector of a Gaussian, given the sum of x x' over its points x extended by a 1."""
    count = moments[-1, -1]
    ridge = np.append(np.full(len(moments) - 1, _RIDGE), 0)
    # scipy's eigh and not numpy's, which keeps OpenBLAS's threads busy waiting.
    values, vectors = scipy.linalg.eigh(moments / count + np.diag(ridge))
    logarithm = vectors * np.log(np.maximum(values, _SMALLEST_EIGENVALUE)) @ vectors.T
    rows, columns = np.triu_indices(len(moments))
    vector: NDArray[np.float64] = logarithm[rows, columns] * np.where(rows == columns, 1, np.sqrt(2))
    return vector
