"""Mel-frequency cepstral coefficients of a signal that comes in blocks.

The definition is that of ``python_speech_features.mfcc``, which holds every frame of a track in float64: 800 MB for
four minutes. Here a few frames at a time are transformed in float32. On the demo library the results differ
from its by 3e-4 at most.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import ceil, floor, log

import numpy as np
import scipy  # its FFT, 0.25 s of imports, comes when it is first used
from numpy.typing import NDArray

from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.jit import compiled_reordered

# Frames transformed at once: they and their spectra stay in the processor's cache.
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
                peak = max(peak, block.max(), -block.min())
                yield block

    log_energies = list(_log_energies(_stretches(metered(), window, step), window, step, parameters))
    if not peak > 0:
        raise ValueError("A signal of nothing but zeros has no level.")
    level = 2 * log(peak)
    cepstra = np.empty((sum(map(len, log_energies)), parameters.coefficients), np.float32)
    for number, stretch in enumerate(log_energies):
        _transform(stretch, level, _cosines(parameters), cepstra[number * _STRETCH :])
    return cepstra


def warm_up() -> None:
    """Compile what the first cepstra would wait a few seconds for."""
    compute_cepstra([np.ones(1, np.float32)], CepstraParameters())


def _stretches(blocks: Iterable[NDArray[np.float32]], window: int, step: int) -> Iterator[NDArray[np.float32]]:
    """The signal in stretches of so many frames, each with the sample before them, and the rest of it.

    All are the same array, which holds a stretch until the next is asked for: with one of its own for each, a track of
    240 s took 30 ms for copies and the pages they lie in.
    """
    shared = 1 + window - step
    stretch = np.zeros(shared + _STRETCH * step, np.float32)
    filled = 1
    is_first = True
    for block in blocks:
        remaining = block
        while len(remaining):
            missing = len(stretch) - filled
            taken, remaining = remaining[:missing], remaining[missing:]
            stretch[filled : filled + len(taken)] = taken
            filled += len(taken)
            if filled == len(stretch):
                yield stretch
                stretch[:shared] = stretch[-shared:]
                filled = shared
                is_first = False
    if is_first and filled == 1:
        raise ValueError("A signal of no samples has no cepstra.")
    # Where no more is left than what two frames share, it was seen.
    if is_first or filled > shared:
        yield stretch[:filled]


def _log_energies(
    stretches: Iterable[NDArray[np.float32]], window: int, step: int, parameters: CepstraParameters
) -> Iterator[NDArray[np.float32]]:
    """Of each stretch natural logarithms of every filter's energy, and in the last column of the whole frame's."""
    weights, bands = _filterbank(parameters)
    # One array for all stretches, transformed in place. scipy.fft.rfft returns another each time: those of a track of
    # 240 s made glibc ask the system for 48,000 pages, which took longer than the FFT.
    frames = np.empty((_STRETCH, _fft_points(parameters)), np.float32)
    for stretch in stretches:
        count = max(1, 1 + ceil((len(stretch) - 1 - window) / step))
        _cut_into_frames(stretch, parameters.preemphasis, window, step, frames[:count])
        spectra = scipy.fftpack.rfft(frames[:count], overwrite_x=True)
        energies = np.empty((count, len(weights)), np.float32)
        _filter(spectra, weights, bands, energies)
        with np.errstate(divide="ignore"):
            yield np.log(energies, out=energies)


@compiled_reordered
def _cut_into_frames(
    signal: NDArray[np.float32], preemphasis: float, window: int, step: int, frames: NDArray[np.float32]
) -> None:
    """Pre-emphasised frames, padded with zeros; the signal begins with the sample before the first frame.

    A frame longer than the FFT is truncated, as numpy's FFT does under python_speech_features.
    """
    for row in range(len(frames)):
        samples = signal[row * step :][: min(window, frames.shape[1]) + 1]
        before, samples = samples[:-1], samples[1:]
        frame = frames[row, : len(samples)]
        # In float64: where a track holds nothing above 11 kHz, the rounding of this one step is what the upper filters
        # see, and in float32 it moved cepstra by up to 0.004. The FFT in float32 moves them by 0.0001.
        for i in range(len(frame)):
            frame[i] = samples[i] - preemphasis * before[i]
        frames[row, len(samples) :] = 0


@compiled_reordered
def _filter(
    spectra: NDArray[np.float32],
    weights: NDArray[np.float32],
    bands: NDArray[np.int64],
    energies: NDArray[np.float32],
) -> None:
    """Energy behind each filter, of spectra in FFTPACK's order: real 0, real 1, imaginary 1, real 2, imaginary 2, …"""
    power = np.empty(weights.shape[1], np.float32)
    for row in range(len(spectra)):
        # The first number, and of an even number of points the last, has no imaginary part.
        power[0], power[-1] = spectra[row, 0] ** 2, spectra[row, -1] ** 2
        pairs, power_of_pairs = spectra[row, 1:], power[1:]
        for i in range(len(pairs) // 2):
            power_of_pairs[i] = pairs[2 * i] ** 2 + pairs[2 * i + 1] ** 2
        for number in range(len(weights)):
            first, last = bands[number]
            weight, passed = weights[number, first:last], power[first:last]
            energy = np.float32(0)
            for i in range(len(weight)):
                energy += weight[i] * passed[i]
            energies[row, number] = energy


@compiled_reordered
def _transform(
    log_energies: NDArray[np.float32], level: float, cosines: NDArray[np.float32], cepstra: NDArray[np.float32]
) -> None:
    """Cosine transform of the levelled log energies; the first coefficient becomes the frame's energy."""
    for row in range(len(log_energies)):
        levelled, cepstrum = log_energies[row], cepstra[row]
        for i in range(len(levelled)):
            levelled[i] = _LOG_OF_NOTHING if levelled[i] == -np.inf else levelled[i] - level
        cepstrum[:] = 0
        for i in range(len(cosines)):
            for k in range(len(cepstrum)):
                cepstrum[k] += levelled[i] * cosines[i, k]
        cepstrum[0] = levelled[-1]


@lru_cache(maxsize=8)
def _filterbank(parameters: CepstraParameters) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Triangular filters, equally spaced on the mel scale, and one last filter that lets everything pass.

    Of each the weights of all points, and from which point to which they are not zero.

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
    passing = weights > 0
    bands = np.column_stack([passing.argmax(axis=1), len(bins) - passing[:, ::-1].argmax(axis=1)])
    return (weights / points).astype(np.float32), bands


@lru_cache(maxsize=8)
def _cosines(parameters: CepstraParameters) -> NDArray[np.float32]:
    """Matrix (filters, coefficients): log energies to liftered cepstra."""
    cosines: NDArray[np.float64] = scipy.fft.dct(np.eye(parameters.filters), norm="ortho")[:, : parameters.coefficients]
    if parameters.lifter > 0:
        quefrencies = np.arange(parameters.coefficients)
        cosines *= 1 + parameters.lifter / 2 * np.sin(np.pi * quefrencies / parameters.lifter)
    return cosines.astype(np.float32)


def _window_samples(parameters: CepstraParameters) -> int:
    return _round_half_up(parameters.window_seconds * parameters.sample_rate)


def _fft_points(parameters: CepstraParameters) -> int:
    return parameters.fft_size or 2 ** ceil(np.log2(_window_samples(parameters)))


def _round_half_up(number: float) -> int:
    return floor(number + 0.5)
