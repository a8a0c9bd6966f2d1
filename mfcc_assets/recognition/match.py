"""Recognise an upload by its cepstra: find out whether it, or a passage of it, is a recording of the library.

The module compares how the spectral shape below 4 kHz changes over time. A gain or an equaliser adds a constant to
every cepstrum, which cancels out in the changes. A lower sample rate or a codec removes content above 4 kHz, which is
not compared. Two recordings of one piece, or two tracks of one artist, do not change at the same instants. The
similarity of two sequences of changes is their cosine at the offset where it is largest.

Silence before and behind the music is left out, and so is silence within it, unless both recordings have the pause.
Steady tones and steady noise hardly change. They count for nothing, so they never decide that two recordings are the
same.

Recognition has two stages. `mfcc_assets.recognition.shortlist` compares the upload's fingerprint with the fingerprints
of the whole library. `matches` then aligns the upload with the few tracks of the shortlist at ten frames a second.
"""

import os
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import ceil, inf, sqrt

import numpy as np
import scipy  # loads its submodules when they are first used, which keeps imports short
from numpy.typing import NDArray

from mfcc_assets.features.fingerprint import (
    FINE,
    checked_cepstra,
    is_distinctive,
)
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.silence import sounding_frames
from mfcc_assets.ids import AudioId
from mfcc_assets.recognition.framings import PHASES, Framing, framings_of

_CORES = os.cpu_count() or 1

_MINIMUM_OVERLAP = 0.8
"""Share of the shorter track that must lie inside the longer one."""

_TINY = 1e-9
"""Lower limit of an energy. It makes the cosine of music without any change 0 instead of undefined."""

_SAME_RECORDING = 0.75
"""Smallest cosine at which two tracks count as one recording. In a test with 2,064 excerpts of 18 and 30 s, re-encoded
at 8 to 44.1 kHz, every excerpt had a cosine of at least 0.78 with its own track. The best of 273 other tracks had at
most 0.5, except for tracks that share audio, such as remixes and common intros, which are accepted."""

_CHANCE = 1.8
"""This value, divided by the square root of the distinctive seconds, is a cosine that chance can reach in a library of
100,000 tracks."""


@dataclass(frozen=True)
class Alignment:
    """The best position of a query in a track.

    Attributes
    ----------
    cosine
        Cosine of the two sequences of spectral changes: 1 for the same recording, near 0 for any other.
    offset_seconds
        Position in the file of the track at which the file of the query begins. It is negative if the query begins
        before the track.
    distinctive_seconds
        Length of the compared frames that change more than steady noise does, in the query and in the track.
    """

    cosine: float
    offset_seconds: float
    distinctive_seconds: float

    @property
    def same_recording(self) -> bool:
        """True if the cosine is too large for another recording, and for chance in so little distinctive music."""
        chance = _CHANCE / sqrt(max(self.distinctive_seconds, FINE.seconds))
        return self.cosine >= max(_SAME_RECORDING, chance)


IDENTICAL = Alignment(cosine=1.0, offset_seconds=0.0, distinctive_seconds=inf)
"""Alignment of two files with the same samples, which need not be compared."""


@dataclass(frozen=True)
class Match:
    """A recording of the library that is the same as the query."""

    audio_id: AudioId
    alignment: Alignment


def align(
    query_cepstra: NDArray[np.float32], track_cepstra: NDArray[np.float32], parameters: CepstraParameters
) -> Alignment:
    """Find the best position of a query in a track, or of a track in a longer query.

    Parameters
    ----------
    query_cepstra, track_cepstra : (frames, d) float
    parameters
        Parameters that both were computed with.

    Returns
    -------
    Alignment
        The alignment with the largest cosine among all offsets, to a tenth of a second, at which four fifths of the
        shorter one lie inside the longer one. All its values are zero if either is shorter than a second, since there
        is too little to compare.

    Raises
    ------
    ValueError
        If cepstra do not fit the parameters or are not finite.

    Examples
    --------
    A query that was cut out of a track 20 s after its beginning:

    >>> steps = np.random.default_rng(0).normal(0, 10, (240, 13)) * (np.arange(13) > 0)
    >>> track = np.repeat(steps, 25, axis=0).astype(np.float32)
    >>> alignment = align(track[2000:4000], track, CepstraParameters())
    >>> alignment.same_recording, round(alignment.offset_seconds)
    (True, 20)
    """
    query = _Recording(query_cepstra, parameters, phases=PHASES)
    return _best_alignment(query, _Recording(track_cepstra, parameters, phases=1))


