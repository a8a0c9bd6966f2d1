"""Playlists out of the library: a path from one track to another, and what goes with several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import PlaylistImpossible, StoreError
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import distances_to
from mfcc_assets.pipeline.find_track import audio_in_index
from mfcc_assets.pipeline.list_rules import selection_of
from mfcc_assets.playlists.formats import Entry, format_of
from mfcc_assets.playlists.ordering import (
    flowing_order,
    points_between,
    rank_by_turns,
    smoothest_path,
    split_into_layers,
)
from mfcc_assets.playlists.selection import Selection, considered_count
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.blobs.port import LONGEST_LINK_SECONDS
from mfcc_assets.storage.sql.records import Soundtrack

_NEAR_A_POINT = 16
"""Tracks that are looked at around each point of a path."""

_LEAST_NEAR_A_SEED = 60


@dataclass(frozen=True)
class Playlist:
    """Tracks in an order to be heard in.

    Attributes
    ----------
    soundtracks
        From the first to the last.
    distances
        Of each but the first to the one before.
    """

    index_version: str
    soundtracks: list[Soundtrack]
    distances: list[float]


def path_between(library: Library, start: Soundtrack, end: Soundtrack, *, steps: int) -> Playlist:
    """A path from one track of the library to another, on which each track sounds like the one before.

    Evenly spaced points lie on the straight line between the embeddings of both ends; at each place of the path are
    the tracks around its point. Of these the path is made whose largest step, in distances of the index's ranking, is
    the smallest, and then the sum of all; that no artist comes more often than the settings allow, as far as it can be
    had, goes before both. No recording comes twice.

    Parameters
    ----------
    steps
        Tracks of the path, both ends included; fewer where the library has no more.

    Raises
    ------
    NoPublishedIndex, CorruptIndex
        There is nothing to search.
    FeaturesMissing
        An end is not in the index.
    PlaylistImpossible
        Both ends are one recording.
    ValueError
        `steps` is below 2.
    """
    if steps < 2:
        raise ValueError(f"a path has at least its two ends, not {steps} tracks")
    index = library.indexes.published()
    ends = [audio_in_index(index, start), audio_in_index(index, end)]
    first, last = _embeddings(index, ends)
    points = points_between(first, last, steps)
    found = _near(index, points, _NEAR_A_POINT)
    if len(found) < considered_count(steps):  # both ends lie close together, and so do all points
        found = _near(index, points, considered_count(steps))
    tracks = library.catalogue.tracks_of_audio([*ends, *found])
    selection = selection_of(library, index, tracks)
    if selection.is_one_of(ends[1], ends[:1]):
        raise PlaylistImpossible(
            "this is the recording that the path begins with",
            subject=end.title or end.blob_name,
            remedy="Choose another track to go to",
        )
    others = selection.distinct([*ends, *(audio_id for audio_id in found if audio_id in tracks)])[len(ends) :]
    between = _between(library, index, selection, ends, others, min(steps - 2, len(others)))
    return _playlist(library, index, tracks, [ends[0], *between, ends[1]])


def playlist_from(library: Library, seeds: Sequence[Soundtrack], *, size: int) -> Playlist:
    """A playlist of what goes with several tracks, which themselves are not on it.

    The seeds take turns, each with the best of those tracks that stand higher on its own list than on any other seed's,
    so that each has its share. The best is for which it is the least likely that any other track is nearer to all seeds
    (`mfcc_assets.playlists.ordering.rank_by_turns`): near to several comes before very near to one, and that before half
    way.

    What is chosen is then put into an order in which each track is near to the one before.

    Parameters
    ----------
    size
        Tracks of the playlist; fewer where the library has no more.

    Raises
    ------
    NoPublishedIndex, CorruptIndex
        There is nothing to search.
    FeaturesMissing
        A seed is not in the index.
    PlaylistImpossible
        There are more seeds than tracks wanted, so that some would go unheard.
    ValueError
        There is no seed.
    """
    if not seeds:
        raise ValueError("a playlist needs a seed")
    index = library.indexes.published()
    known = list(dict.fromkeys(audio_in_index(index, seed) for seed in seeds))
    if len(known) > size:
        raise PlaylistImpossible(
            f"{size} tracks cannot represent {len(known)} seeds", remedy="Ask for more tracks, or give fewer seeds"
        )
    found = _near(index, _embeddings(index, known), max(_LEAST_NEAR_A_SEED, considered_count(size)) + len(known))
    tracks = library.catalogue.tracks_of_audio([*known, *found])
    candidates = [audio_id for audio_id in found if audio_id in tracks and audio_id not in known]
    ranked = rank_by_turns(_distances(library, index, known, candidates)) if candidates else []
    selection = selection_of(library, index, tracks)
    chosen = selection.choose((candidates[row] for row in ranked), size, without=known)
    if not chosen:
        return Playlist(index.version, [], [])
    nearest_to_first = int(_distances(library, index, known[:1], chosen).argmin())
    order = flowing_order(_distances_among(library, index, chosen), nearest_to_first)
    return _playlist(library, index, tracks, [chosen[row] for row in order])


def _embeddings(index: LibraryIndex, audio_ids: Sequence[str]) -> NDArray[np.float32]:
    return index.calibration.embedding(index.feature_table.rows(index.tracks.rows(audio_ids)))


def _near(index: LibraryIndex, embeddings: NDArray[np.float32], size: int) -> list[str]:
    """Audio around each of some points, none twice."""
    return sorted({audio_id for hits in index.vector_index.search(embeddings, size) for audio_id in hits.audio_ids})


def _between(
    library: Library, index: LibraryIndex, selection: Selection, ends: Sequence[str], others: Sequence[str], count: int
) -> list[str]:
    if not count:
        return []
    every = [*ends, *others]
    rows = {audio_id: row for row, audio_id in enumerate(every)}
    first, last = _embeddings(index, ends)
    points = points_between(first, last, count + 2)[1:-1]
    near = [
        [rows[audio_id] for audio_id in hits.audio_ids if rows.get(audio_id, 0) >= len(ends)]
        for hits in index.vector_index.search(points, _NEAR_A_POINT)
    ]
    distances = np.zeros((len(every), len(every)))

    def surplus(path: Sequence[int]) -> int:
        return len(selection.beyond_cap([*ends, *(every[row] for row in path if row >= len(ends))]))

    def path_through(layers: Sequence[Sequence[int]]) -> list[int] | None:
        places = [[0], *layers, [1]]
        _fill_in(library, index, every, places, distances)
        return smoothest_path(places, distances, surplus)

    path = path_through(near) if all(near) else None
    if path is None:
        # A path about as long as the library finds no way through what is near; through even parts there is always one.
        from_start, to_end = _distances(library, index, ends, others)
        apart = split_into_layers(from_start, to_end, count)
        path = path_through([(layer + len(ends)).tolist() for layer in apart])
    assert path is not None
    return [every[row] for row in path[1:-1]]


def _fill_in(
    library: Library,
    index: LibraryIndex,
    audio_ids: Sequence[str],
    layers: Sequence[Sequence[int]],
    distances: NDArray[np.float64],
) -> None:
    """Measure the distances from each layer to the next, where that was not done."""
    for here, there in pairwise(layers):
        for row in here:
            unknown = [other for other in there if other != row and not distances[row, other]]
            if unknown:
                (found,) = _distances(library, index, [audio_ids[row]], [audio_ids[other] for other in unknown])
                distances[row, unknown] = distances[unknown, row] = found


def _distances(
    library: Library, index: LibraryIndex, audio_ids: Sequence[str], others: Sequence[str]
) -> NDArray[np.float64]:
    """Distances (audio, others) by the index's ranking."""
    rows = (distances_to(library, index, audio_id, others) for audio_id in audio_ids)
    return np.array([[row[other] for other in others] for row in rows])


