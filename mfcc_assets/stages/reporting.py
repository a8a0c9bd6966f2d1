"""What a library is made of, and what it still waits for."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.core.cascade import OUTLINE
from mfcc_assets.core.catalogue import difference
from mfcc_assets.core.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.core.evaluation import EVALUATED_PLACES
from mfcc_assets.core.plots import MOST_LABELS, coefficient_distributions, library_map
from mfcc_assets.core.projection import loneliest, project
from mfcc_assets.library import Library
from mfcc_assets.stages.once import drawn_once, measured_once
from mfcc_assets.stages.publishing import is_withheld
from mfcc_assets.stages.quality import stored_rankings
from mfcc_assets.stages.ranking import recommended_places
from mfcc_assets.stages.selecting import selection_of
from mfcc_assets.stores.blobs import Blob
from mfcc_assets.stores.library_index import LibraryIndex
from mfcc_assets.stores.records import Reject, Soundtrack

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
    soundtracks = library.tables.soundtracks()
    by_audio: dict[str, list[str]] = {}
    for track in soundtracks:
        if track.audio_id:
            by_audio.setdefault(track.audio_id, []).append(track.blob_name)
    return LibraryReport(
        soundtracks=soundtracks,
        states=dict(Counter(track.state for track in soundtracks)),
        duplicates=[names for names in by_audio.values() if len(names) > 1],
        rejects=library.tables.rejects(),
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
        counts = Counter(audio for named in ranked for audio in named[:EVALUATED_PLACES])
        return {"occurrences": np.array([counts[audio] for audio in index.tracks.audio_ids], np.int64)}

    occurrences: NDArray[np.int64] = measured_once(library, index.version, "occurrences.npz", count)["occurrences"]
    return occurrences


def picture_of_coefficients(library: Library, index: LibraryIndex) -> bytes:
    """How the coefficients are distributed over an index, a PNG."""

    def draw() -> bytes:
        rows = np.linspace(0, len(index.outlines.frames) - 1, _DISTRIBUTED_FRAMES).astype(int)
        seconds = OUTLINE / index.parameters.features.contour_rate
        title = f"Each coefficient over the {len(index.tracks):,} tracks of the library (means of {seconds:g} s)"
        return coefficient_distributions(index.outlines.frames[rows], title)

    return drawn_once(library, index.version, "coefficients.png", draw)


def picture_of_map(library: Library, index: LibraryIndex, soundtracks: Sequence[Soundtrack]) -> bytes:
    """A map of an index, on which tracks that sound alike lie together, coloured by artist or genre, a PNG."""
    by_id = {track.track_id: track for track in soundtracks}
    rows = np.linspace(0, len(index.tracks) - 1, min(len(index.tracks), MOST_ON_MAP)).astype(np.int64)
    shown = [by_id.get(index.tracks.track_ids[row]) for row in rows.tolist()]
    kind, labels = _labels(shown)
    names = [track.title or track.blob_name if track else "" for track in shown]

    def draw() -> bytes:
        points = project(index.calibration.embedding(index.summaries.rows(rows)))
        number = f"{len(rows):,}" if len(rows) == len(index.tracks) else f"{len(rows):,} of {len(index.tracks):,}"
        title = f"{number} tracks: those that sound alike lie together. Coloured by {kind}"
        return library_map(points, labels, {row: names[row] for row in loneliest(points)}, title)

    # Tags may change while the index stays.
    written = hashlib.blake2b(json.dumps([labels, names]).encode(), digest_size=6).hexdigest()
    return drawn_once(library, index.version, f"map-{written}.png", draw)


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


def changed_soundtracks(library: Library, files: Mapping[str, Blob]) -> dict[str, Blob]:
    """Those of the files that came or changed since a run over the library last looked at them, by name."""
    known = library.tables.manifest(library.shards)
    return {name: blob for name, blob in files.items() if known.get(name) != blob.etag}


def outstanding_work(library: Library) -> list[str]:
    """What a run over the library would change, as lines that name it; nothing where the library is up to date.

    It looks at the state and not at events, so that it finds what a killed run left behind, too.
    """
    listing = {name: blob.etag for name, blob in library.soundtrack_files().items()}
    found = difference(listing, library.tables.manifest(library.shards))
    lines = [f"{outcome} {name}" for name, outcome in found.outcomes.items() if outcome != "unchanged"]
    lines += [f"waiting {name}" for name in library.tables.waiting()]
    try:
        return lines + _outstanding_of_index(library, library.indexes.published().opened())
    except (NoPublishedIndex, CorruptIndex) as error:
        return [*lines, str(error)] if lines or library.tables.progress()[1] else lines


def _outstanding_of_index(library: Library, published: LibraryIndex) -> list[str]:
    differences = []
    if published.parameters != library.index_parameters:
        differences.append(f"parameters of index {published.version} are not those of the settings")
    if published.tracks != library.tables.audio():
        differences.append(f"index {published.version} was built from other tracks")
    if differences and is_withheld(library):
        # An index of other tracks cannot recommend for all there are; its rows are right when no other's are left.
        differences = []
        unserved = library.tables.soundtracks_of_other_indexes(published.version)
    else:
        size = min(library.settings.recommendations, len(published.tracks) - 1)
        served = library.tables.unserved_soundtracks(published.version, size)
        unserved = 0 if _have_all_there_is(library, published, served) else len(served)
    missing = [f"{unserved} soundtracks lack recommendations of index {published.version}"] if unserved else []
    return differences + missing


def _have_all_there_is(library: Library, index: LibraryIndex, served: Mapping[str, int]) -> bool:
    """Whether these lists are only short because the library is, and holds recordings twice."""
    if not served:
        return True
    selection = selection_of(library, index, library.tables.credits())
    for shard in library.shards:
        audio_ids = library.tables.audio_of_soundtracks(shard)
        queries = {track: audio for track, audio in audio_ids.items() if track in served}
        try:
            lists = recommended_places(library, index, selection, queries)
        except NoPublishedIndex:
            return False
        if any(len(lists[track]) != served[track] for track in lists):
            return False
    return True
