"""Plays pieces of chords in several manners, so that tests have other performances of the same piece."""

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 22_050
PIECE, OTHER_PIECE = ((0, 5, 7, 9, 4, 2, 11, 5, 0, 7, 2, 9, 4, 0), (2, 10, 3, 8, 2, 5, 10, 1, 6, 8, 3, 1, 10, 2))
"""Roots of the chords of two pieces, in semitones above C."""


def performance(
    roots: tuple[int, ...],
    *,
    semitones: int = 0,
    seconds_per_chord: float = 2.0,
    overtones: int = 6,
    decay: float = 1.0,
    sample_rate: int = SAMPLE_RATE,
) -> NDArray[np.float64]:
    """Play a piece (samples,): a major chord on each root. Few overtones and no decay sound like an organ."""
    time = np.arange(round(seconds_per_chord * sample_rate)) / sample_rate
    partials = np.arange(1, overtones + 1)
    chords = []
    for root in roots:
        pitches = 130.8 * 2 ** ((root + semitones + np.array([0, 4, 7])) / 12)
        waves = np.sin(2 * np.pi * np.outer(pitches, partials)[:, :, np.newaxis] * time)
        chords.append((waves / partials[:, np.newaxis]).sum(axis=(0, 1)) * np.exp(-decay * time))
    signal = np.concatenate(chords)
    return 0.5 * signal / np.abs(signal).max()
