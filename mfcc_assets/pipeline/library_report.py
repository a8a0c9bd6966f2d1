"""Reports and pictures for the owner of a library."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.evaluation.metrics import EVALUATED_COUNT
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.map_points import map_points
from mfcc_assets.pipeline.present_lists import is_in_library, present_lists
from mfcc_assets.pipeline.recordings import recordings_of
from mfcc_assets.plots.library_map import MOST_LABELS, library_map
from mfcc_assets.plots.projection import loneliest
from mfcc_assets.plots.tracks import coefficient_distributions
from mfcc_assets.search.cascade import COARSE_FACTOR
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.explain import meaning
from mfcc_assets.storage.sql.records import Reject, Soundtrack

_HUBS_NAMED = 10
_SAMPLED_FRAMES = 4_000


@dataclass(frozen=True)
class LibraryReport:
    """The contents of a library.

    Attributes
    ----------
    soundtracks
        All soundtracks.
    states
        Number of soundtracks in each state.
    duplicates
        Blob names of soundtracks that share their audio, in one group for each audio id.
    rejects
        Files that cannot be used.
    """

    soundtracks: Sequence[Soundtrack]
    states: dict[str, int]
    duplicates: list[list[str]]
    rejects: list[Reject]


def describe_library(library: Library) -> LibraryReport:
    """Return a report of the library from its tables."""
    soundtracks = library.catalogue.soundtracks()
    by_audio = dict[AudioId, list[str]]()
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
    """Tracks of an index that are recommended very often, and tracks that are never recommended.

    The first five recommendations of every track are counted.

    Attributes
    ----------
    hubs
        Names of the tracks in the most lists, with the number of lists, largest first.
    orphans
        Names of the tracks in no list.
    """

    hubs: list[tuple[str, int]]
    orphans: list[str]


def popularity(library: Library, index: LibraryIndex, soundtracks: Sequence[Soundtrack]) -> Popularity:
    """Count how often the stored rankings of an index recommend each track."""
    names = {track.track_id: track.display_name for track in soundtracks}
    counts = occurrences_of(library, index).tolist()
    counted = [
        (names[track], count) for track, count in zip(index.tracks.track_ids, counts, strict=True) if track in names
    ]
    hubs = sorted((hub for hub in counted if hub[1]), key=lambda hub: (-hub[1], hub[0]))
    return Popularity(hubs[:_HUBS_NAMED], sorted(name for name, count in counted if not count))


_known_occurrences: WeakKeyDictionary[LibraryIndex, NDArray[np.int64]] = WeakKeyDictionary()


def occurrences_of(library: Library, index: LibraryIndex) -> NDArray[np.int64]:
    """Return the number of lists that contain the recording of each audio id (tracks,), in the order of the index.

    They are counted once for an index that is open, since its rankings never change.
    """
    occurrences = _known_occurrences.get(index)
    if occurrences is None:
        recordings = recordings_of(library, index)
        in_library = is_in_library(library, recordings.tracks)
        counts = present_lists(library, index.version, recordings, in_library).occurrences(EVALUATED_COUNT)
        occurrences = _known_occurrences[index] = counts[recordings.rows]
    return occurrences


def picture_of_coefficients(library: Library, index: LibraryIndex) -> bytes:
    """Return a PNG of the distribution of each coefficient over an index."""

    def draw() -> bytes:
        frames = index.coarse_contours.sample(_SAMPLED_FRAMES)
        seconds = COARSE_FACTOR / index.parameters.features.contour_rate
        title = (
            f"The low band of the {len(index.tracks):,} tracks of the library, by coefficient (means of {seconds:g} s)"
        )
        parameters = index.parameters.features.cepstra
        numbers = range(1, frames.shape[1] + 1)
        meanings = [meaning(number, parameters)[0] for number in numbers]
        return coefficient_distributions(frames, title, meanings)

    return library.indexes.drawn_once(index.version, "coefficients-with-meanings.png", draw)


def picture_of_map(
    library: Library, index: LibraryIndex, soundtracks: Sequence[Soundtrack], *, most_tracks: int = 3_000
) -> bytes:
    """Return a PNG with a map of an index, on which tracks that sound alike lie together.

    The tracks are coloured by artist or by genre, whichever distinguishes more of them.

    Parameters
    ----------
    library, index, soundtracks
        The library, the index, and the soundtracks of the library.
    most_tracks
        Largest number of tracks on the map. A picture of more tracks would be unreadable. A larger library is
        represented by a sample.
    """
    by_id = {track.track_id: track for track in soundtracks}
    rows = np.linspace(0, len(index.tracks) - 1, min(len(index.tracks), most_tracks)).astype(np.int64)
    shown = [by_id.get(index.tracks.track_ids[row]) for row in rows.tolist()]
    kind, labels = _labels(shown)
    names = [track.display_title if track else "" for track in shown]

    def draw() -> bytes:
        points = map_points(library, index).points[rows].astype(np.float64)
        number = f"{len(rows):,}" if len(rows) == len(index.tracks) else f"{len(rows):,} of {len(index.tracks):,}"
        title = f"{number} tracks: those that sound alike lie together. Coloured by {kind}"
        return library_map(points, labels, {row: names[row] for row in loneliest(points)}, title)

    # The tags may change while the index stays the same.
    tags_digest = hashlib.blake2b(json.dumps([labels, names]).encode(), digest_size=6).hexdigest()
    return library.indexes.drawn_once(index.version, f"map-{tags_digest}.png", draw)


def _labels(tracks: Sequence[Soundtrack | None]) -> tuple[str, list[str]]:
    """Return the tag that distinguishes more tracks, artist or genre, and the value of each track."""

    def distinguished(labels: list[str]) -> int:
        common = Counter(label for label in labels if label).most_common(MOST_LABELS)
        return sum(count for _, count in common) if len(common) > 1 else 0

    kinds = {kind: [getattr(track, kind, "") for track in tracks] for kind in ("artist", "genre")}
    kind = max(kinds, key=lambda kind: distinguished(kinds[kind]))
    return kind, kinds[kind]
