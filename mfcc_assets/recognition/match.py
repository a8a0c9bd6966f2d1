"""Recognise an upload by its cepstra: is it, or a stretch of it, one of the library's own recordings?

What is compared is how the spectral shape below 4 kHz changes in time. A gain or an equaliser adds the same to every
cepstrum and so cancels; what a lower sample rate or a codec removes lies above 4 kHz; and two recordings of one
piece, or two tracks of one artist, do not change at the same instants. The similarity is the cosine of two such
sequences of changes, at the offset where it is largest.

Two stages: `shortlist` slides the upload's sketch along the sketches of the whole library, and `matches` aligns the
few tracks of the shortlist ten times a second.
"""

import math
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy  # its FFT, 0.25 s of imports, comes when it is first used
from numpy.typing import NDArray

from mfcc_assets.features.fingerprint import (
    COARSE,
    FINE,
    SHAPES,
    Fingerprints,
    Resolution,
    checked_cepstra,
    spectral_changes,
)
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.jit import compiled_reordered

_PHASES = 2
"""Framings of the query, whose frames rarely begin where the track's do. The worst cosine was 0.68 with one framing of
ten frames a second, 0.88 with two."""

_STRETCH_FRAMES = 40
"""Frames of a sketch that are compared at once: 20 s."""

_STRETCHES = 12
"""At most: they cover four minutes of an upload, so that a library track of 30 s out of it is met as well."""

_TRACKS_A_TASK = 500
"""Tracks that one thread searches at a time."""

_LEAST_OVERLAP = 0.8
"""Share of the shorter one that must lie inside the longer one."""

_NOTHING = 1e-9
"""Energy, and length, of a stretch that does not change: its cosine with anything is near 0, not undefined."""

_SAME_RECORDING = 0.75
"""Least cosine of a recording with itself. 2,064 excerpts of 18 and 30 s, re-encoded at 8 to 44.1 kHz, had 0.78 or
more; the best of 273 other tracks had 0.5 or less, unless it shares audio: remixes and common intros pass."""

_CHANCE = 1.8
"""Divided by the square root of the seconds compared: a cosine that chance reaches in a library of 100,000 tracks."""


@dataclass(frozen=True)
class Alignment:
    """Where a query fits best into a track.

    Attributes
    ----------
    cosine
        Of the two sequences of changes: 1 for the same recording, near 0 for any other.
    offset_seconds
        Where in the track the query begins; negative where it begins before the track.
    overlap_seconds
        How much of both was compared.
    """

    cosine: float
    offset_seconds: float
    overlap_seconds: float

    @property
    def same_recording(self) -> bool:
        """Whether the cosine is too large for any other recording, and for chance over so short a stretch."""
        chance = _CHANCE / math.sqrt(max(self.overlap_seconds, FINE.seconds))
        return self.cosine >= max(_SAME_RECORDING, chance)


@dataclass(frozen=True)
class Match:
    """The library's recording that an upload was found to be."""

    audio_id: str
    alignment: Alignment


def shortlist(
    query_cepstra: NDArray[np.float32], fingerprints: Fingerprints, parameters: CepstraParameters, size: int = 20
) -> list[str]:
    """Pick the tracks that may hold the query.

    Parameters
    ----------
    query_cepstra : (frames, d) float
    sketches
        Of the library.
    parameters
        What all cepstra were made with.
    size
        Tracks to pick.

    Returns
    -------
    list of str
        Audio ids, the most similar first.

    Raises
    ------
    ValueError
        `query_cepstra` does not fit the parameters or is not finite, or `size` is not positive.
    """
    if size < 1:
        raise ValueError(f"a shortlist has at least one track, not {size}")
    checked = checked_cepstra(query_cepstra, parameters)
    stretches = [s for framing in _framings(checked, parameters, COARSE) for s in _stretches(framing)]
    if not stretches or not len(fingerprints):
        return []
    shortest = min(map(len, stretches))
    cosines = _best_cosines(fingerprints, np.stack([stretch[:shortest] for stretch in stretches]))
    order = np.argsort(-cosines, kind="stable")[:size]
    return [fingerprints.audio_ids[track] for track in order]


def align(
    query_cepstra: NDArray[np.float32], track_cepstra: NDArray[np.float32], parameters: CepstraParameters
) -> Alignment:
    """Find where a query fits best into a track, or a track into a longer query.

    Parameters
    ----------
    query_cepstra, track_cepstra : (frames, d) float
    parameters
        What both were made with.

    Returns
    -------
    Alignment
        Of the offset, to a tenth of a second, at which the cosine is largest and four fifths of the shorter one lie
        inside the longer one. With less than a second on either side nothing is compared, and all is zero.

    Raises
    ------
    ValueError
        Cepstra do not fit the parameters, or are not finite.
    """
    framings = _framings(checked_cepstra(query_cepstra, parameters), parameters, FINE)
    track = spectral_changes(checked_cepstra(track_cepstra, parameters), parameters, FINE)
    alignments = [
        _best_alignment(framing, track, phase * FINE.seconds / _PHASES) for phase, framing in enumerate(framings)
    ]
    return max(alignments, key=lambda alignment: alignment.cosine)


