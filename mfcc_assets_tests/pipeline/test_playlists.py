"""Paths and playlists out of a library of made-up sounds, and the lists it recommends."""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest

from mfcc_assets.errors import FeaturesMissing, PlaylistImpossible
from mfcc_assets.ids import track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import distances_to
from mfcc_assets.pipeline.find_track import find_track
from mfcc_assets.pipeline.outstanding_work import outstanding_work
from mfcc_assets.pipeline.playlists import path_between, playlist_from
from mfcc_assets.pipeline.rankings import recommend_soundtracks
from mfcc_assets.settings import Settings
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets_tests.ranked_library import add_track, add_tracks, audio_id, cepstra, publish
from mfcc_assets_tests.runs import copied_home

LINE = 12


def on_a_line(number: float):
    """30 s of cepstra that wander about a place on the line from sound 0 to sound 1, each in its own way."""
    rng = np.random.default_rng(round(10 * number))
    place = np.linspace(-4, 4, 13) * (number - LINE / 2)
    steps = place + 2 * rng.standard_normal((60, 13))
    return np.repeat(steps, 50, axis=0).astype(np.float32)


def encoded_again(sound):
    """The same recording: a little louder, brighter and noisier, and with 0.1 s of something before it."""
    noise = 0.1 * np.random.default_rng(99).standard_normal(sound.shape)
    return np.concatenate([sound[:10], sound + noise + 0.3]).astype(np.float32)


