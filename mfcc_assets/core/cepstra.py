"""Mel-frequency cepstral coefficients of a signal that comes in blocks.

The definition is that of ``python_speech_features.mfcc``, which holds every frame of a track in float64: 800 MB for
four minutes. Here a few frames at a time are transformed in float32. On the demo library the results differ
from its by 3e-4 at most.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import ceil, floor, log

import numpy as np
import scipy.fft
import scipy.sparse
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from mfcc_assets.core.parameters import CepstraParameters

# Frames transformed at once. A track of 240 s took 0.25, 0.20, 0.17 s by 16, 32, 64 frames, and 0.40 s by 128: glibc
# returns arrays of that size to the system each time, at the cost of 128,000 page faults.
_STRETCH = 64

# What python_speech_features puts in the place of an energy of zero, whose logarithm does not exist.
_LOG_OF_NOTHING = np.float32(log(np.finfo(np.float64).eps))


def compute_cepstra(blocks: Iterable[NDArray[np.float32]], parameters: CepstraParameters) -> NDArray[np.float32]:
    """Cepstra of the signal levelled to an absolute peak of 1.

    Parameters
    ----------
    blocks
        The signal in pieces of any length, each (samples,) float32, at the parameters' sample rate:
        `AudioReader.blocks`. It is read once and need not fit in memory.
    parameters
        How the cepstra are defined.

    Returns
    -------
    (frames, coefficients) float32
        ``max(1, 1 + ceil((samples - window) / step))`` frames; the last is padded with zeros. The first column is the
        natural logarithm of the frame's energy.

    Raises
    ------
    ValueError
        The signal has no samples, or nothing but zeros, or the frames do not touch each other.

    Notes
    -----
    Levelling divides every sample by the peak, which is known only at the end. It need not be known earlier. All
    steps up to the power spectrum are linear or a square, so dividing the signal by the peak divides every filter's
    energy and the frame's energy by the square of the peak, and subtracts 2 ln(peak) from their logarithms. The
    exception is an energy of exactly zero: scaling leaves it at zero, and python_speech_features replaces it by the
    same epsilon before and after. So logarithms are kept until the end, where those of zero are still minus infinity,
    and no subtraction moves them.

    Where no filter is empty the same number is subtracted from all of them. The DCT of a constant falls into the first
    coefficient alone, and that one is replaced by the frame's energy: levelling changes COE_1, and nothing else.
    """
    window, step = _window_samples(parameters), _round_half_up(parameters.step_seconds * parameters.sample_rate)
    if not 0 < step <= window:
        raise ValueError(f"A step of {step} samples does not suit a window of {window}.")
    peak = np.float32(0)

    def metered() -> Iterator[NDArray[np.float32]]:
        nonlocal peak
        for block in blocks:
            if len(block):
                peak = max(peak, np.abs(block).max())
                yield block

    emphasised = _preemphasised(metered(), parameters.preemphasis)
    log_energies = [_log_energies(frames, parameters) for frames in _stretches_of_frames(emphasised, window, step)]
    if not peak > 0:
        raise ValueError("A signal of nothing but zeros has no level.")
    level = np.float32(2 * log(peak))
    return np.concatenate([_cepstra(stretch - level, parameters) for stretch in log_energies])


def _preemphasised(blocks: Iterable[NDArray[np.float32]], coefficient: float) -> Iterator[NDArray[np.float32]]:
    # In float64: where a track holds nothing above 11 kHz, the rounding of this one step is what the upper filters
    # see, and in float32 it moved cepstra by up to 0.004. The FFT in float32 moves them by 0.0001.
    previous = np.zeros(1)
    for block in blocks:
        signal = np.concatenate([previous, block])
        previous = signal[-1:]
        yield (signal[1:] - coefficient * signal[:-1]).astype(np.float32)


def _stretches_of_frames(
    blocks: Iterable[NDArray[np.float32]], window: int, step: int
) -> Iterator[NDArray[np.float32]]:
    """Overlapping frames, some at a time, as a (frames, window) view of the signal."""
    shared = window - step
    stretch_samples = _STRETCH * step + shared
    pending = np.empty(0, np.float32)
    is_first = True
    for block in blocks:
        pending = np.concatenate([pending, block])
        while len(pending) >= stretch_samples:
            yield sliding_window_view(pending[:stretch_samples], window)[::step]
            pending = pending[_STRETCH * step :]
            is_first = False
    if is_first and not len(pending):
        raise ValueError("A signal of no samples has no cepstra.")
    # After a whole stretch at most the samples that two frames share are left over, and these were seen.
    frames = max(int(is_first), ceil((len(pending) - shared) / step))
    if frames:
        padded = np.pad(pending, (0, frames * step + shared - len(pending)))
        yield sliding_window_view(padded, window)[::step]


def _log_energies(frames: NDArray[np.float32], parameters: CepstraParameters) -> NDArray[np.float32]:
    """Natural logarithms of every filter's energy, and in the last column of the whole frame's."""
    points = _fft_points(parameters)
    # A frame longer than the FFT is truncated, as numpy's FFT does under python_speech_features.
    used = min(frames.shape[1], points)
    padded = np.zeros((len(frames), points), np.float32)
    padded[:, :used] = frames[:, :used]
    parts = scipy.fft.rfft(padded).view(np.float32)
    np.square(parts, out=parts)
    power = parts[:, 0::2] + parts[:, 1::2]
    # Sparse, because each point belongs to at most two filters, and because a dense product wakes OpenBLAS's threads,
    # which then spin in the way of everyone else: 0.26 s against 0.03 s for a track of 240 s, and a slower FFT.
    energies: NDArray[np.float32] = (_filterbank(parameters) @ power.T).T
    with np.errstate(divide="ignore"):
        return np.log(energies)


def _cepstra(log_energies: NDArray[np.float32], parameters: CepstraParameters) -> NDArray[np.float32]:
    log_energies = np.where(np.isneginf(log_energies), _LOG_OF_NOTHING, log_energies)
    cepstra: NDArray[np.float32] = scipy.fft.dct(log_energies[:, :-1], norm="ortho")[:, : parameters.coefficients]
    cepstra *= _lifter(parameters)
    cepstra[:, 0] = log_energies[:, -1]
    return cepstra


@lru_cache(maxsize=8)
def _filterbank(parameters: CepstraParameters) -> scipy.sparse.csr_array:
    """Triangular filters, equally spaced on the mel scale, and one last filter that lets everything pass.

    The corners are rounded down to points of the FFT, which leaves the lowest filters empty when there are few points.
    """
    points = _fft_points(parameters)
    mel = np.linspace(0, 2595 * np.log10(1 + parameters.sample_rate / 2 / 700), parameters.filters + 2)
    hertz = 700 * (10 ** (mel / 2595) - 1)
    corners = np.floor((points + 1) * hertz / parameters.sample_rate)
    bins = np.arange(points // 2 + 1)
    weights = np.zeros((parameters.filters + 1, len(bins)))
    for row, (low, centre, high) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        rising, falling = (low <= bins) & (bins < centre), (centre <= bins) & (bins < high)
        weights[row, rising] = (bins[rising] - low) / (centre - low)
        weights[row, falling] = (high - bins[falling]) / (high - centre)
    weights[-1] = 1
    return scipy.sparse.csr_array((weights / points).astype(np.float32))


@lru_cache(maxsize=8)
def _lifter(parameters: CepstraParameters) -> NDArray[np.float32]:
    if parameters.lifter <= 0:
        return np.ones(parameters.coefficients, np.float32)
    quefrencies = np.arange(parameters.coefficients)
    lifter = 1 + parameters.lifter / 2 * np.sin(np.pi * quefrencies / parameters.lifter)
    return lifter.astype(np.float32)


def _window_samples(parameters: CepstraParameters) -> int:
    return _round_half_up(parameters.window_seconds * parameters.sample_rate)


def _fft_points(parameters: CepstraParameters) -> int:
    return parameters.fft_size or 2 ** ceil(np.log2(_window_samples(parameters)))


def _round_half_up(number: float) -> int:
    return floor(number + 0.5)
