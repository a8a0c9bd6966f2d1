"""Whether two tracks of a library are one recording, encoded twice: a look that costs next to nothing."""

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.fingerprint import SHAPES
from mfcc_assets.jit import compiled_reordered

_APART = 4
"""Frames of a sketch, at two a second, by which two encodings of a recording may begin and differ in length: encoders
pad, and silence is trimmed."""

_SURELY = 0.95
"""Cosine that only the same recording reaches. Of the 1,606 pairs of about one length among 469 tracks two mixes of one
piece have 0.87."""

_PERHAPS = 0.4
"""Cosine below which two tracks are no one recording. With frames that begin half a frame apart, a recording has 0.46
with itself at least; of the 1,606 pairs those that share no audio have at most 0.3."""

_LEAST_FRAMES = 20
"""In less than ten seconds chance can reach any cosine."""

_TELLING_FRAMES = 7
"""Frames that four seconds make at least. `align` compares at most 3.1 of less, and calls nothing so short the same."""

_NOTHING = 1e-9


def may_be_same_recording(frames: int, other_frames: int) -> bool:
    """Whether two tracks are about equally long, and long enough to tell, by the frames of their sketches.

    Most pairs need no closer look.
    """
    return abs(frames - other_frames) <= _APART and min(frames, other_frames) >= _TELLING_FRAMES


def is_same_recording(fingerprint: NDArray[np.float32], other: NDArray[np.float32]) -> bool | None:
    """Whether two tracks of about one length change their spectral shapes alike, at the same times.

    A recording that a library holds as a whole and in part is not found so.

    Parameters
    ----------
    sketch, other : (frames, 6) float32
        As `mfcc_assets.features.fingerprint.fingerprint` makes them.

    Returns
    -------
    bool or None
        None where `mfcc_assets.recognition.match.align` must tell, which takes a hundred times as long.

    Raises
    ------
    ValueError
        The sketches are not of that width.
    """
    if fingerprint.ndim != 2 or other.ndim != 2 or fingerprint.shape[1] != SHAPES or other.shape[1] != SHAPES:
        raise ValueError(f"sketches are frames x {SHAPES}, not {fingerprint.shape} and {other.shape}")
    if not may_be_same_recording(len(fingerprint), len(other)):
        return False
    cosine = _best_cosine(*sorted((_smoothed(fingerprint), _smoothed(other)), key=len))
    if cosine < _PERHAPS:
        return False
    return True if cosine >= _SURELY and min(len(fingerprint), len(other)) >= _LEAST_FRAMES else None


def _smoothed(fingerprint: NDArray[np.float32]) -> NDArray[np.float32]:
    # Where frames begin matters less then: half a frame apart leaves a cosine of 0.46 to 0.69 instead of 0.24 to 0.45.
    return fingerprint[1:] + fingerprint[:-1]


@compiled_reordered
def _best_cosine(shorter: NDArray[np.float32], longer: NDArray[np.float32]) -> float:
    """The largest with any window of the longer one; a window may hang over either end."""
    frames, other_frames = len(shorter), len(longer)
    wanted, candidates_to_fetch = shorter.ravel(), longer.ravel()
    energy = np.float32(0.0)
    for value in wanted:
        energy += value * value
    best = -1.0
    for begin in range(-_APART, other_frames - frames + _APART + 1):
        first, last = max(begin, 0) * SHAPES, min(begin + frames, other_frames) * SHAPES
        window, part = candidates_to_fetch[first:last], wanted[first - begin * SHAPES : last - begin * SHAPES]
        product = window_energy = np.float32(0.0)
        for i in range(len(window)):
            product += window[i] * part[i]
            window_energy += window[i] * window[i]
        best = max(best, product / np.sqrt(max(float(window_energy * energy), _NOTHING)))
    return best
