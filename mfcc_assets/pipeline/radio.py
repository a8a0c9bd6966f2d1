"""A radio: one track after another that sounds like some seeds, without end and without repetition."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from mfcc_assets.credits import ArtistNames
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.find_track import audio_in_index
from mfcc_assets.pipeline.neighbours import Neighbour, nearest_of_others
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.similarity.nearness import Nearness
from mfcc_assets.storage.sql.records import Soundtrack


class Strictness(StrEnum):
    """How far the next track of a radio may be from its seeds.

    Attributes
    ----------
    FOCUSED
        It is one of the nearest that were not played yet, and near.
    BALANCED
        It is one of some more, and at least fairly near.
    ADVENTUROUS
        It is one of many, and anything but far.
    """

    FOCUSED = "focused"
    BALANCED = "balanced"
    ADVENTUROUS = "adventurous"


@dataclass(frozen=True)
class _Reach:
    """How far a radio reaches: among how many of the nearest tracks it chooses, and how near they must be at least."""

    tracks: int
    closer_than: float


_REACHES = {
    Strictness.FOCUSED: _Reach(5, 0.95),
    Strictness.BALANCED: _Reach(20, 0.75),
    Strictness.ADVENTUROUS: _Reach(60, 0.25),
}


def radio(
    library: Library,
    opened: OpenedIndex,
    seeds: Sequence[Soundtrack],
    played: Sequence[TrackId],
    strictness: Strictness = Strictness.BALANCED,
    *,
    count: int = 1,
) -> list[Neighbour]:
    """Return the next tracks of a radio. They depend on nothing but the arguments and the index.

    A track is chosen at random among the nearest tracks to any of the seeds that were not played yet. If none of them
    is near enough for the strictness, it is the nearest. No recording is played twice, and the artist of the track
    before is left out, as long as there are others.

    Parameters
    ----------
    library
        The library.
    opened
        The published index.
    seeds
        Tracks of the index that the radio begins from. They are not played.
    played
        Track ids of what was played, the last one last. Ids that have left the library are ignored.
    strictness
        How far the tracks may be from the seeds.
    count
        Number of tracks.

    Returns
    -------
    list of Neighbour
        The next tracks, with their distance from the nearest seed. They are fewer than `count` only if the whole
        library was played.

    Raises
    ------
    FeaturesMissing
        If a seed is not in the index, or its stored features are damaged.
    ValueError
        If there is no seed.
    """
    if not seeds:
        raise ValueError("a radio needs a seed")
    seed_audio = list(dict.fromkeys(audio_in_index(opened.index, seed) for seed in seeds))
    heard = library.catalogue.tracks_with_ids(played)
    known = {*seed_audio, *(track.audio_id for track in heard.values() if track.audio_id is not None)}
    reach = _REACHES[strictness]
    distances: dict[AudioId, float] = {}
    for audio_id in seed_audio:
        for other, distance in nearest_of_others(library, opened, audio_id, known, reach.tracks + count):
            distances[other] = min(distance, distances.get(other, np.inf))
    tracks = library.catalogue.tracks_of_audio(distances)
    ranked = sorted((distance, audio_id) for audio_id, distance in distances.items() if audio_id in tracks)
    pool = [Neighbour(tracks[audio_id], distance, opened.pairs.nearness(distance)) for distance, audio_id in ranked]
    before = heard[played[-1]] if played and played[-1] in heard else seeds[0]
    names = ArtistNames([before, *(each.track for each in pool)])
    chosen: list[Neighbour] = []
    while pool and len(chosen) < count:
        within = _within(pool, reach, before, names)
        order = [*(seed.track_id for seed in seeds), *played, *(each.track.track_id for each in chosen)]
        chosen.append(within[_number(order) % len(within)])
        pool.remove(chosen[-1])
        before = chosen[-1].track
    return chosen


def _within(pool: Sequence[Neighbour], reach: _Reach, before: Soundtrack, names: ArtistNames) -> Sequence[Neighbour]:
    """Return the tracks of a pool, nearest first, among which the next one is chosen."""
    artists = set(names.of(before))
    by_others = [each for each in pool if not artists & set(names.of(each.track))] or list(pool)
    near = [each for each in by_others[: reach.tracks] if _is_near(each.nearness, reach)]
    return near or by_others[:1]


def _is_near(nearness: Nearness | None, reach: _Reach) -> bool:
    return nearness is None or nearness.closer_than >= reach.closer_than


def _number(track_ids: Sequence[TrackId]) -> int:
    """Return a number that looks random, and is always the same for the same tracks in the same order."""
    return int.from_bytes(hashlib.blake2b(" ".join(track_ids).encode(), digest_size=8).digest(), "big")
