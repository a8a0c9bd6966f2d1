"""The tracks of a library that may contain a query: its passages are searched for in all fingerprints."""

from collections.abc import Container, Sequence
from itertools import islice
from math import inf

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.fingerprint import COARSE, Fingerprints, checked_cepstra, is_distinctive
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.silence import sounding_frames
from mfcc_assets.ids import AudioId
from mfcc_assets.recognition.framings import PHASES, framings_of
from mfcc_assets.recognition.sliding import best_cosines

_PASSAGE_FRAMES = 40
"""Length of one passage of the query in fingerprint frames: 20 s."""

_MAXIMUM_PASSAGES = 12
"""Maximum number of passages of one query. Twelve passages cover four minutes of an upload, so that a library track of
30 s inside the upload is found, too."""

_ALL_COMPARED = 1_000
"""Number of tracks up to which every framing of the query is compared with every track."""

_LIKELY_SHARE = 8
"""In a larger library, the second framing is compared only with one of so many tracks: those that are the most similar
by the first framing. In a test with 492 changed parts of 60 tracks, the right track was among the first 7 % of 274
tracks by the first framing alone, although it began between the frames of the query."""

_ALWAYS_COMPARED = 5
_LEAST_COSINE = 0.45
"""Cosine of a passage below which only the five most similar tracks of a library are compared. In that test, it was at
least 0.52 for every right track but one, which two passages with a pause between them did not find. Of 274 tracks of
other recordings, the most similar one had a median of 0.38."""

_DISTINCTIVE_SHARE = 0.25
"""Least share of distinctive frames in a passage that is searched for. The only change of a steady tone is at its
beginning, and it would be found at the beginning of many tracks."""


def shortlist(
    query_cepstra: NDArray[np.float32],
    fingerprints: Sequence[Fingerprints],
    parameters: CepstraParameters,
    count: int = 20,
    *,
    among: Container[AudioId] | None = None,
) -> list[AudioId]:
    """Return the tracks that may contain the query.

    These are the five most similar tracks, and others that are similar enough to be the same recording.

    Parameters
    ----------
    query_cepstra : (frames, d) float
    fingerprints
        Fingerprints of all tracks of the library, in any number of parts.
    parameters
        Parameters that all cepstra were computed with.
    count
        Largest number of tracks to return.
    among
        Audio ids that may be returned. By default, all may.

    Returns
    -------
    list of str
        Audio ids, the most similar first.

    Raises
    ------
    ValueError
        If `query_cepstra` does not fit the parameters or is not finite, or if `count` is not positive.
    """
    if count < 1:
        raise ValueError(f"a shortlist has at least one track, not {count}")
    sounding = sounding_frames(checked_cepstra(query_cepstra, parameters))
    framings = framings_of(query_cepstra, sounding, parameters, COARSE, phases=PHASES)
    passages = [found for framing in framings if (found := _distinctive_passages(framing.changes))]
    if not passages:
        return []
    best: list[tuple[float, AudioId]] = []
    for part, cosines in zip(fingerprints, _largest_cosines(fingerprints, passages), strict=True):
        order = np.argsort(-cosines, kind="stable").tolist()
        ordered = ((-float(cosines[track]), part.audio_ids[track]) for track in order)
        best += islice((each for each in ordered if among is None or each[1] in among), count)
    likely = sorted(best)[:count]
    return [
        audio_id
        for place, (cosine, audio_id) in enumerate(likely)
        if place < _ALWAYS_COMPARED or -cosine >= _LEAST_COSINE
    ]


def _largest_cosines(
    fingerprints: Sequence[Fingerprints], framings: Sequence[Sequence[NDArray[np.float32]]]
) -> list[NDArray[np.float32]]:
    """Return the largest cosine of each track with any passage, for each part of the fingerprints."""
    shortest = min(len(passage) for passages in framings for passage in passages)
    first, *others = [np.stack([passage[:shortest] for passage in passages]) for passages in framings]
    cosines = [best_cosines(part, first) for part in fingerprints]
    least = _least_likely_cosine(cosines)
    for known, part in zip(cosines, fingerprints, strict=True):
        rows = np.flatnonzero(known >= least)
        likely = part if len(rows) == len(part) else part.rows(rows)
        for passages in others:
            known[rows] = np.maximum(known[rows], best_cosines(likely, passages))
    return cosines


def _least_likely_cosine(cosines: Sequence[NDArray[np.float32]]) -> float:
    """Return the cosine from which on a track is likely enough for all passages to be compared with it."""
    tracks = sum(map(len, cosines))
    count = max(_ALL_COMPARED, tracks // _LIKELY_SHARE)
    return float(np.partition(np.concatenate(cosines), -count)[-count]) if count < tracks else -inf


def _distinctive_passages(changes: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Cut spectral changes (n, 6) into the passages that are searched for."""
    return [each for each in _passages(changes) if is_distinctive(each, COARSE).mean() >= _DISTINCTIVE_SHARE]


def _passages(changes: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Cut spectral changes (n, 6) into passages of equal length that are spread evenly over the query."""
    length = min(len(changes), _PASSAGE_FRAMES)
    if not length:
        return []
    count = min(-(-len(changes) // length), _MAXIMUM_PASSAGES)
    starts = np.linspace(0, len(changes) - length, count).round().astype(int)
    return [changes[start : start + length] for start in starts]
