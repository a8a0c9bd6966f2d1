"""The frames of a track that sound: silence before, behind and within the music is left out.

Silence says nothing about the music, and two files of one recording often differ in it: a longer pause before the first
note, or minutes before a hidden track. The cepstra that are stored stay whole. All features of the music are computed
from the frames that this module keeps.
"""

from math import inf, log
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_Number = TypeVar("_Number", np.float32, np.float64)

FRAME_SECONDS = 0.01
"""Time from one frame of cepstra to the next. The numbers of frames below are made for it."""

_PER_DECIBEL = log(10) / 10
"""Difference of the logarithm of the energy for each decibel."""

_SILENT = -55 * _PER_DECIBEL
"""A frame is silent if its energy is that far below the energy of the loudest second."""

_DITHER = -11.5
"""Logarithm of the energy of the noise that dithering leaves in an empty 16-bit recording whose loudest sample is 6 dB
below full scale. A frame below it is silent too."""

_QUIET = -30 * _PER_DECIBEL
"""A frame that is at most 30 dB below the loudest second is audible, even if one loud sample makes the rest of the
music soft. It can be silent only in steady sound."""

_FLOOR = -20 * _PER_DECIBEL
"""A frame of steady sound is silent if its energy is that far below the energy of the loudest second. So the hiss of a
recording before the first note is silence, and a quiet passage of music is none."""

_STEADY = 0.65 * _PER_DECIBEL
"""Largest standard deviation of the energies in one second of steady sound, such as hiss."""

_STEADY_FRAMES = 100
"""Number of frames, one second, in which the energy of steady sound is measured."""

_CLICK_FRAMES = 6
"""A peak of fewer frames is a click, such as those of a record before the first note, and is ignored."""

_LOUD_FRAMES = 100
"""The level of a track is the energy that its 100 loudest frames reach. So silence does not lower it."""

_EDGE_FRAMES = 3
"""Number of frames at the edge of the music that are left out with the silence. Two of them hold some of the silence,
because a frame is longer than a step. The third stands for the samples that are trimmed off a file without silence."""

_LONG_FRAMES = 200
"""Number of silent frames, two seconds, that are left out within the music. Shorter pauses belong to the music."""


def sounding_frames(cepstra: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the numbers of the frames without leading, trailing and long inner silence, and without its edges.

    Parameters
    ----------
    cepstra : (frames, d) float32
        Cepstra at 100 frames a second, with the logarithm of the energy in the first column, as `compute_cepstra`
        returns them.

    Returns
    -------
    (kept,) int
        Numbers of the kept frames in order. At least one frame is kept if there is one.

    Raises
    ------
    ValueError
        If `cepstra` does not have two dimensions.

    Examples
    --------
    Three seconds of music between five and ten seconds of silence:

    >>> log_energy = np.repeat([-36.0, -2.0, -36.0], [500, 300, 1_000])
    >>> kept = sounding_frames(log_energy[:, np.newaxis].astype(np.float32))
    >>> int(kept[0]), int(kept[-1])
    (503, 796)
    """
    if cepstra.ndim != 2:
        raise ValueError(f"cepstra are frames x coefficients, not {cepstra.shape}")
    if not len(cepstra):
        return np.empty(0, np.intp)
    energies = _without_clicks(cepstra[:, 0])
    loud = min(_LOUD_FRAMES, len(energies))
    level = np.partition(energies, -loud)[-loud]
    is_audible = energies >= min(level + _QUIET, max(level + _SILENT, _DITHER))
    is_audible &= (_deviations(energies) >= _STEADY) | (energies >= level + _FLOOR)
    audible = np.flatnonzero(is_audible)
    # The silence before and behind the music has an audible frame at one end only.
    begins, ends = np.append(0, audible + 1), np.append(audible, len(energies))
    is_kept = np.ones(len(energies), bool)
    is_long = (ends - begins >= _LONG_FRAMES) | (begins == 0) | (ends == len(energies))
    for gap in np.flatnonzero(is_long & (begins < ends)).tolist():
        is_kept[max(0, begins[gap] - _EDGE_FRAMES) : ends[gap] + _EDGE_FRAMES] = False
    return np.flatnonzero(is_kept) if is_kept.any() else audible


def _without_clicks(energies: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each energy, or the largest that is reached by all of `_CLICK_FRAMES` consecutive frames with this one.

    It is a morphological opening. At its ends the track is continued by its mirror image.
    """
    after = (_CLICK_FRAMES - 1) // 2
    before = _CLICK_FRAMES - 1 - after
    least = _of_runs(np.minimum, np.pad(energies, (before, after), "symmetric"), _CLICK_FRAMES)
    return _of_runs(np.maximum, np.pad(least, (after, before), "symmetric"), _CLICK_FRAMES)


def _of_runs(extreme: np.ufunc, values: NDArray[_Number], length: int) -> NDArray[_Number]:
    """Return the least or the greatest of each run of `length` consecutive values; `extreme` compares two."""
    found, reached = values, 1
    while reached < length:
        step = min(reached, length - reached)
        found, reached = extreme(found[:-step], found[step:]), reached + step
    return found


def _deviations(energies: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the standard deviation of the energies in the steadiest second that each frame lies in."""
    if len(energies) < _STEADY_FRAMES:
        return np.full(len(energies), inf)
    sums, squares = (
        np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
        for values in (energies, energies.astype(float) ** 2)
    )
    means = (sums[_STEADY_FRAMES:] - sums[:-_STEADY_FRAMES]) / _STEADY_FRAMES
    variances = (squares[_STEADY_FRAMES:] - squares[:-_STEADY_FRAMES]) / _STEADY_FRAMES - means**2
    # The first and the last frames lie in fewer seconds than the others.
    steadiest = _of_runs(np.minimum, np.pad(variances, _STEADY_FRAMES - 1, constant_values=inf), _STEADY_FRAMES)
    deviations: NDArray[np.float64] = np.sqrt(np.maximum(steadiest, 0))
    return deviations


def without_silence(cepstra: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the kept frames (kept, d) of cepstra (frames, d): see `sounding_frames`.

    The result is a view if nothing was left out within the music, since hours of cepstra need much memory.
    """
    kept = sounding_frames(cepstra)
    if len(kept) and len(kept) == kept[-1] - kept[0] + 1:
        return cepstra[kept[0] : kept[-1] + 1]
    return cepstra[kept]