def _distances_among(library: Library, index: LibraryIndex, audio_ids: Sequence[str]) -> NDArray[np.float64]:
    distances = np.zeros((len(audio_ids), len(audio_ids)))
    for row in range(1, len(audio_ids)):
        (distances[row, :row],) = _distances(library, index, [audio_ids[row]], audio_ids[:row])
    return distances + distances.T


def _playlist(
    library: Library, index: LibraryIndex, tracks: Mapping[str, Soundtrack], audio_ids: Sequence[str]
) -> Playlist:
    distances = [distances_to(library, index, one, [other])[other] for one, other in pairwise(audio_ids)]
    return Playlist(index.version, [tracks[audio_id] for audio_id in audio_ids], distances)


def export_playlist(library: Library, path: Path, title: str, soundtracks: Sequence[Soundtrack]) -> None:
    """Write tracks of the library as a playlist; the suffix of the file decides the format.

    Tracks lie where the library keeps them: as paths where that is this machine, otherwise as signed links, which end
    after an hour: whoever has the file has the music. Export again then.

    Raises
    ------
    UnknownPlaylistFormat
        No format has this suffix.
    StoreError
        The file cannot be written.
    """
    text = format_of(path)(title, [_entry(library, track) for track in soundtracks])
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise StoreError(
            f"the playlist cannot be written ({error.strerror or error})",
            subject=str(path),
            remedy="Check that the folder is there, and its permissions",
        ) from error


def _entry(library: Library, track: Soundtrack) -> Entry:
    path = library.blobs.path("soundtracks", track.blob_name)
    return Entry(
        location=path or library.blobs.link("soundtracks", track.blob_name, seconds=LONGEST_LINK_SECONDS),
        title=track.title or Path(track.blob_name).stem,
        artist=track.artist,
        album=track.album,
        seconds=track.seconds,
        identifier=f"urn:mfcc:{track.track_id}",
    )
