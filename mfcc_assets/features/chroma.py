"""The harmony of a track over time: how strongly each of the twelve pitch classes sounds, in any octave.

Other performances of a piece have the same harmony, whatever instruments play and whatever the recording sounds like.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

CHROMA_VERSION = "1"
"""Name of this definition. Another definition needs another name, so that the two are never compared."""

CHROMA_SAMPLE_RATE = 22_050
"""Sample rate in Hz of the signal that `chroma_of` takes. The highest note of seven octaves is at 4 kHz."""

PITCH_CLASSES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")

_HOP, _KEPT = 2_048, 10
"""Samples from one frame to the next, and the number of frames of which one is kept."""

FRAME_SECONDS = _HOP * _KEPT / CHROMA_SAMPLE_RATE
"""Time from one frame of the result to the next, 0.93 s."""

_SMOOTHED = 41
"""Frames over which harmony is averaged, 3.8 s, as in the publication."""

_OCTAVES, _BINS_PER_OCTAVE = 7, 36
_FRAMES_AT_ONCE = 646  # a minute

_LEAST_FRAMES, _SHORTEST_FRAMES = 8, 48
"""Frames of the shortest signal that is analysed, 0.7 s, and of the shortest that librosa takes without a warning, to
which a shorter one is filled with silence."""


def chroma_of(blocks: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Compute the harmony of a signal over time.

    Parameters
    ----------
    blocks
        The signal at `CHROMA_SAMPLE_RATE` in pieces of any length, each (samples,) float32.

    Returns
    -------
    (frames, 12) float32
        Strength of each of `PITCH_CLASSES`, one frame each `FRAME_SECONDS`. Each frame has the length 1, or 0 where
        nothing sounds. A signal of less than 0.7 s has no frame.

    Notes
    -----
    This is "chroma energy normalized statistics" (CENS) by librosa: Müller, Kurth and Clausen, "Audio matching via
    chroma-based statistical features", ISMIR 2005.

    Examples
    --------
    A tone of 440 Hz is an A.

    >>> tone = np.sin(2 * np.pi * 440 * np.arange(10 * 22_050) / 22_050).astype(np.float32)
    >>> harmony = chroma_of([tone])
    >>> harmony.shape, PITCH_CLASSES[int(harmony[5].argmax())]
    ((11, 12), 'A')
    """
    import librosa  # takes seconds, and few commands need it

    spectra = [
        np.abs(
            librosa.cqt(
                np.pad(piece, (0, max(0, _SHORTEST_FRAMES * _HOP - len(piece)))),
                sr=CHROMA_SAMPLE_RATE,
                hop_length=_HOP,
                n_bins=_OCTAVES * _BINS_PER_OCTAVE,
                bins_per_octave=_BINS_PER_OCTAVE,
            )
        )[:, : min(_FRAMES_AT_ONCE, len(piece) // _HOP + 1)]
        for piece in _pieces(blocks)
    ]
    if not spectra:
        return np.zeros((0, len(PITCH_CLASSES)), np.float32)
    smooth = librosa.feature.chroma_cens(
        C=np.hstack(spectra), sr=CHROMA_SAMPLE_RATE, hop_length=_HOP, win_len_smooth=_SMOOTHED
    )
    kept: NDArray[np.float32] = np.ascontiguousarray(smooth.T[::_KEPT], np.float32)
    return kept


def _pieces(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Regroup the signal into pieces of a minute, because the spectra of hours at once would need much memory."""
    length, waiting = _FRAMES_AT_ONCE * _HOP, np.empty(0, np.float32)
    for block in blocks:
        waiting = np.concatenate([waiting, block])
        while len(waiting) >= length:
            yield waiting[:length]
            waiting = waiting[length:]
    if len(waiting) >= _LEAST_FRAMES * _HOP:
        yield waiting
