"""A radio that goes on."""

from collections.abc import Iterator
from itertools import pairwise
from statistics import fmean

import pytest

from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.find_track import find_track
from mfcc_assets.pipeline.neighbours import Neighbour
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.radio import Strictness, radio
from mfcc_assets.settings import Settings
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets_tests.ranked_library import add_track, cepstra, publish

TRACKS = 90


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Library, OpenedIndex]]:
    """A library of many tracks of nine artists. Tests only read it."""
    with Library(Settings(home=tmp_path_factory.mktemp("station") / "home")) as library:
        for number in range(TRACKS):
            add_track(library, number, cepstra(number), title=f"Song {number}", artist=f"Artist {number % 9}")
        yield library, OpenedIndex(library, publish(library)[0])


def listen(
    station: tuple[Library, OpenedIndex], seed: Soundtrack, strictness: Strictness, count: int
) -> list[Neighbour]:
    """Listen to a radio, one track after another."""
    heard: list[Neighbour] = []
    for _ in range(count):
        heard += radio(*station, [seed], [each.track.track_id for each in heard], strictness)
    return heard


def test_a_radio_plays_the_whole_library_once_and_no_artist_twice_in_a_row_while_others_are_left(
    station: tuple[Library, OpenedIndex],
) -> None:
    seed = find_track(station[0], "0.flac")
    heard = listen(station, seed, Strictness.BALANCED, TRACKS + 5)
    assert len(heard) == TRACKS - 1
    assert len({each.track.track_id for each in heard} | {seed.track_id}) == TRACKS
    assert all(one.artist != other.artist for one, other in pairwise([seed, *(each.track for each in heard[:60])]))


def test_a_stricter_radio_stays_nearer(station: tuple[Library, OpenedIndex]) -> None:
    seed = find_track(station[0], "0.flac")
    means = [fmean(each.distance for each in listen(station, seed, strictness, 12)) for strictness in Strictness]
    assert list(Strictness) == ["focused", "balanced", "adventurous"]
    assert means[0] < means[1] < means[2]


def test_the_same_arguments_give_the_same_tracks(station: tuple[Library, OpenedIndex]) -> None:
    seed = find_track(station[0], "0.flac")
    once, again = (listen(station, seed, Strictness.ADVENTUROUS, 6) for _ in range(2))
    assert once == again
    at_once = radio(*station, [seed], [], Strictness.FOCUSED, count=6)
    assert [each.track for each in at_once[:1]] == [each.track for each in listen(station, seed, Strictness.FOCUSED, 1)]
    assert len({each.track.track_id for each in at_once}) == 6


def test_several_seeds_are_played_around_and_never_themselves(station: tuple[Library, OpenedIndex]) -> None:
    seeds = [find_track(station[0], f"{number}.flac") for number in (1, 2, 3)]
    heard = radio(*station, seeds, [], Strictness.BALANCED, count=30)
    assert len(heard) == 30
    assert not {each.track.track_id for each in heard} & {seed.track_id for seed in seeds}


def test_played_tracks_that_left_the_library_are_ignored(station: tuple[Library, OpenedIndex]) -> None:
    seed = find_track(station[0], "0.flac")
    assert len(radio(*station, [seed], [TrackId("gone")], Strictness.FOCUSED)) == 1


def test_copies_of_what_was_played_are_not_played(library: Library) -> None:
    for number in range(6):
        add_track(library, number, cepstra(number % 5), title=f"Song {number % 5}", artist=f"Artist {number % 5}")
    opened = OpenedIndex(library, publish(library)[0])
    heard = listen((library, opened), find_track(library, "0.flac"), Strictness.ADVENTUROUS, 6)
    assert len(heard) == 4


def test_a_radio_without_seeds_is_refused(station: tuple[Library, OpenedIndex]) -> None:
    with pytest.raises(ValueError, match="needs a seed"):
        radio(*station, [], [])
