"""Calls for what sounds alike: near songs, and paths from one song to another.

The similarity of two songs is exp(-d), where d is their distance by the index. It is 1 for a song and itself. The songs
of a path are compared with the song that it begins with.
"""

import math
from collections.abc import Sequence
from typing import Any

from mfcc_assets.errors import CorruptIndex, FeaturesMissing, NoPublishedIndex, PlaylistImpossible
from mfcc_assets.pipeline.answer import distances_to
from mfcc_assets.pipeline.find_track import audio_in_index
from mfcc_assets.pipeline.neighbours import neighbours
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.playlists import path_between
from mfcc_assets.pipeline.radio import Strictness, radio
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.web.site import site
from mfcc_assets.web.subsonic.answers import Content
from mfcc_assets.web.subsonic.asked import needed, number, song, songs_of_id
from mfcc_assets.web.subsonic.failures import CallFailed, Code
from mfcc_assets.web.subsonic.items import song_item

_MOST_NEAR = 160
_MOST_STEPS = 30
_MOST_SEEDS = 5
"""Songs of an artist or an album with which others are compared. Each takes as long as the neighbours of a song."""


def sonic_similar_tracks() -> Content:
    """Return the songs that are nearest to a song, the nearest first."""
    begin, count = song(), number("count", 10, _MOST_NEAR)
    opened = _index()
    try:
        with site().heavy.turn():
            found = neighbours(site().library, opened, begin, count=count) if count else []
    except FeaturesMissing as error:
        raise _not_compared(error) from error
    found = sorted(found, key=lambda near: near.distance)
    return {"sonicMatch": [_match(near.track, near.distance) for near in found]}


def sonic_path() -> Content:
    """Return a path from one song to another, with both ends."""
    start, end = song("startSongId"), song("endSongId")
    count = number("count", 25, _MOST_STEPS)
    if count < 1:
        raise CallFailed(Code.GENERIC, "The count of a path is at least 1.")
    opened = _index()
    try:
        with site().heavy.turn():
            songs = _path(opened, start, end, count)
            distances = _distances(opened, songs)
    except FeaturesMissing as error:
        raise _not_compared(error) from error
    return {"sonicMatch": [_match(each, distance) for each, distance in zip(songs, distances, strict=True)]}


def similar_songs() -> Content:
    """Return songs that sound like a song, or like the songs of an album or an artist."""
    return {"similarSongs": {"song": _similar()}}


def similar_songs_2() -> Content:
    """Return songs that sound like the songs of an artist."""
    return {"similarSongs2": {"song": _similar()}}


def _similar() -> list[dict[str, Any]]:
    seeds, count = songs_of_id(needed("id")), number("count", 50, _MOST_NEAR)
    try:
        opened = site().published.opened()
    except (CorruptIndex, NoPublishedIndex):
        # Players ask for these beside a page that they show, and a failure would keep them from showing it.
        return []
    known = [seed for seed in seeds if seed.audio_id is not None and seed.audio_id in opened.index.tracks]
    if not known or not count:
        return []
    with site().heavy.turn():
        if len(seeds) == 1:
            found = neighbours(site().library, opened, known[0], count=count)
        else:
            chosen = known[:: math.ceil(len(known) / _MOST_SEEDS)]
            found = radio(site().library, opened, chosen, [], Strictness.BALANCED, count=count)
    return [song_item(near.track) for near in found]


def _path(opened: OpenedIndex, start: Soundtrack, end: Soundtrack, count: int) -> Sequence[Soundtrack]:
    if start.track_id == end.track_id:
        return [start]
    if count < 2:
        raise CallFailed(Code.GENERIC, "A path between two songs has at least these two.")
    try:
        return path_between(site().library, opened, start, end, steps=count).soundtracks
    except PlaylistImpossible:
        return [start, end]  # both are the same recording, so nothing lies between them


def _distances(opened: OpenedIndex, songs: Sequence[Soundtrack]) -> list[float]:
    """Return the distance of each song from the first one."""
    start, *others = (audio_in_index(opened.index, each) for each in songs)
    others = [other for other in others if other != start]
    found = distances_to(site().library, opened.index, start, others) if others else {}
    return [found.get(audio_in_index(opened.index, each), 0.0) for each in songs]


def _index() -> OpenedIndex:
    try:
        return site().published.opened()
    except (CorruptIndex, NoPublishedIndex) as error:
        raise CallFailed(
            Code.GENERIC, "The library is still being prepared. Until then nobody knows what sounds alike."
        ) from error


def _not_compared(error: FeaturesMissing) -> CallFailed:
    return CallFailed(Code.NOT_FOUND, f"A song cannot be compared: {error.what}.")


def _match(track: Soundtrack, distance: float) -> dict[str, Any]:
    return {"entry": song_item(track), "similarity": min(1.0, math.exp(-distance))}
