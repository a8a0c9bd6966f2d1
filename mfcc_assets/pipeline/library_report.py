"""What a library is made of, and what it still waits for."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.evaluation.metrics import EVALUATED_COUNT
from mfcc_assets.library import Library
from mfcc_assets.pipeline.quality import stored_rankings
from mfcc_assets.plots.library_map import MOST_LABELS, library_map
from mfcc_assets.plots.projection import loneliest, project
from mfcc_assets.plots.tracks import coefficient_distributions
from mfcc_assets.search.cascade import COARSE_FACTOR
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.sql.records import Reject, Soundtrack

MOST_ON_MAP = 1_000
"""Placing them takes 1.2 s, and more could not be told apart. Of a larger library a sample is drawn."""

_HUBS_NAMED = 10
_DISTRIBUTED_FRAMES = 4_000


@dataclass(frozen=True)
class LibraryReport:
    """A library as its owner wants to see it.

    Attributes
    ----------
    states
        Number of soundtracks in each state.
    duplicates
        Names of the soundtracks that share their audio, a group an audio.
    """

    soundtracks: Sequence[Soundtrack]
    states: dict[str, int]
    duplicates: list[list[str]]
    rejects: list[Reject]


def describe_library(library: Library) -> LibraryReport:
    """Describe the library as its tables have it."""
    soundtracks = library.catalogue.soundtracks()
    by_audio: dict[str, list[str]] = {}
    for track in soundtracks:
        if track.audio_id:
            by_audio.setdefault(track.audio_id, []).append(track.blob_name)
    return LibraryReport(
        soundtracks=soundtracks,
        states=dict(Counter(track.state for track in soundtracks)),
        duplicates=[names for names in by_audio.values() if len(names) > 1],
        rejects=library.catalogue.rejects(),
    )


@dataclass(frozen=True)
class Popularity:
    """How often the tracks of an index are recommended, among the first five of every other track.

    Attributes
    ----------
    hubs
        The tracks that most lists name, with how many do, the most first.
    orphans
        The tracks that no list names.
    """

    hubs: list[tuple[str, int]]
    orphans: list[str]


def popularity(library: Library, index: LibraryIndex, soundtracks: Sequence[Soundtrack]) -> Popularity:
    """Count who is recommended by the stored rankings of an index."""
    names = {track.track_id: _name(track) for track in soundtracks}
    counts = _occurrences(library, index).tolist()
    there = [
        (names[track], count) for track, count in zip(index.tracks.track_ids, counts, strict=True) if track in names
    ]
    hubs = sorted((hub for hub in there if hub[1]), key=lambda hub: (-hub[1], hub[0]))
    return Popularity(hubs[:_HUBS_NAMED], sorted(name for name, count in there if not count))


def _occurrences(library: Library, index: LibraryIndex) -> NDArray[np.int64]:
    """In how many lists each audio of an index stands, in its order. Counted once: rankings of a version stay."""

    def count() -> dict[str, NDArray[np.int64]]:
        ranked = stored_rankings(library, index.version).values()
        counts = Counter(audio_id for named in ranked for audio_id in named[:EVALUATED_COUNT])
        return {"occurrences": np.array([counts[audio_id] for audio_id in index.tracks.audio_ids], np.int64)}

    occurrences: NDArray[np.int64] = library.indexes.measured_once(index.version, "occurrences.npz", count)[
        "occurrences"
    ]
    return occurrences


def picture_of_coefficients(library: Library, index: LibraryIndex) -> bytes:
    """How the coefficients are distributed over an index, a PNG."""

    def draw() -> bytes:
        rows = np.linspace(0, len(index.coarse_contours.frames) - 1, _DISTRIBUTED_FRAMES).astype(int)
        seconds = COARSE_FACTOR / index.parameters.features.contour_rate
        title = f"Each coefficient over the {len(index.tracks):,} tracks of the library (means of {seconds:g} s)"
        return coefficient_distributions(index.coarse_contours.frames[rows], title)

    return library.indexes.drawn_once(index.version, "coefficients.png", draw)


def picture_of_map(library: Library, index: LibraryIndex, soundtracks: Sequence[Soundtrack]) -> bytes:
    """A map of an index, on which tracks that sound alike lie together, coloured by artist or genre, a PNG."""
    by_id = {track.track_id: track for track in soundtracks}
    rows = np.linspace(0, len(index.tracks) - 1, min(len(index.tracks), MOST_ON_MAP)).astype(np.int64)
    shown = [by_id.get(index.tracks.track_ids[row]) for row in rows.tolist()]
    kind, labels = _labels(shown)
    names = [track.title or track.blob_name if track else "" for track in shown]

    def draw() -> bytes:
        points = project(index.calibration.embedding(index.feature_table.rows(rows)))
        number = f"{len(rows):,}" if len(rows) == len(index.tracks) else f"{len(rows):,} of {len(index.tracks):,}"
        title = f"{number} tracks: those that sound alike lie together. Coloured by {kind}"
        return library_map(points, labels, {row: names[row] for row in loneliest(points)}, title)

    # Tags may change while the index stays.
    written = hashlib.blake2b(json.dumps([labels, names]).encode(), digest_size=6).hexdigest()
    return library.indexes.drawn_once(index.version, f"map-{written}.png", draw)


def _labels(tracks: Sequence[Soundtrack | None]) -> tuple[str, list[str]]:
    """Artists or genres, whichever tell more tracks apart, and of each track its own."""

    def told_apart(labels: list[str]) -> int:
        common = Counter(label for label in labels if label).most_common(MOST_LABELS)
        return sum(count for _, count in common) if len(common) > 1 else 0

    kinds = {kind: [getattr(track, kind, "") for track in tracks] for kind in ("artist", "genre")}
    kind = max(kinds, key=lambda kind: told_apart(kinds[kind]))
    return kind, kinds[kind]


def _name(track: Soundtrack) -> str:
    title = track.title or track.blob_name
    return f"{title} by {track.artist}" if track.artist else title