def matches(
    query_cepstra: NDArray[np.float32],
    candidates: Iterable[tuple[str, NDArray[np.float32]]],
    parameters: CepstraParameters,
) -> list[Match]:
    """Recognise a query among the tracks of a shortlist.

    Parameters
    ----------
    query_cepstra : (frames, d) float
    candidates : pairs of audio id and (frames, d) cepstra
        Read one at a time.
    parameters
        What all cepstra were made with.

    Returns
    -------
    list of Match
        The candidates that are the same recording, the most similar first: several where the library has it in several
        encodings.

    Raises
    ------
    ValueError
        Cepstra do not fit the parameters, or are not finite.
    """
    aligned = [Match(audio_id, align(query_cepstra, cepstra, parameters)) for audio_id, cepstra in candidates]
    same = [match for match in aligned if match.alignment.same_recording]
    return sorted(same, key=lambda match: -match.alignment.cosine)


def _framings(
    cepstra: NDArray[np.float32], parameters: CepstraParameters, resolution: Resolution
) -> list[NDArray[np.float32]]:
    later = round(resolution.seconds / parameters.step_seconds / _PHASES)
    return [spectral_changes(cepstra[phase * later :], parameters, resolution) for phase in range(_PHASES)]


def _stretches(changes: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    length = min(len(changes), _STRETCH_FRAMES)
    if not length:
        return []
    count = min(-(-len(changes) // length), _STRETCHES)
    starts = np.linspace(0, len(changes) - length, count).round().astype(int)
    return [changes[start : start + length] for start in starts]


def _best_cosines(fingerprints: Fingerprints, stretches: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest cosine of any stretch (q, length, 6) with any window of each track: (tracks,)."""
    lengths = np.linalg.norm(stretches, axis=(1, 2), keepdims=True)
    rows = (stretches / np.maximum(lengths, _NOTHING)).reshape(len(stretches), -1)
    frames = np.asarray(fingerprints.frames).ravel()
    cosines = np.empty(len(fingerprints), np.float32)

    def search(first: int) -> None:
        last = first + _TRACKS_A_TASK
        _slide(frames, fingerprints.starts[first : last + 1], rows, cosines[first:last])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(search, range(0, len(cosines), _TRACKS_A_TASK)))
    return cosines


@compiled_reordered
def _slide(
    frames: NDArray[np.float32], starts: NDArray[np.int64], stretches: NDArray[np.float32], cosines: NDArray[np.float32]
) -> None:
    """`frames` and every stretch are flat; a window may hang over either end of its track by half."""
    length = stretches.shape[1] // SHAPES
    for track in range(len(cosines)):
        first, last = starts[track], starts[track + 1]
        energies = np.zeros(last - first + 1)
        for frame in range(first, last):
            energy = np.float32(0.0)
            for i in range(frame * SHAPES, (frame + 1) * SHAPES):
                energy += frames[i] * frames[i]
            energies[frame - first + 1] = energies[frame - first] + energy
        best = -1.0
        for begin in range(first - length // 2, last - length // 2):
            lower, upper = max(begin, first), min(begin + length, last)
            window = frames[lower * SHAPES : upper * SHAPES]
            norm = np.sqrt(max(energies[upper - first] - energies[lower - first], _NOTHING))
            for q in range(len(stretches)):
                stretch = stretches[q, (lower - begin) * SHAPES : (upper - begin) * SHAPES]
                product = np.float32(0.0)
                for i in range(len(window)):
                    product += window[i] * stretch[i]
                best = max(best, product / norm)
        cosines[track] = best


def _best_alignment(query: NDArray[np.float32], track: NDArray[np.float32], phase_seconds: float) -> Alignment:
    n, m = len(query), len(track)
    if not n or not m:
        return Alignment(0.0, 0.0, 0.0)
    least = int(np.ceil(_LEAST_OVERLAP * min(n, m)))
    offsets = np.arange(least - n, m - least + 1)
    begins, ends = np.maximum(-offsets, 0), np.minimum(n, m - offsets)
    size = scipy.fft.next_fast_len(n + m - 1, real=True)
    spectra = scipy.fft.rfft(track, size, axis=0) * scipy.fft.rfft(query[::-1], size, axis=0)
    products = scipy.fft.irfft(spectra.sum(axis=1), size)[offsets + n - 1]
    energies = _energy_between(query, begins, ends) * _energy_between(track, begins + offsets, ends + offsets)
    cosines = products / np.sqrt(np.maximum(energies, _NOTHING))
    best = int(np.argmax(cosines))
    return Alignment(
        cosine=float(cosines[best]),
        offset_seconds=float(offsets[best] * FINE.seconds - phase_seconds),
        overlap_seconds=float((ends - begins)[best] * FINE.seconds),
    )


def _energy_between(
    changes: NDArray[np.float32], begins: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.float64]:
    energies = np.concatenate([[0.0], np.cumsum(np.square(changes, dtype=np.float64).sum(axis=1))])
    between: NDArray[np.float64] = energies[ends] - energies[begins]
    return between