def matches(
    query_cepstra: NDArray[np.float32],
    candidates: Iterable[tuple[AudioId, NDArray[np.float32]]],
    parameters: CepstraParameters,
) -> list[Match]:
    """Return the candidates that are the same recording as the query.

    Parameters
    ----------
    query_cepstra : (frames, d) float
    candidates : pairs of audio id and (frames, d) cepstra
        Tracks of a shortlist. While some are compared the next is read, and few are in memory at a time.
    parameters
        Parameters that all cepstra were computed with.

    Returns
    -------
    list of Match
        Matches, the most similar first. There are several if the library has the recording in several encodings.

    Raises
    ------
    ValueError
        If cepstra do not fit the parameters or are not finite.
    """
    query = _Recording(query_cepstra, parameters, phases=PHASES)

    def compared(audio_id: AudioId, cepstra: NDArray[np.float32]) -> Match:
        return Match(audio_id, _best_alignment(query, _Recording(cepstra, parameters, phases=1)))

    aligned: list[Match] = []
    with ThreadPoolExecutor(_CORES) as pool:
        running: deque[Future[Match]] = deque()
        for candidate in candidates:
            running.append(pool.submit(compared, *candidate))
            if len(running) > _CORES:
                aligned.append(running.popleft().result())
        aligned += [each.result() for each in running]
    same = [match for match in aligned if match.alignment.same_recording]
    return sorted(same, key=lambda match: -match.alignment.cosine)


class _Recording:
    """A recording that is compared with others at ten frames a second.

    Whether a pause within the music is silence depends on how loud the rest is, and a query may be only a part of the
    track. If one of two recordings has a long pause, they are compared both without and with their pauses.

    Parameters
    ----------
    cepstra : (frames, d) float
    parameters
        Parameters that they were computed with.
    phases
        Number of framings.

    Attributes
    ----------
    framings
        Framings of the frames that sound, in which only distinctive changes are not zero.
    has_pause
        True if there is silence within the music.

    Raises
    ------
    ValueError
        If the cepstra do not fit the parameters or are not finite.
    """

    def __init__(self, cepstra: NDArray[np.float32], parameters: CepstraParameters, *, phases: int) -> None:
        self._cepstra, self._parameters, self._phases = checked_cepstra(cepstra, parameters), parameters, phases
        self._sounding = sounding_frames(cepstra)
        sounding = self._sounding
        self.has_pause = len(sounding) > 0 and bool(sounding[-1] - sounding[0] >= len(sounding))
        self.framings = self._framings_of(sounding)

    @cached_property
    def framings_with_pauses(self) -> list[Framing]:
        """As `framings`, with the silence within the music."""
        sounding = self._sounding
        if not self.has_pause:
            return self.framings
        return self._framings_of(np.arange(sounding[0], sounding[-1] + 1))

    def _framings_of(self, frames: NDArray[np.intp]) -> list[Framing]:
        framings = framings_of(self._cepstra, frames, self._parameters, FINE, phases=self._phases)
        return [Framing(_distinctive(framing.changes), framing.seconds) for framing in framings]


def _best_alignment(query: _Recording, track: _Recording) -> Alignment:
    """Return the best alignment of a query and a track."""
    pairs = list(product(query.framings, track.framings))
    if query.has_pause or track.has_pause:
        pairs += product(query.framings_with_pauses, track.framings_with_pauses)
    return max((_alignment(*pair) for pair in pairs), key=lambda alignment: alignment.cosine)


def _alignment(query: Framing, track: Framing) -> Alignment:
    """Return the best alignment of two sequences of changes by a correlation over all offsets."""
    ours, theirs = query.changes, track.changes
    n, m = len(ours), len(theirs)
    if not n or not m:
        return Alignment(0.0, 0.0, 0.0)
    minimum = ceil(_MINIMUM_OVERLAP * min(n, m))
    offsets = np.arange(minimum - n, m - minimum + 1)
    begins, ends = np.maximum(-offsets, 0), np.minimum(n, m - offsets)
    size = scipy.fft.next_fast_len(n + m - 1, real=True)
    spectra = scipy.fft.rfft(theirs, size, axis=0) * scipy.fft.rfft(ours[::-1], size, axis=0)
    products = scipy.fft.irfft(spectra.sum(axis=1), size)[offsets + n - 1]
    energies = _energy_between(ours, begins, ends) * _energy_between(theirs, begins + offsets, ends + offsets)
    cosines = products / np.sqrt(np.maximum(energies, _TINY))
    best = int(np.argmax(cosines))
    begin, end, offset = int(begins[best]), int(ends[best]), int(offsets[best])
    in_both = ours[begin:end].any(axis=1) & theirs[begin + offset : end + offset].any(axis=1)
    return Alignment(
        cosine=float(cosines[best]),
        offset_seconds=float(track.seconds[begin + offset] - query.seconds[begin]),
        distinctive_seconds=int(in_both.sum()) * FINE.seconds,
    )


def _distinctive(changes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Replace the changes that tell no recordings apart by zeros."""
    return np.where(is_distinctive(changes, FINE)[:, np.newaxis], changes, np.float32(0))


def _energy_between(
    changes: NDArray[np.float32], begins: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the sum of squares between each begin and its end."""
    energies = np.concatenate([[0.0], np.cumsum(np.square(changes, dtype=np.float64).sum(axis=1))])
    between: NDArray[np.float64] = energies[ends] - energies[begins]
    return between
