"""Trials of recognition: cut, faded and padded parts of tracks, with their own track in the library and without it."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import soundfile
from numpy.typing import NDArray

from mfcc_assets.audio.reader import AudioReader
from mfcc_assets.audio.reencode import Chain, reencode
from mfcc_assets.errors import AudioError
from mfcc_assets.evaluation.labelled import AnalysedTracks, LabelledSet, Progress
from mfcc_assets.features.fingerprint import Fingerprints
from mfcc_assets.features.mfcc import compute_cepstra
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.ids import AudioId
from mfcc_assets.recognition.match import matches
from mfcc_assets.recognition.shortlist import shortlist

_MAXIMUM_TRACKS = 100
_PART_SECONDS = 20
_BIT_RATE = 64_000
_QUERY_RATES = (16_000, 24_000, 32_000)
_LARGEST_GAIN = 6.0

Signal = NDArray[np.float32]
Change = Callable[[Signal, int, np.random.Generator], Signal]
"""Makes a query of the signal of a whole track, given the sample rate and a source of chance."""


@dataclass(frozen=True)
class Trial:
    """The result of one change of all sampled tracks.

    Attributes
    ----------
    queries
        Number of changed tracks.
    own_track_first
        Share of queries that are recognised as their own track, or as another track that shares its audio.
    another_track
        Share of queries that are recognised as a track that shares no audio with them, when their own track and those
        that share its audio are not in the library.
    """

    queries: int
    own_track_first: float
    another_track: float


def _part(signal: Signal, rate: int, chance: np.random.Generator, seconds: float = _PART_SECONDS) -> Signal:
    length = min(len(signal), round(seconds * rate))
    begin = int(chance.integers(0, len(signal) - length, endpoint=True))
    return signal[begin : begin + length]


def _silence(seconds: float, rate: int) -> Signal:
    return np.zeros(round(seconds * rate), np.float32)


def _faded(signal: Signal, rate: int, chance: np.random.Generator) -> Signal:
    part = _part(signal, rate, chance)
    ramp = np.minimum(np.arange(len(part)) / (5 * rate), 1).astype(np.float32)
    return part * ramp * ramp[::-1]


def _with_pause(signal: Signal, rate: int, chance: np.random.Generator) -> Signal:
    halves = np.array_split(_part(signal, rate, chance), 2)
    return np.concatenate([halves[0], _silence(20, rate), halves[1]])


def _with_tone(signal: Signal, rate: int, chance: np.random.Generator) -> Signal:
    tone = 0.3 * np.sin(2 * np.pi * 440 / rate * np.arange(30 * rate))
    return np.concatenate([_part(signal, rate, chance), tone.astype(np.float32)])


def _with_noise(signal: Signal, rate: int, chance: np.random.Generator) -> Signal:
    noise = chance.normal(0, 0.05, 30 * rate)
    return np.concatenate([_part(signal, rate, chance), noise.astype(np.float32)])


CHANGES: Mapping[str, Change] = MappingProxyType(
    {
        "10 s": lambda signal, rate, chance: _part(signal, rate, chance, 10),
        "20 s": _part,
        "20 s, faded in and out": _faded,
        "30 s of silence, 20 s": lambda signal, rate, chance: np.concatenate(
            [_silence(30, rate), _part(signal, rate, chance)]
        ),
        "20 s, 30 s of silence": lambda signal, rate, chance: np.concatenate(
            [_part(signal, rate, chance), _silence(30, rate)]
        ),
        "10 s, 20 s of silence, 10 s": _with_pause,
        "the whole track, 300 s of silence": lambda signal, rate, _: np.concatenate([signal, _silence(300, rate)]),
        "20 s, 30 s of a tone": _with_tone,
        "20 s, 30 s of noise": _with_noise,
    }
)
"""The changes, by a description for people."""


def try_recognition(labelled: LabelledSet, library: AnalysedTracks, on_progress: Progress) -> dict[str, Trial]:
    """Change up to 100 tracks in every way, encode them as MP3, and try to recognise them.

    Parameters
    ----------
    labelled
        The labelled set.
    library
        All tracks of the set. They are the library.
    on_progress
        Called after each track.

    Returns
    -------
    dict
        Result of each change of `CHANGES`. Tracks of less than 20 s are not changed.
    """
    by_id = dict(zip(library.audio_ids, library.track_features, strict=True))
    fingerprints = Fingerprints.of([(audio_id, features.fingerprint) for audio_id, features in by_id.items()])
    rows = _sample(len(library.tracks))

    def outcomes_of(row: int) -> dict[str, tuple[bool, bool]]:
        own = library.audio_ids[row]
        shared = {own, *_recognised(labelled, labelled.cepstra(own), fingerprints)}
        return {
            name: (first in shared, bool(set(found) - shared))
            for name, cepstra in _queries(labelled, library, row).items()
            for found in [_recognised(labelled, cepstra, fingerprints)]
            for first in [found[0] if found else None]
        }

    outcomes = []
    for done, (_, outcome) in enumerate(labelled.for_each(outcomes_of, rows), start=1):
        on_progress(done, len(rows))
        outcomes.append(outcome)
    return {name: _trial([outcome[name] for outcome in outcomes if name in outcome]) for name in CHANGES}


def _queries(labelled: LabelledSet, library: AnalysedTracks, row: int) -> dict[str, NDArray[np.float32]]:
    """Return the cepstra of every changed copy of a track."""
    track, parameters = library.tracks[row], labelled.parameters.cepstra
    chance = np.random.default_rng(list(track.path.encode()))
    reader = AudioReader(labelled.file_of(track), parameters.sample_rate, parameters.trimmed_samples)
    try:
        signal = np.concatenate(list(reader.blocks()))
    except AudioError:
        return {}
    if len(signal) < _PART_SECONDS * parameters.sample_rate:
        return {}
    # The loudest sample of a query is below full scale, so that no 16-bit file clips.
    signal *= np.float32(0.8 / np.abs(signal).max())
    return {
        name: _encoded(change(signal, parameters.sample_rate, chance), parameters, chance)
        for name, change in CHANGES.items()
    }


def _encoded(signal: Signal, parameters: CepstraParameters, chance: np.random.Generator) -> NDArray[np.float32]:
    chain = Chain(
        sample_rate=int(chance.choice(_QUERY_RATES)),
        bit_rate=_BIT_RATE,
        gain=chance.uniform(-_LARGEST_GAIN, _LARGEST_GAIN),
    )
    with tempfile.TemporaryDirectory() as folder:
        changed, encoded = Path(folder, "changed.wav"), Path(folder, "encoded.mp3")
        soundfile.write(changed, signal, parameters.sample_rate, subtype="PCM_16")
        reencode(changed, encoded, chain)
        reader = AudioReader(encoded, parameters.sample_rate, parameters.trimmed_samples)
        return compute_cepstra(reader.blocks(), parameters)


def _recognised(labelled: LabelledSet, cepstra: NDArray[np.float32], fingerprints: Fingerprints) -> list[AudioId]:
    """Return the audio ids that a query is recognised as, the most similar first."""
    parameters = labelled.parameters.cepstra
    likely = shortlist(cepstra, [fingerprints], parameters)
    found = matches(cepstra, ((other, labelled.cepstra(other)) for other in likely), parameters)
    return [match.audio_id for match in found]


def _trial(outcomes: Sequence[tuple[bool, bool]]) -> Trial:
    count = max(1, len(outcomes))
    return Trial(len(outcomes), sum(own for own, _ in outcomes) / count, sum(other for _, other in outcomes) / count)


def _sample(tracks: int) -> list[int]:
    drawn = np.random.default_rng(0).choice(tracks, min(tracks, _MAXIMUM_TRACKS), replace=False)
    return sorted(drawn.tolist())