@pytest.fixture(scope="module")
def home_of_line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tracks 0 to 11 on a line, in pairs of one artist."""
    home = tmp_path_factory.mktemp("line") / "home"
    with Library(Settings(home=home)) as library:
        for number in range(LINE):
            add_track(library, number, on_a_line(number), artist=f"Artist {number // 2}", title=f"Song {number}.")
        publish(library)
    return home


@pytest.fixture
def line(home_of_line: Path) -> Iterator[Library]:
    """The tracks on a line, to be left as they are."""
    with Library(Settings(home=home_of_line)) as library:
        yield library


@pytest.fixture
def growing_line(home_of_line: Path, settings: Settings) -> Iterator[Library]:
    """The tracks on a line, which others may join."""
    with Library(Settings(home=copied_home(home_of_line, settings.home))) as library:
        yield library


def track(library: Library, number: int) -> Soundtrack:
    return library.catalogue.tracks_of_audio([audio_id(number)])[audio_id(number)]


def numbers(soundtracks: list[Soundtrack]) -> list[int]:
    return [int(found.audio_id or "", 16) for found in soundtracks]


def test_a_path_goes_along_the_line_that_tracks_lie_on(line: Library) -> None:
    path = path_between(line, track(line, 1), track(line, 10), steps=6)

    heard = numbers(path.soundtracks)
    assert len(heard) == 6
    assert (heard[0], heard[-1]) == (1, 10)
    assert heard == sorted(heard)
    assert max(there - here for here, there in pairwise(heard)) <= 3
    assert path.index_version == line.indexes.published_version()


def test_the_steps_of_a_path_are_distances_of_the_index_s_ranking(line: Library) -> None:
    path = path_between(line, track(line, 0), track(line, 9), steps=5)

    index = line.indexes.published()
    for (here, there), step in zip(pairwise(path.soundtracks), path.distances, strict=True):
        assert step == distances_to(line, index, here.audio_id, [there.audio_id])[there.audio_id]


def test_a_path_is_the_same_each_time_and_its_two_ends_are_enough(line: Library) -> None:
    ends = track(line, 2), track(line, 7)
    assert path_between(line, *ends, steps=7) == path_between(line, *ends, steps=7)
    assert numbers(path_between(line, *ends, steps=2).soundtracks) == [2, 7]
    with pytest.raises(ValueError, match="at least its two ends"):
        path_between(line, *ends, steps=1)


def test_a_path_through_a_small_library_has_every_track_once(line: Library) -> None:
    path = path_between(line, track(line, 0), track(line, 11), steps=40)
    assert sorted(numbers(path.soundtracks)) == list(range(LINE))


def test_a_library_of_two_tracks_has_a_path_without_anything_between(library: Library) -> None:
    add_tracks(library, 0, 1)
    publish(library)
    assert numbers(path_between(library, track(library, 1), track(library, 0), steps=8).soundtracks) == [1, 0]


def test_a_path_respects_the_cap_of_artists_as_far_as_it_can(library: Library) -> None:
    for number in range(LINE):
        artist = "Everywhere" if number in {1, 3, 5, 7, 9} else f"Artist {number}"
        add_track(library, number, on_a_line(number), artist=artist)
    publish(library)

    path = path_between(library, track(library, 0), track(library, 11), steps=6)
    assert Counter(found.artist for found in path.soundtracks)["Everywhere"] <= 2
    with Library(Settings(home=library.settings.home, per_artist=1)) as strict:
        every = path_between(strict, track(library, 0), track(library, 11), steps=LINE)
        assert len(every.soundtracks) == LINE, "there is nobody else to take"


def test_a_path_from_a_track_to_itself_or_to_another_encoding_of_it_is_refused(growing_line: Library) -> None:
    add_track(growing_line, 50, encoded_again(on_a_line(3)))
    publish(growing_line)
    for end in (3, 50):
        with pytest.raises(PlaylistImpossible, match="this is the recording that the path begins with"):
            path_between(growing_line, track(growing_line, 3), track(growing_line, end), steps=4)


def test_a_track_that_came_after_the_index_has_no_path(growing_line: Library) -> None:
    add_tracks(growing_line, 70)
    with pytest.raises(FeaturesMissing, match=r"not indexed yet"):
        path_between(growing_line, track(growing_line, 3), track(growing_line, 70), steps=4)


def test_a_playlist_is_of_what_is_near_to_its_seeds_without_them(line: Library) -> None:
    playlist = playlist_from(line, [track(line, 2), track(line, 9)], size=4)

    heard = numbers(playlist.soundtracks)
    assert len(heard) == 4
    assert not {2, 9} & set(heard)
    assert set(heard[:2]) <= {0, 1, 3, 4}, "one seed is represented, and heard in one stretch"
    assert set(heard[2:]) <= {7, 8, 10, 11}, "and the other"


def test_a_playlist_of_more_than_there_is_has_everything_but_the_seeds(line: Library) -> None:
    playlist = playlist_from(line, [track(line, 2), track(line, 2)], size=50)
    assert sorted(numbers(playlist.soundtracks)) == [number for number in range(LINE) if number != 2]


def test_a_playlist_has_no_more_of_an_artist_than_the_cap_while_there_are_others(line: Library) -> None:
    with Library(Settings(home=line.settings.home, per_artist=1)) as strict:
        playlist = playlist_from(strict, [track(line, 0), track(line, 11)], size=6)
    assert max(Counter(found.artist for found in playlist.soundtracks).values()) == 1


def test_a_playlist_out_of_nothing_but_its_seeds_is_empty(library: Library) -> None:
    add_tracks(library, 0, 1)
    publish(library)
    assert playlist_from(library, [track(library, 0), track(library, 1)], size=3).soundtracks == []


def test_more_seeds_than_tracks_are_refused(line: Library) -> None:
    with pytest.raises(PlaylistImpossible, match="2 tracks cannot represent 3 seeds"):
        playlist_from(line, [track(line, number) for number in (1, 2, 3)], size=2)
    with pytest.raises(ValueError, match="needs a seed"):
        playlist_from(line, [], size=2)


@pytest.fixture
def twice(library: Library) -> Library:
    """Ten tracks, of which 0 and 1 are there in a second encoding as well, as 50 and 51."""
    add_tracks(library, *range(10))
    for number in (0, 1):
        add_track(library, 50 + number, encoded_again(cepstra(number)))
    publish(library)
    return library


RECORDINGS = {50: 0, 51: 1}


def recommended(library: Library) -> dict[int, list[int]]:
    """What RECOMMENDATIONS say after a run: tracks by their numbers."""
    names = {track_id(f"{number}.flac"): number for number in (*range(LINE), 50, 51)}
    list(recommend_soundtracks(library, library.indexes.published(), library.shards, run_id="run"))
    return {
        number: [names[row.track_id] for row in library.recommendations.recommended(track)]
        for track, number in names.items()
        if library.recommendations.recommended(track)
    }


def test_no_list_has_a_recording_twice_or_that_of_its_own_query(twice: Library) -> None:
    lists = recommended(twice)

    assert len(lists) == 12
    for query, places in lists.items():
        recordings = [RECORDINGS.get(place, place) for place in places]
        assert len(places) == 5
        assert len(set(recordings)) == 5
        assert RECORDINGS.get(query, query) not in recordings


def test_paths_and_playlists_have_no_recording_twice(twice: Library) -> None:
    path = path_between(twice, find_track(twice, "2.flac"), find_track(twice, "3.flac"), steps=10)
    playlist = playlist_from(twice, [track(twice, 0)], size=20)

    for heard in (numbers(path.soundtracks), [0, *numbers(playlist.soundtracks)]):
        assert not any({one, other} in ({0, 50}, {1, 51}) for one, other in combinations(heard, 2))


def test_lists_that_are_short_because_a_library_holds_recordings_twice_are_no_outstanding_work(
    library: Library,
) -> None:
    library.blobs.write("soundtracks", "unseen.flac", b"")
    add_tracks(library, 0, 1, 2)
    add_track(library, 50, encoded_again(cepstra(0)))
    publish(library)
    lists = recommended(library)
    assert {query: len(places) for query, places in lists.items()} == {0: 2, 50: 2, 1: 2, 2: 2}

    assert not [line for line in outstanding_work(library) if "recommendations" in line]
    library.recommendations.replace_recommendations(
        track_id("1.flac"), [], method="m", index_version=str(library.indexes.published_version()), run_id="run"
    )
    assert [line for line in outstanding_work(library) if "recommendations" in line]


def test_the_lists_of_a_library_hold_the_cap_and_are_as_long_as_without_it(library: Library) -> None:
    for number in range(11):
        add_track(library, number, cepstra(number), artist="Prolific" if number < 8 else f"Artist {number}")
    publish(library)

    capped = recommended(library)
    with Library(Settings(home=library.settings.home, per_artist=0)) as without:
        uncapped = recommended(without)

    for query, places in capped.items():
        assert len(places) == len(uncapped[query]) == 5
        others = 3 - (query >= 8)
        assert [number < 8 for number in places][-(3 - others) or 5 :] == [True] * (3 - others), "below the line"
        assert sum(number >= 8 for number in places) == others
    assert capped != uncapped
