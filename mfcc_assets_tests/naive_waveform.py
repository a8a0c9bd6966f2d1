"""The slow twin of waveforms, written to be obviously correct. It holds for the default parameters."""

import math

import numpy as np
from numpy.typing import NDArray

from mfcc_assets_tests.naive_timbre import log_filters


def waveform(signal: NDArray[np.float32], cepstra: NDArray[np.float32]) -> tuple[list[int], list[list[int]]]:
    """The peaks, and the levels of the three bands, of a signal at 44.1 kHz with these cepstra."""
    steps = [signal[first : first + 441] for first in range(0, len(signal), 441)]
    bins = min(1_000, len(steps))
    peaks, levels = [], []
    for number in range(bins):
        own = range(number * len(steps) // bins, (number + 1) * len(steps) // bins)
        peaks.append(max(abs(float(sample)) for step in own for sample in steps[step]))
        energies = [[0.0, 0.0, 0.0]]
        for step in own:
            filters = [math.exp(level) for level in log_filters(cepstra[min(step, len(cepstra) - 1)].astype(float))]
            # The filters end at 206, 331, 472, 634, …, 3,556, 4,142, … Hz.
            energies.append([sum(filters[:3]), sum(filters[3:13]), sum(filters[13:])])
        means = [sum(energy[band] for energy in energies) / len(own) for band in range(3)]
        levels.append([math.sqrt(mean) if peaks[-1] else 0.0 for mean in means])
    return _scaled(peaks), [_scaled(level, max(map(max, levels))) for level in levels]


def _scaled(levels: list[float], largest: float | None = None) -> list[int]:
    largest = max(levels) if largest is None else largest
    return [round(level / largest * 255) if largest else 0 for level in levels]
