"""The best stretch in which two tracks have the same harmony, in any key.

Two performances of a piece have one. It tells nothing about the sound of the tracks, so it is apart from all rankings.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.chroma import PITCH_CLASSES
from mfcc_assets.similarity.dtw.local_alignment import local_alignments

OTHER_PERFORMANCE = 0.35
"""Similarity from which on two tracks count as performances of one piece."""

_CLOSE, _CLOSE_SHARE = 0.2, 0.5
"""Largest difference of frames of the same harmony, and the same as a share of the mean difference of all frames. The
share keeps tracks that stand on one chord from being like everything."""

_TRANSPOSITIONS = 3
"""Number of keys that are tried: those in which the mean harmonies of both tracks are most alike."""

_MOST_ALIKE = 0.99
"""Length of the mean of a track's frames from which on the track cannot be compared: its harmony hardly changes. Noise,
drums and a chord that stands would be like everything. Of the development corpus, 5 % of the tracks are left out."""

_SHORTEST = 8
"""Least frames of a stretch in either track, 7 s."""

_ROUNDING = 1 - 1e-4
"""Factor that allows for the rounding of sums of float32."""


@dataclass(frozen=True)
class SharedHarmony:
    """A stretch of one track that has the harmony of a stretch of another.

    Attributes
    ----------
    similarity
        0 to 1. It is 1 if both tracks have the same harmony from beginning to end.
    semitones
        Number of semitones by which the second track is higher, from -5 to 6.
    rows, columns
        First frame of the stretch and the frame after it, in the first and in the second track.
    """

    similarity: float
    semitones: int
    rows: tuple[int, int]
    columns: tuple[int, int]


def shared_harmony(a: NDArray[np.float32], b: NDArray[np.float32], least: float = 0.0) -> SharedHarmony | None:
    """Return the best stretch in which two tracks have the same harmony, or None if there is none of 7 s.

    Parameters
    ----------
    a : (n, 12) float32
    b : (m, 12) float32
        Results of `mfcc_assets.features.chroma.chroma_of`.
    least
        Smallest similarity of a stretch that is returned, 0 to 1. A larger number saves time, because most tracks
        can be ruled out without searching for the stretch.

    Raises
    ------
    ValueError
        If an array has another shape, or `least` is not between 0 and 1.

    Notes
    -----
    The key is chosen as in Serrà, Gómez and Herrera, "Transposing chroma representations to a common key", IEEE
    Conference on the Use of Symbols to Represent Music and Multimedia Objects, 2008. The stretch is found by
    `mfcc_assets.similarity.dtw.local_alignment.local_alignments`.

    Examples
    --------
    The second track plays the same eight chords two semitones higher.

    >>> chords = np.eye(12, dtype=np.float32)[[0, 5, 7, 9, 4, 2, 11, 0]].repeat(2, axis=0)
    >>> found = shared_harmony(chords, np.roll(chords, 2, axis=1))
    >>> found.similarity, found.semitones, found.rows
    (1.0, 2, (0, 16))
    """
    for each in (a, b):
        if each.ndim != 2 or each.shape[1] != len(PITCH_CLASSES):
            raise ValueError(f"harmony is frames x {len(PITCH_CLASSES)}, not {each.shape}")
    if not 0 <= least <= 1:
        raise ValueError(f"the least similarity must be between 0 and 1, not {least}")
    if not (has_harmony(a) and has_harmony(b)):
        return None
    found = [_in_key(a, b, shift, least) for shift in _likely_shifts(a, b)]
    return max((stretch for stretch in found if stretch), key=lambda stretch: stretch.similarity, default=None)


def has_harmony(chroma: NDArray[np.float32]) -> bool:
    """Return whether a track (frames, 12) is long enough, and changes its harmony enough, to be compared.

    Examples
    --------
    >>> has_harmony(np.eye(12, dtype=np.float32)), has_harmony(np.full((12, 12), 12**-0.5, np.float32))
    (True, False)
    """
    sounding = chroma[chroma.any(axis=1)]
    return len(chroma) >= _SHORTEST and len(sounding) > 0 and float(np.linalg.norm(sounding.mean(axis=0))) < _MOST_ALIKE


def _likely_shifts(a: NDArray[np.float32], b: NDArray[np.float32]) -> list[int]:
    """Return by how many pitch classes the second track may have to be shifted down, best first."""
    mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
    alike = np.array([mean_a @ np.roll(mean_b, -shift) for shift in range(len(PITCH_CLASSES))])
    best: list[int] = np.argsort(-alike, kind="stable")[:_TRANSPOSITIONS].tolist()
    return best


def _in_key(a: NDArray[np.float32], b: NDArray[np.float32], shift: int, least: float) -> SharedHarmony | None:
    differences = np.maximum(0, 1 - a @ np.roll(b, -shift, axis=1).T)
    close = min(_CLOSE, _CLOSE_SHARE * float(differences.mean()))
    size = float(np.sqrt(len(a) * len(b)))
    # A stretch matches each frame at most once, so no stretch gains more than the best match of every frame.
    most_gained = min(np.maximum(close - differences.min(axis=axis), 0).sum() for axis in (0, 1))
    if most_gained < least * close * size * _ROUNDING:
        return None
    stretches = local_alignments(differences, close=close, shortest=(_SHORTEST, _SHORTEST), count=1)
    if not stretches:
        return None
    (stretch,) = stretches
    gain = (1 - stretch.difference / close) * len(stretch.cells)
    rows, columns = stretch.rows.tolist(), stretch.columns.tolist()
    similarity = min(1.0, gain / size)
    if similarity < least:
        return None
    return SharedHarmony(
        similarity=similarity,
        semitones=shift if shift <= len(PITCH_CLASSES) // 2 else shift - len(PITCH_CLASSES),
        rows=(rows[0], rows[1]),
        columns=(columns[0], columns[1]),
    )
