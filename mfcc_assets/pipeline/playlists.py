"""Playlists from a library: a path from one track to another, tracks that go with several seeds, and playlist files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.credits import named
from mfcc_assets.errors import PlaylistImpossible, StoreError
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import distances_to
from mfcc_assets.pipeline.find_track import audio_in_index
from mfcc_assets.pipeline.list_rules import selection_of
from mfcc_assets.pipeline.opened_index import OpenedIndex
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
from mfcc_assets.similarity.nearness import Nearness
from mfcc_assets.storage.blobs.port import LONGEST_LINK_SECONDS, SOUNDTRACKS
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.texts import printable

_NEAR_A_POINT = 16
"""Number of tracks around each point of a path that are considered."""

_MINIMUM_NEAR_A_SEED = 60
"""Smallest number of tracks around each seed that are considered."""


@dataclass(frozen=True)
class Playlist:
    """Tracks in the order in which they should be heard.

    Attributes
    ----------
    index_version
        Version of the index that the playlist was made from.
    soundtracks
        The tracks, from the first to the last.
    distances
        Distance of each track, except for the first, to the track before it.
    nearness
        How near each track, except for the first, is to the track before it. It is None if the library is too small
        to say it.
    """

    index_version: str
    soundtracks: list[Soundtrack]
    distances: list[float]
    nearness: list[Nearness | None]


def path_between(library: Library, opened: OpenedIndex, start: Soundtrack, end: Soundtrack, *, steps: int) -> Playlist:
    """Return a path from one track of the library to another, on which each track sounds like the one before it.

    Evenly spaced points lie on the straight line between the embeddings of both ends. The tracks around each point may
    stand at the same position of the path. Among all such paths, the function takes the one whose largest step is the
    smallest, and then the one with the smallest sum of steps. Steps are distances by the index's ranking. Paths on
    which no artist and no album exceeds the limit `MFCC_PER_ARTIST` come before all others. No recording comes twice.

    Parameters
    ----------
    library
        The library.
    opened
        Its published index.
    start, end
        The ends of the path.
    steps
        Number of tracks of the path, including both ends. The path is shorter if the library has fewer tracks.

    Raises
    ------
    CorruptIndex
        If the index cannot be read.
    FeaturesMissing
        If an end is not in the index.
    PlaylistImpossible
        If both ends are the same recording.
    ValueError
        If `steps` is below 2.

    Examples
    --------
    Print the titles of a path of eight tracks::

        opened = OpenedIndex(library, published_index(library))
        ends = find_track(library, "Ocean"), find_track(library, "Palace")
        path = path_between(library, opened, *ends, steps=8)
        print([track.display_title for track in path.soundtracks])
    """
    if steps < 2:
        raise ValueError(f"a path has at least its two ends, not {steps} tracks")
    index = opened.index
    ends = [audio_in_index(index, start), audio_in_index(index, end)]
    first, last = _embeddings(index, ends)
    points = points_between(first, last, steps)
    represents = opened.recordings.represents
    found = _near(index, points, _NEAR_A_POINT, represents)
    if len(found) < considered_count(steps):
        # If both ends are close together, all points have the same neighbours.
        found = _near(index, points, considered_count(steps), represents)
    tracks = library.catalogue.tracks_of_audio([*ends, *found])
    selection = selection_of(library, index, tracks)
    if selection.is_one_of(ends[1], ends[:1]):
        raise PlaylistImpossible(
            "this is the recording that the path begins with",
            subject=end.display_title,
            remedy="Choose another track for the end of the path",
        )
    others = selection.distinct([*ends, *(audio_id for audio_id in found if audio_id in tracks)])[len(ends) :]
    between = _between(library, opened, selection, ends, others, min(steps - 2, len(others)))
    return _playlist(library, opened, tracks, [ends[0], *between, ends[1]])


def playlist_from(library: Library, opened: OpenedIndex, seeds: Sequence[Soundtrack], *, count: int) -> Playlist:
    """Return a playlist of tracks that go with several seeds. The seeds themselves are not on it.

    The seeds take turns to choose a track. Each seed chooses among the tracks that stand higher in its own ranking than
    in that of any other seed, so that every seed is represented. It prefers tracks that are near to several seeds, then
    tracks that are very near to itself, and then tracks half way between the seeds. See
    `mfcc_assets.playlists.ordering.rank_by_turns`.

    The chosen tracks are then put into an order in which each track is near to the one before it.

    Parameters
    ----------
    library
        The library.
    opened
        Its published index.
    seeds
        Tracks to begin from.
    count
        Number of tracks of the playlist. It is shorter if the library has fewer tracks.

    Raises
    ------
    CorruptIndex
        If the index cannot be read.
    FeaturesMissing
        If a seed is not in the index.
    PlaylistImpossible
        If there are more seeds than tracks, so that some seeds could not be represented.
    ValueError
        If there is no seed.
    """
    if not seeds:
        raise ValueError("a playlist needs a seed")
    index = opened.index
    seed_ids = list(dict.fromkeys(audio_in_index(index, seed) for seed in seeds))
    if len(seed_ids) > count:
        raise PlaylistImpossible(
            f"{count} tracks cannot represent {len(seed_ids)} seeds", remedy="Ask for more tracks, or give fewer seeds"
        )
    considered = max(_MINIMUM_NEAR_A_SEED, considered_count(count)) + len(seed_ids)
    found = _near(index, _embeddings(index, seed_ids), considered, opened.recordings.represents)
    tracks = library.catalogue.tracks_of_audio([*seed_ids, *found])
    candidates = [audio_id for audio_id in found if audio_id in tracks and audio_id not in seed_ids]
    ranked = rank_by_turns(_distances(library, index, seed_ids, candidates)) if candidates else []
    selection = selection_of(library, index, tracks)
    chosen = selection.choose((candidates[row] for row in ranked), count, without=seed_ids)
    if not chosen:
        return Playlist(index.version, [], [], [])
    nearest_to_first = int(_distances(library, index, seed_ids[:1], chosen).argmin())
    order = flowing_order(_distances_among(library, index, chosen), nearest_to_first)
    return _playlist(library, opened, tracks, [chosen[row] for row in order])


def export_playlist(
    library: Library, path: Path, title: str, soundtracks: Sequence[Soundtrack], *, relative: bool = False
) -> None:
    """Write tracks of the library as a playlist file. The suffix of the file decides the format.

    If the library keeps its tracks on this machine, the file contains their paths. Otherwise it contains signed links.
    Anybody with the file can use the links until they expire after an hour. Export the playlist again then.

    Parameters
    ----------
    library
        The library.
    path
        Playlist file to write.
    title
        Title of the playlist.
    soundtracks
        Tracks of the playlist, in order.
    relative
        Write paths that are relative to the folder of the playlist file, so that both can be moved together.

    Raises
    ------
    UnknownPlaylistFormat
        If no format has this suffix.
    PlaylistImpossible
        If the paths should be relative, and the tracks have none on this machine.
    StoreError
        If the file cannot be written.
    """
    entries = [playlist_entry(track, _location(library, track)) for track in soundtracks]
    if relative and not all(isinstance(entry.location, Path) for entry in entries):
        raise PlaylistImpossible(
            "the tracks of this library are not on this machine, so no relative path leads to them",
            subject=str(path),
            remedy="Export the playlist without relative paths",
        )
    text = format_of(path)(printable(title), entries, relative_to=path.parent.resolve() if relative else None)
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise StoreError(
            f"the playlist cannot be written ({error.strerror or error})",
            subject=str(path),
            remedy="Check that the folder exists, and its permissions",
        ) from error


def playlist_entry(track: Soundtrack, location: Path | str) -> Entry:
    """Return a soundtrack as an entry of a playlist file.

    Parameters
    ----------
    track
        The soundtrack.
    location
        Its absolute path on this machine, or an address, where a player finds its audio.
    """
    return Entry(
        location=location,
        title=printable(track.title or Path(track.blob_name).stem),
        artist=named(track.artist, track.album_artist),
        album=named(track.album),
        seconds=track.seconds,
        identifier=f"urn:mfcc:{track.track_id}",
        recording_mbid=track.recording_mbid,
        release_mbid=track.release_mbid,
        artist_mbids=track.artist_mbids,
    )


def _embeddings(index: LibraryIndex, audio_ids: Sequence[AudioId]) -> NDArray[np.float32]:
    return index.calibration.embedding(index.feature_table.rows(index.tracks.rows(audio_ids)))


def _near(
    index: LibraryIndex, embeddings: NDArray[np.float32], count: int, represents: NDArray[np.bool_]
) -> list[AudioId]:
    """Return the `count` nearest recordings to each of several points, without repetitions."""
    nearest = index.vector_index.search(embeddings, count, represents)
    return sorted({audio_id for found in nearest for audio_id in found})


def _between(
    library: Library,
    opened: OpenedIndex,
    selection: Selection,
    ends: Sequence[AudioId],
    others: Sequence[AudioId],
    count: int,
) -> list[AudioId]:
    """Return the `count` tracks between the ends of a path."""
    if not count:
        return []
    index, every = opened.index, [*ends, *others]
    rows = {audio_id: row for row, audio_id in enumerate(every)}
    first, last = _embeddings(index, ends)
    points = points_between(first, last, count + 2)[1:-1]
    near = [
        [rows[audio_id] for audio_id in found if rows.get(audio_id, 0) >= len(ends)]
        for found in index.vector_index.search(points, _NEAR_A_POINT, opened.recordings.represents)
    ]
    distances = np.zeros((len(every), len(every)))

    def violations(path: Sequence[int]) -> int:
        return len(selection.beyond_cap([*ends, *(every[row] for row in path if row >= len(ends))]))

    def path_through(inner_layers: Sequence[Sequence[int]]) -> list[int] | None:
        layers = [[0], *inner_layers, [1]]
        _fill_in(library, index, every, layers, distances)
        return smoothest_path(layers, distances, violations)

    path = path_through(near) if all(near) else None
    if path is None:
        # If the path is about as long as the library, the tracks near the points do not suffice for a path without a
        # repetition. Layers that share no track always do.
        from_start, to_end = _distances(library, index, ends, others)
        layers = split_into_layers(from_start, to_end, count)
        path = path_through([(layer + len(ends)).tolist() for layer in layers])
    assert path is not None
    return [every[row] for row in path[1:-1]]


def _fill_in(
    library: Library,
    index: LibraryIndex,
    audio_ids: Sequence[AudioId],
    layers: Sequence[Sequence[int]],
    distances: NDArray[np.float64],
) -> None:
    """Compute the distances from each layer to the next one that are still zero."""
    for here, there in pairwise(layers):
        for row in here:
            unknown = [other for other in there if other != row and not distances[row, other]]
            if unknown:
                (found,) = _distances(library, index, [audio_ids[row]], [audio_ids[other] for other in unknown])
                distances[row, unknown] = distances[unknown, row] = found


def _distances(
    library: Library, index: LibraryIndex, audio_ids: Sequence[AudioId], others: Sequence[AudioId]
) -> NDArray[np.float64]:
    """Return the distances (audio_ids, others) by the index's ranking."""
    rows = (distances_to(library, index, audio_id, others) for audio_id in audio_ids)
    return np.array([[row[other] for other in others] for row in rows])


def _distances_among(library: Library, index: LibraryIndex, audio_ids: Sequence[AudioId]) -> NDArray[np.float64]:
    """Return the symmetric distances (n, n) between audio ids."""
    distances = np.zeros((len(audio_ids), len(audio_ids)))
    for row in range(1, len(audio_ids)):
        (distances[row, :row],) = _distances(library, index, [audio_ids[row]], audio_ids[:row])
    return distances + distances.T


def _playlist(
    library: Library, opened: OpenedIndex, tracks: Mapping[AudioId, Soundtrack], audio_ids: Sequence[AudioId]
) -> Playlist:
    index = opened.index
    distances = [distances_to(library, index, one, [other])[other] for one, other in pairwise(audio_ids)]
    nearness = [opened.pairs.nearness(distance) for distance in distances]
    return Playlist(index.version, [tracks[audio_id] for audio_id in audio_ids], distances, nearness)


def _location(library: Library, track: Soundtrack) -> Path | str:
    """Return where a player finds a track: its absolute path on this machine, or a link that ends soon."""
    path = library.blobs.path(SOUNDTRACKS, track.blob_name)
    return path or library.blobs.link(SOUNDTRACKS, track.blob_name, seconds=LONGEST_LINK_SECONDS)
