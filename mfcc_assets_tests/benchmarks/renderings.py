"""A test whether other performances of a piece are found. A synthesiser plays scores in several ways.

`python -m mfcc_assets_tests.benchmarks.renderings --work DIR [--corpus DIR]` writes the renderings and their manifest
into DIR/renderings, and prints a table. `mfcc evaluate` can read the manifest, too. The program needs the Debian
packages fluidsynth and fluid-soundfont-gm.
"""

import argparse
import csv
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.reader import AudioReader
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.evaluation.manifest import LabelledTrack
from mfcc_assets.evaluation.metrics import RankedIds, mean_average_precision, ranked_by
from mfcc_assets.features.chroma import CHROMA_SAMPLE_RATE, chroma_of
from mfcc_assets.ids import track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.quality import labelled_set
from mfcc_assets.ranking_names import DEFAULT_RANKING
from mfcc_assets.settings import Settings
from mfcc_assets.similarity.harmony import OTHER_PERFORMANCE, shared_harmony
from mfcc_assets.similarity.pairwise import Comparison, Tracks, uncorrected_names
from mfcc_assets.similarity.rankings import RANKINGS
from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.benchmarks.report import Section

SCORES = (
    "beethoven/opus18no1/movement1",
    "beethoven/opus18no1/movement3",
    "beethoven/opus59no1/movement1",
    "beethoven/opus59no1/movement3",
    "chopin/mazurka06-2",
    "corelli/opus3no1/1grave",
    "haydn/opus1no1/movement1",
    "haydn/opus1no1/movement3",
    "haydn/opus74no1/movement1",
    "haydn/opus74no1/movement2",
    "joplin/maple_leaf_rag",
    "mozart/k155/movement1",
    "mozart/k155/movement2",
    "mozart/k156/movement1",
    "mozart/k156/movement2",
    "mozart/k458/movement1",
    "mozart/k458/movement3",
    "mozart/k545/movement1_exposition",
    "mozart/k80/movement1",
    "mozart/k80/movement2",
    "schubert/lindenbaum",
    "schumann_clara/polonaise_op1n1",
    "schumann_clara/polonaise_op1n2",
    "schumann_robert/opus41no1/movement1",
)
"""Scores in the corpus of music21, which are in the public domain."""

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
SECONDS = 45.0
"""Length of the original rendering. All renderings of a piece play the same notes."""

QUARTERS_PER_MINUTE = 100
TICKS_PER_SECOND = 960
RUBATO = 0.08
"""Standard deviation of the logarithm of the tempo."""

_WAVES = 4

_NOTE_OFF, _NOTE_ON, _PROGRAM, _END = 0x80, 0x90, 0xC0, b"\x00\xff\x2f\x00"

PIANO, CHURCH_ORGAN, STRING_ENSEMBLE = 0, 19, 48  # program numbers of General MIDI, counted from 0

ORIGINAL = "original"
LEAST_PRECISION = 0.99
SAME_INSTRUMENT = "same instrument, tempo ± 15 %, rubato"


@dataclass(frozen=True)
class Manner:
    """The manner in which a score is played."""

    instrument: int = PIANO
    tempo: float = 1.0
    rubato: float = 0.0
    semitones: int = 0


MANNERS: Mapping[str, Manner] = {
    ORIGINAL: Manner(),
    "slower": Manner(tempo=0.85, rubato=RUBATO),
    "faster": Manner(tempo=1.15, rubato=RUBATO),
    "strings": Manner(instrument=STRING_ENSEMBLE),
    "organ": Manner(instrument=CHURCH_ORGAN),
    "transposed": Manner(semitones=2),
}

KINDS: Mapping[str, Sequence[str]] = {
    SAME_INSTRUMENT: ("slower", "faster"),
    "other instrument: strings, organ": ("strings", "organ"),
    "transposed by two semitones": ("transposed",),
}
"""The manners that differ from the original, by kind of difference."""


@dataclass(frozen=True)
class Rendering:
    """A score played in one of the manners."""

    score: str
    manner: str

    @property
    def track(self) -> LabelledTrack:
        composer = self.score.partition("/")[0]
        return LabelledTrack(self.path, artist=composer, source="FluidSynth", work=self.score)

    @property
    def path(self) -> str:
        return f"{self.score.replace('/', '_')}_{self.manner}.ogg"


RENDERINGS = [Rendering(score, manner) for score in SCORES for manner in MANNERS]


@dataclass(frozen=True)
class Notes:
    """The notes of a piece: the begin and the end of each note in quarters, and its MIDI pitch."""

    begins: NDArray[np.float64]
    ends: NDArray[np.float64]
    pitches: NDArray[np.int64]


