"""Synthetic music of which anybody hears whether it is dark or bright, calm or lively."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

RATE = 44_100


def sound(seed: int, *, bright: bool, lively: bool, seconds: float = 12.0) -> NDArray[np.float32]:
    """Make music (samples,): dark is below 600 Hz, bright above 3 kHz; lively has eight strokes a second, calm none."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    lowest, highest = (3_000, 16_000) if bright else (60, 600)
    noise = sosfilt(butter(4, (lowest, highest), "bandpass", fs=RATE, output="sos"), rng.standard_normal(len(time)))
    pitches = rng.uniform(lowest, highest, size=6)
    chord = np.sin(2 * np.pi * np.outer(pitches, time)).sum(axis=0)
    if lively:
        # Strokes of noise and of single pitches take turns.
        stroke = (time * 8).astype(int)
        chosen = pitches[rng.integers(0, 6, size=stroke[-1] + 1)][stroke]
        signal = np.where(stroke % 2, np.sin(2 * np.pi * chosen * time), noise / noise.std())
        # Each stroke begins and ends softly, since a click would be bright.
        signal *= 0.02 + np.sin(np.pi * (time * 8 % 1)) ** 2
    else:
        # One slow swell, and soft before and after it.
        swell = 0.03 + np.exp(-(((time - seconds / 2) / 1.5) ** 2))
        signal = (chord + 0.01 * noise / noise.std()) * swell
    # Every recording has some hiss at all frequencies.
    signal = signal / np.abs(signal).max() + 1e-4 * rng.standard_normal(len(time))
    return (0.5 * signal / np.abs(signal).max()).astype(np.float32)
