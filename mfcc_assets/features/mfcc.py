"""Mel-frequency cepstral coefficients of a signal that arrives in blocks.

The definition is that of ``python_speech_features.mfcc``, which holds all frames of a track in float64. This module
transforms a few frames at a time in float32. On the demo library the results differ by at most 3e-4.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import ceil, log
from mmap import mmap

import numpy as np
import scipy  # loads its submodules when they are first used, which keeps imports short
from numpy.typing import NDArray

from mfcc_assets.features.mel import hz_to_mel, lifter_weights, mel_to_hz
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.jit import compiled_reordered

# Frames transformed at once. They and their spectra stay in the processor's cache.
_BATCH_FRAMES = 64

# Batches whose log energies lie in the same memory.
_BATCHES_TOGETHER = 256

# python_speech_features replaces an energy of zero, which has no logarithm, by the machine epsilon.
_LOG_OF_ZERO_ENERGY = np.float32(log(np.finfo(np.float64).eps))


def compute_cepstra(blocks: Iterable[NDArray[np.float32]], parameters: CepstraParameters) -> NDArray[np.float32]:
    """Compute the cepstra of a signal that is levelled to an absolute peak of 1.

    Parameters
    ----------
    blocks
        The signal in pieces of any length, each (samples,) float32, at the sample rate of `parameters`, for example
        `AudioReader.blocks`. The blocks are read once, and the signal need not fit in memory.
    parameters
        Definition of the cepstra.

    Returns
    -------
    (frames, coefficients) float32
        ``max(1, 1 + ceil((samples - window) / step))`` frames. The last frame is padded with zeros. The first column is
        the natural logarithm of the frame's energy.

    Raises
    ------
    ValueError
        If the signal has no samples or only zeros, if the step is not at least one sample, or if it is longer than the
        window.

    Notes
    -----
    Levelling divides every sample by the peak, which is known only at the end of the signal. This is early enough. All
    steps up to the power spectrum are linear or a square, so dividing the signal by the peak divides every filter's
    energy and the frame's energy by the square of the peak, and subtracts 2 ln(peak) from their logarithms. The
    exception is an energy of exactly zero. Scaling leaves it at zero, and python_speech_features replaces it by the
    same epsilon with and without scaling. So the logarithms are kept until the end. The logarithm of zero is minus
    infinity until then, and no subtraction changes it.

    If no filter is empty, the same number is subtracted from all of them. The DCT of a constant changes only the first
    coefficient, and the frame's energy replaces that one. So levelling changes COE_1 and nothing else.

    Examples
    --------
    One second of a tone of 440 Hz has 99 frames of 13 coefficients.

    >>> signal = np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100).astype(np.float32)
    >>> compute_cepstra([signal], CepstraParameters()).shape
    (99, 13)
    """
    window, step = parameters.window_samples, parameters.step_samples
    if not 0 < step <= window:
        raise ValueError(f"a step of {step} samples does not suit a window of {window} samples")
    peak = np.float32(0)

    def blocks_with_samples() -> Iterator[NDArray[np.float32]]:
        nonlocal peak
        for block in blocks:
            if len(block):
                peak = max(peak, block.max(), -block.min())
                yield block

    log_energies = deque(_log_energies(_batches(blocks_with_samples(), window, step), window, step, parameters))
    if not peak > 0:
        raise ValueError("a signal of only zeros has no level")
    level = 2 * log(peak)
    cepstra = np.empty((sum(map(len, log_energies)), parameters.coefficients), np.float32)
    for first in range(0, len(cepstra), _BATCH_FRAMES):
        # What is transformed is let go, so the memory of long files does not hold both.
        _transform(log_energies.popleft(), level, cosine_weights(parameters), cepstra[first:])
    return cepstra


def warm_up() -> None:
    """Compile the kernels of this module, so that the first call of `compute_cepstra` need not wait for it."""
    compute_cepstra([np.ones(1, np.float32)], CepstraParameters())


def _batches(blocks: Iterable[NDArray[np.float32]], window: int, step: int) -> Iterator[NDArray[np.float32]]:
    """Regroup the signal into the samples of `_BATCH_FRAMES` frames, and of fewer at the end.

    Each batch begins with the sample before its first frame, which pre-emphasis needs. All batches are the same array,
    which is overwritten when the next batch is fetched. New arrays would cost time for copies and new memory pages.
    """
    shared = 1 + window - step
    batch = np.zeros(shared + _BATCH_FRAMES * step, np.float32)
    filled = 1
    is_first = True
    for block in blocks:
        remaining = block
        while len(remaining):
            missing = len(batch) - filled
            taken, remaining = remaining[:missing], remaining[missing:]
            batch[filled : filled + len(taken)] = taken
            filled += len(taken)
            if filled == len(batch):
                yield batch
                batch[:shared] = batch[-shared:]
                filled = shared
                is_first = False
    if is_first and filled == 1:
        raise ValueError("a signal of no samples has no cepstra")
    # The shared samples alone were part of the last frame already.
    if is_first or filled > shared:
        yield batch[:filled]


def _log_energies(
    batches: Iterable[NDArray[np.float32]], window: int, step: int, parameters: CepstraParameters
) -> Iterator[NDArray[np.float32]]:
    """Yield natural logarithms of the filters' energies (frames, filters + 1) for each batch.

    The last column is the logarithm of the whole frame's energy.
    """
    weights, bands = _filterbank(parameters)
    # One array serves all batches and is transformed in place. scipy.fft.rfft would return a new array for each batch,
    # and fetching their memory from the operating system takes longer than the FFT.
    frames = np.empty((_BATCH_FRAMES, parameters.fft_points), np.float32)
    room = np.empty((0, len(weights)), np.float32)
    for batch in batches:
        count = max(1, 1 + ceil((len(batch) - 1 - window) / step))
        _cut_into_frames(batch, parameters.preemphasis, window, step, frames[:count])
        spectra = scipy.fftpack.rfft(frames[:count], overwrite_x=True)
        if len(room) < count:
            room = _memory_of_its_own(_BATCHES_TOGETHER * _BATCH_FRAMES, len(weights))
        energies, room = room[:count], room[count:]
        _filter(spectra, weights, bands, energies)
        with np.errstate(divide="ignore"):
            yield np.log(energies, out=energies)


def _memory_of_its_own(rows: int, columns: int) -> NDArray[np.float32]:
    """Return an array whose memory goes back to the system as soon as it is let go.

    The memory of smaller arrays stays with the process, between others that are in use.
    """
    return np.frombuffer(mmap(-1, 4 * rows * columns), np.float32).reshape(rows, columns)


@compiled_reordered
def _cut_into_frames(
    signal: NDArray[np.float32], preemphasis: float, window: int, step: int, frames: NDArray[np.float32]
) -> None:
    """Fill `frames` with pre-emphasised frames, padded with zeros.

    The signal begins with the sample before the first frame. A frame longer than the FFT is truncated, because
    python_speech_features lets numpy's FFT do so.
    """
    for row in range(len(frames)):
        samples = signal[row * step :][: min(window, frames.shape[1]) + 1]
        before, samples = samples[:-1], samples[1:]
        frame = frames[row, : len(samples)]
        # This one step is computed in float64. If a track holds nothing above 11 kHz, the upper filters see only its
        # rounding errors, which change cepstra by up to 0.004 in float32. The FFT in float32 changes them by 0.0001.
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
    """Fill `energies` with the energy behind each filter.

    The spectra are in FFTPACK's order: real 0, real 1, imaginary 1, real 2, imaginary 2, …
    """
    power = np.empty(weights.shape[1], np.float32)
    for row in range(len(spectra)):
        # The first number has no imaginary part, and neither has the last if the number of points is even.
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
    """Fill `cepstra` with the cosine transform of the levelled log energies.

    The first coefficient is replaced by the logarithm of the frame's energy.
    """
    for row in range(len(log_energies)):
        levelled, cepstrum = log_energies[row], cepstra[row]
        for i in range(len(levelled)):
            levelled[i] = _LOG_OF_ZERO_ENERGY if levelled[i] == -np.inf else levelled[i] - level
        cepstrum[:] = 0
        for i in range(len(cosines)):
            for k in range(len(cepstrum)):
                cepstrum[k] += levelled[i] * cosines[i, k]
        cepstrum[0] = levelled[-1]


@lru_cache(maxsize=8)
def _filterbank(parameters: CepstraParameters) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Make triangular filters, equally spaced on the mel scale, and one last filter that lets everything pass.

    Returns the weights (filters + 1, bins) and for each filter the first and the end of its bins that are not zero.

    The corners are rounded down to bins of the FFT, which leaves the lowest filters empty if there are few bins.
    """
    points = parameters.fft_points
    mel = np.linspace(0, hz_to_mel(parameters.sample_rate / 2), parameters.filters + 2)
    corners = np.floor((points + 1) * mel_to_hz(mel) / parameters.sample_rate)
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
def cosine_weights(parameters: CepstraParameters) -> NDArray[np.float32]:
    """Return the matrix (filters, coefficients) that turns log energies into liftered cepstra."""
    cosines: NDArray[np.float64] = scipy.fft.dct(np.eye(parameters.filters), norm="ortho")[:, : parameters.coefficients]
    return (cosines * lifter_weights(parameters.coefficients, parameters.lifter)).astype(np.float32)