def notes_of(score: str) -> Notes:
    """Read the beginning of a score from the corpus of music21."""
    from music21 import corpus

    last = SECONDS * QUARTERS_PER_MINUTE / 60
    sounding = [
        (float(note.offset), float(note.offset + note.quarterLength), pitch.midi)
        for note in corpus.parse(score).stripTies().flatten().notes
        for pitch in note.pitches
        if note.offset < last and note.quarterLength > 0
    ]
    begins, ends, pitches = zip(*sounding, strict=True)
    return Notes(np.array(begins), np.array(ends), np.array(pitches))


def midi_of(notes: Notes, manner: Manner, rng: np.random.Generator) -> bytes:
    """Make a MIDI file of a piece, in which the loudness varies a little from note to note."""
    begins, ends = ((TICKS_PER_SECOND * seconds).round().astype(int) for seconds in _in_seconds(notes, manner, rng))
    velocities = rng.integers(68, 96, len(begins))
    events = [(0, bytes([_PROGRAM, manner.instrument]))]
    for begin, end, pitch, velocity in zip(begins, ends, notes.pitches + manner.semitones, velocities, strict=True):
        events.append((begin, bytes([_NOTE_ON, pitch, velocity])))
        events.append((max(begin + 1, end), bytes([_NOTE_OFF, pitch, 0])))
    # If a note ends at the moment when the same note begins again, the end must come first.
    events.sort(key=lambda event: (event[0], event[1][0] == _NOTE_ON))
    times = np.diff([time for time, _ in events], prepend=0).tolist()
    track = b"".join(_variable_length(time) + message for time, (_, message) in zip(times, events, strict=True))
    return _chunk(b"MThd", struct.pack(">HHH", 0, 1, TICKS_PER_SECOND // 2)) + _chunk(b"MTrk", track + _END)


def _in_seconds(
    notes: Notes, manner: Manner, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the begin and the end of each note in seconds. The tempo sways in waves of some bars."""
    quarters = np.arange(0, notes.ends.max() + 1, 0.25)
    lengths, phases = rng.uniform(8, 32, _WAVES), rng.uniform(0, 2 * np.pi, _WAVES)
    sway = np.sin(2 * np.pi * quarters[:, np.newaxis] / lengths + phases).sum(axis=1) / np.sqrt(_WAVES / 2)
    durations = np.diff(quarters, prepend=0) * np.exp(manner.rubato * sway)
    clock = durations.cumsum() * 60 / QUARTERS_PER_MINUTE / manner.tempo
    return np.interp(notes.begins, quarters, clock), np.interp(notes.ends, quarters, clock)


def _variable_length(number: int) -> bytes:
    """Encode a number as MIDI files do: seven bits per byte, with the eighth bit set in all bytes but the last."""
    coded = [number & 0x7F]
    while number := number >> 7:
        coded.append(number & 0x7F | 0x80)
    return bytes(reversed(coded))


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack(">I", len(content)) + content


def render_all(folder: Path) -> None:
    """Write every missing rendering, and the manifest of all."""
    folder.mkdir(parents=True, exist_ok=True)
    for score, _ in on_all_cores(lambda score: _render(folder, score), SCORES):
        sys.stderr.write(f"{score}\n")
    with (folder / "manifest.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "artist", "source", "work", "kind"])
        for rendering in RENDERINGS:
            track = rendering.track
            rows.writerow([track.path, track.artist, track.source, track.work, rendering.manner])


def _render(folder: Path, score: str) -> None:
    wanted = [Rendering(score, manner) for manner in MANNERS]
    missing = [rendering for rendering in wanted if not (folder / rendering.path).exists()]
    if not missing:
        return
    notes = notes_of(score)
    for rendering in missing:
        rng = np.random.default_rng(list(f"{score}{rendering.manner}".encode()))
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            midi, sound = Path(scratch) / "score.mid", Path(scratch) / rendering.path
            midi.write_bytes(midi_of(notes, MANNERS[rendering.manner], rng))
            command = ["fluidsynth", "-niq", "-r", "44100", "-g", "0.5", "-T", "oga", "-F", str(sound)]
            subprocess.run([*command, str(SOUNDFONT), str(midi)], check=True, stdout=subprocess.DEVNULL)
            sound.replace(folder / rendering.path)


def precision_by_kind(ranked: RankedIds) -> dict[str, float | None]:
    """Compute the mean average precision for each kind of difference.

    The originals and the renderings of one kind are the queries. The relevant tracks are the other ones of these that
    play the same piece. Renderings of the same piece of another kind are ignored; all other tracks count as wrong.
    """
    score_of = {rendering.path: rendering.score for rendering in RENDERINGS}

    def of_kind(manners: Sequence[str]) -> float | None:
        wanted = {rendering.path for rendering in RENDERINGS if rendering.manner in (ORIGINAL, *manners)}
        lists = {
            query: [other for other in ranked[query] if other in wanted or score_of.get(other) != score_of[query]]
            for query in sorted(wanted)
        }
        return mean_average_precision(lists, {path: score_of[path] for path in wanted})

    return {kind: of_kind(manners) for kind, manners in KINDS.items()}


def measure(work: Path, music: Path | None) -> Section:
    """Render the scores, analyse them, and measure the precision. Other music, if given, adds wrong answers."""
    render_all(work / "renderings")
    renderings = [rendering.track for rendering in RENDERINGS]
    others = [LabelledTrack(track.name) for track in Corpus(music, work).tracks] if music else []
    with Library(Settings(home=work)) as library:
        sets = [(work / "renderings", renderings), *([(music, others)] if music else [])]
        analysed = [labelled_set(library, folder, tracks).analyse(_silent) for folder, tracks in sets]
        parameters = library.feature_parameters
    track_features = {
        track.path: track_features
        for found in analysed
        for track, track_features in zip(found.tracks, found.track_features, strict=True)
    }
    names = sorted(track_features, key=track_id)
    comparison = Comparison(Tracks.of([track_features[name] for name in names], parameters), on_all_cores)
    distances = {name: comparison.by_ranking(ranking) for name, ranking in RANKINGS.items()}
    distances |= {name: comparison.uncorrected(part) for name, part in uncorrected_names(RANKINGS).items()}
    files = {track.path: folder / track.path for folder, tracks in sets for track in tracks}
    recordings = {name: first for found in analysed for name, first in found.recordings.items()}
    similarities = harmony_similarities(work / "chroma", [files[name] for name in names])
    distances["harmony, apart from the rankings"] = np.where(np.eye(len(names), dtype=bool), np.inf, 1 - similarities)
    scores = {name: precision_by_kind(ranked_by(found, names)) for name, found in distances.items()}
    reached = scores[DEFAULT_RANKING][SAME_INSTRUMENT] or 0.0
    return (
        Section("Renderings")
        .text(
            f"The test uses {len(SCORES)} pieces, each in {len(MANNERS)} renderings of about {SECONDS:.0f} s, and "
            f"{len(others)} tracks of other music. The target for {SAME_INSTRUMENT} is {LEAST_PRECISION} by the "
            f"ranking `{DEFAULT_RANKING}`. Result: {reached:.3f}, "
            f"{'met' if reached >= LEAST_PRECISION else '**missed**'}."
        )
        .table(
            ["mean average precision", *KINDS],
            [[f"`{name}`", *(f"{found[kind]:.3f}" for kind in KINDS)] for name, found in scores.items()],
        )
        .text(_false_alarms(similarities, names, {track.path for track in others}, recordings))
    )


def harmony_similarities(kept: Path, files: Sequence[Path]) -> NDArray[np.float64]:
    """Return how much harmony all files share with each other, 0 to 1. The chroma is kept in a folder."""
    kept.mkdir(parents=True, exist_ok=True)

    def chroma(file: Path) -> NDArray[np.float32]:
        stored = kept / f"{track_id(str(file))}.npy"
        if not stored.exists():
            np.save(stored, chroma_of(AudioReader(file, CHROMA_SAMPLE_RATE, 0).blocks()))
        found: NDArray[np.float32] = np.load(stored)
        return found

    by_file = dict(on_all_cores(chroma, files))

    def row(number: int) -> list[float]:
        pairs = (shared_harmony(by_file[files[number]], by_file[other]) for other in files[number + 1 :])
        return [same.similarity if same else 0.0 for same in pairs]

    similarities = np.zeros((len(files), len(files)))
    for number, found in on_all_cores(row, range(len(files))):
        similarities[number, number + 1 :] = similarities[number + 1 :, number] = found
    return similarities


def _false_alarms(
    similarities: NDArray[np.float64], names: Sequence[str], others: set[str], recordings: Mapping[str, str]
) -> str:
    """Tell how many tracks of other music seem to be other performances of one piece."""
    rows = [row for row, name in enumerate(names) if name in others and recordings.get(name, name) == name]
    alike = np.triu(similarities[np.ix_(rows, rows)] >= OTHER_PERFORMANCE, k=1)
    count = len(rows)
    return (
        f"Of {count * (count - 1) // 2:,} pairs of other recordings, {alike.sum()} count as performances of one piece "
        f"(similarity of at least {OTHER_PERFORMANCE}); {(alike | alike.T).any(axis=1).sum()} of {count} tracks are in "
        "such a pair. Some of them are true: games have several arrangements of one theme."
    )


def _silent(done: int, total: int) -> None:
    """Report no progress."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for renderings and features")
    parser.add_argument("--corpus", type=Path, help="folder of the development corpus, which is used as other music")
    chosen = parser.parse_args()
    sys.stdout.write(f"{measure(chosen.work, chosen.corpus)}\n")
