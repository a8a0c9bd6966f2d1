"""The neighbours of a soundtrack, as many as wanted."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.ids import AudioId, shard_of
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import rank_query, search_for
from mfcc_assets.pipeline.find_track import audio_in_index
from mfcc_assets.pipeline.index import ranked_count
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.similarity.nearness import Nearness
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets.storage.sql.records import Soundtrack


@dataclass(frozen=True)
class Neighbour:
    """A track that is near to another one.

    Attributes
    ----------
    track
        The track.
    distance
        Its corrected distance by the index's ranking.
    nearness
        How near it is. It is None if the library is too small to say it.
    """

    track: Soundtrack
    distance: float
    nearness: Nearness | None


def neighbours(library: Library, opened: OpenedIndex, track: Soundtrack, *, count: int) -> list[Neighbour]:
    """Return the neighbours of a soundtrack, as many as wanted or as the index has.

    The first are its recommendations, in their order. The others follow by their distance. They are not limited by
    artist, so some of them may be nearer than a recommendation.

    Parameters
    ----------
    library
        The library.
    opened
        The published index.
    track
        A soundtrack of the index.
    count
        Number of neighbours. The time grows with it: twice as many tracks are compared by their contours.

    Raises
    ------
    FeaturesMissing
        If the track is not in the index, or its stored features are damaged.
    """
    audio_id = audio_in_index(opened.index, track)
    rows = library.recommendations.recommended(track.track_id)
    shard = shard_of(track.track_id, library.settings.shard_digits)
    version, _ = library.recommendations.origins_of_shards().get(shard, (None, ""))
    stored = rows if version == opened.index.version else []
    tracks = library.catalogue.tracks_with_ids(row.track_id for row in stored)
    found = [
        Neighbour(tracks[row.track_id], row.distance, opened.pairs.nearness(row.distance))
        for row in stored
        if row.track_id in tracks
    ]
    if len(found) < count:
        known = {audio_id, *(each.track.audio_id for each in found if each.track.audio_id is not None)}
        found += _named(library, opened, nearest_of_others(library, opened, audio_id, known, count))
    return found[:count]


def nearest_of_others(
    library: Library, opened: OpenedIndex, audio_id: AudioId, known: Collection[AudioId], count: int
) -> RankedList:
    """Return the nearest `count` recordings to an audio of the index, without some recordings.

    Parameters
    ----------
    library
        The library.
    opened
        The index.
    audio_id
        The audio.
    known
        Audio ids whose recordings are left out.
    count
        Number of recordings.
    """
    index, search = opened.index, search_for(library, opened.index, audio_id)
    among = opened.recordings.represents & ~_same_recordings(opened, known)
    wanted = min(ranked_count(count), int(among.sum()))
    if not wanted:
        return []
    candidates = search.prune_by_coarse_contour(search.nearest_by_embedding(wanted, among), wanted)
    return rank_query(library, index, search, [candidate for candidate, _ in candidates], count=count)


def _same_recordings(opened: OpenedIndex, audio_ids: Collection[AudioId]) -> NDArray[np.bool_]:
    """Return whether each track of an index is the same recording as one of some audio ids."""
    rows = opened.index.tracks.rows(sorted(audio_ids))
    recordings = opened.recordings.rows
    same: NDArray[np.bool_] = np.isin(recordings, recordings[rows[rows >= 0]])
    return same


def _named(library: Library, opened: OpenedIndex, ranked: RankedList) -> list[Neighbour]:
    tracks = library.catalogue.tracks_of_audio(audio_id for audio_id, _ in ranked)
    return [
        Neighbour(tracks[audio_id], distance, opened.pairs.nearness(distance))
        for audio_id, distance in ranked
        if audio_id in tracks
    ]
