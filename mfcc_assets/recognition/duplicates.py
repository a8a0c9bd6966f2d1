"""A cheap check whether two tracks of a library are one recording in two encodings."""

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.fingerprint import COARSE, FINGERPRINT_WIDTH, is_distinctive
from mfcc_assets.jit import compiled_reordered

_LARGEST_SHIFT = 4
"""Largest difference in frames, at two frames a second, between the beginnings and between the lengths of two
encodings of one recording. Encoders add padding, and silence is trimmed."""

_CERTAINLY_SAME = 0.95
"""Cosine that only two encodings of one recording reach. Among 469 tracks, 1,606 pairs have about the same length; of
these, two mixes of one piece reach 0.87."""

_POSSIBLY_SAME = 0.4
"""Cosine below which two tracks are different recordings. A recording whose frames begin half a frame later has a
cosine of at least 0.46 with itself. Among the 1,606 pairs, those that share no audio have at most 0.3."""

_MINIMUM_FRAMES = 20
"""Number of distinctive frames (ten seconds) below which a high cosine proves nothing, because chance can reach it."""

_MINIMUM_COMPARABLE_FRAMES = 7
"""Number of frames in a track of four seconds. Shorter tracks overlap by at most 3.1 s, and `align` accepts no match of
so short an overlap."""

_TINY = 1e-9


def may_be_same_recording(frames: int, other_frames: int) -> bool:
    """Check by length alone whether two tracks can be one recording.

    This excludes most pairs of a library without any further comparison.

    Parameters
    ----------
    frames, other_frames : int
        Number of frames in the fingerprint of each track.

    Returns
    -------
    bool
        True if both tracks have about the same length and are long enough to be compared.

    Examples
    --------
    >>> may_be_same_recording(60, 64)
    True
    >>> may_be_same_recording(60, 65)
    False
    """
    return abs(frames - other_frames) <= _LARGEST_SHIFT and min(frames, other_frames) >= _MINIMUM_COMPARABLE_FRAMES


def is_same_recording(fingerprint: NDArray[np.float32], other: NDArray[np.float32]) -> bool | None:
    """Check whether the spectral shapes of two tracks of about the same length change in the same way at the same time.

    The function does not find a recording that a library holds once as a whole and once in part.

    Parameters
    ----------
    fingerprint, other : (frames, 6) float32
        Fingerprints from `mfcc_assets.features.fingerprint.fingerprint`.

    Returns
    -------
    bool or None
        True if both are one recording, False if they are not, and None if the fingerprints do not decide it.
        `mfcc_assets.recognition.match.align` then has to compare the cepstra, which takes about a hundred times as
        long.

    Raises
    ------
    ValueError
        If a fingerprint does not have six columns.

    Examples
    --------
    >>> frames = np.random.default_rng(1).standard_normal((65, 6)).astype(np.float32)
    >>> is_same_recording(frames[:61], frames)
    True
    >>> is_same_recording(frames[:30], frames)
    False
    """
    if any(frames.ndim != 2 or frames.shape[1] != FINGERPRINT_WIDTH for frames in (fingerprint, other)):
        raise ValueError(f"fingerprints are frames x {FINGERPRINT_WIDTH}, not {fingerprint.shape} and {other.shape}")
    if not may_be_same_recording(len(fingerprint), len(other)):
        return False
    cosine = best_cosine(*sorted((_smoothed(fingerprint), _smoothed(other)), key=len))
    if cosine < _POSSIBLY_SAME:
        return False
    distinctive = min(int(is_distinctive(frames, COARSE).sum()) for frames in (fingerprint, other))
    return True if cosine >= _CERTAINLY_SAME and distinctive >= _MINIMUM_FRAMES else None


def _smoothed(fingerprint: NDArray[np.float32]) -> NDArray[np.float32]:
    # Smoothing makes the position of the frames matter less. If the frames of two encodings begin half a frame apart,
    # their cosine is 0.46 to 0.69 with smoothing, and 0.24 to 0.45 without.
    return fingerprint[1:] + fingerprint[:-1]


@compiled_reordered
def best_cosine(shorter: NDArray[np.float32], longer: NDArray[np.float32]) -> float:
    """Return the largest cosine of the shorter track with any window of the longer one.

    A window may extend beyond either end of the longer track.
    """
    frames, other_frames = len(shorter), len(longer)
    query, track = shorter.ravel(), longer.ravel()
    energy = np.float32(0.0)
    for value in query:
        energy += value * value
    best = -1.0
    for begin in range(-_LARGEST_SHIFT, other_frames - frames + _LARGEST_SHIFT + 1):
        first, last = max(begin, 0) * FINGERPRINT_WIDTH, min(begin + frames, other_frames) * FINGERPRINT_WIDTH
        window, part = track[first:last], query[first - begin * FINGERPRINT_WIDTH : last - begin * FINGERPRINT_WIDTH]
        product = window_energy = np.float32(0.0)
        for i in range(len(window)):
            product += window[i] * part[i]
            window_energy += window[i] * window[i]
        best = max(best, product / np.sqrt(max(float(window_energy * energy), _TINY)))
    return best
