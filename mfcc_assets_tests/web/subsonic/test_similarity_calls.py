"""Tests of the calls for what sounds alike."""

import math
from typing import Any

import pytest
from werkzeug.exceptions import ServiceUnavailable

from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import distances_to
from mfcc_assets.pipeline.neighbours import neighbours
from mfcc_assets.pipeline.opened_index import OpenedIndex, published_index
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.web.heavy_work import HeavyWork
from mfcc_assets_tests.web.library.conftest import add_rows
from mfcc_assets_tests.web.subsonic.players import Player, xml_of


@pytest.fixture
def tracks(ten_tracks: Library) -> list[Soundtrack]:
    return sorted(ten_tracks.catalogue.soundtracks(), key=lambda track: track.title)


def ids(matches: list[dict[str, Any]]) -> list[str]:
    return [match["entry"]["id"] for match in matches]


def test_similar_tracks_are_the_neighbours_with_the_chance_of_their_distance(
    player: Player, ten_tracks: Library, tracks: list[Soundtrack]
) -> None:
    matches = player.call("getSonicSimilarTracks", id=tracks[0].track_id, count=4)["sonicMatch"]
    near = neighbours(ten_tracks, OpenedIndex(ten_tracks, published_index(ten_tracks)), tracks[0], count=4)

    expected = {each.track.track_id: math.exp(-each.distance) for each in near}
    assert {match["entry"]["id"]: match["similarity"] for match in matches} == pytest.approx(expected)
    similarities = [match["similarity"] for match in matches]
    assert similarities == sorted(similarities, reverse=True)
    assert all(0 <= similarity <= 1 for similarity in similarities)
    assert tracks[0].track_id not in ids(matches)


def test_matches_are_a_list_at_the_top_of_both_forms(player: Player, tracks: list[Soundtrack]) -> None:
    asked = {"id": tracks[0].track_id, "count": 2}
    found = player.call("getSonicSimilarTracks", **asked)["sonicMatch"]
    elements = list(xml_of(player.get("getSonicSimilarTracks", **asked)))
    assert [element.tag for element in elements] == ["sonicMatch"] * 2
    assert [float(element.get("similarity", "")) for element in elements] == [each["similarity"] for each in found]
    assert [element[0].get("id") for element in elements] == ids(found)


@pytest.mark.parametrize(("count", "found"), [(0, 0), (1, 1), (5000, 9)])
def test_the_count_is_kept(player: Player, tracks: list[Soundtrack], count: int, found: int) -> None:
    assert len(player.call("getSonicSimilarTracks", id=tracks[0].track_id, count=count)["sonicMatch"]) == found


@pytest.mark.parametrize("count", [2, 3, 6])
def test_a_path_begins_and_ends_as_asked_and_is_compared_with_its_start(
    player: Player, ten_tracks: Library, tracks: list[Soundtrack], count: int
) -> None:
    start, end = tracks[1], tracks[8]
    path = player.call("findSonicPath", startSongId=start.track_id, endSongId=end.track_id, count=count)["sonicMatch"]

    assert (ids(path)[0], ids(path)[-1]) == (start.track_id, end.track_id)
    assert len(path) == len(set(ids(path))) == count
    assert path[0]["similarity"] == 1.0
    assert start.audio_id is not None
    assert end.audio_id is not None
    distance = distances_to(ten_tracks, published_index(ten_tracks), start.audio_id, [end.audio_id])[end.audio_id]
    assert path[-1]["similarity"] == pytest.approx(math.exp(-distance))


def test_a_path_has_no_more_songs_than_the_library(player: Player, tracks: list[Soundtrack]) -> None:
    path = player.call("findSonicPath", startSongId=tracks[0].track_id, endSongId=tracks[1].track_id)["sonicMatch"]
    assert len(path) == 10


def test_a_path_from_a_song_to_itself_is_this_song(player: Player, tracks: list[Soundtrack]) -> None:
    song = tracks[0].track_id
    (match,) = player.call("findSonicPath", startSongId=song, endSongId=song, count=1)["sonicMatch"]
    assert (match["entry"]["id"], match["similarity"]) == (song, 1.0)


@pytest.mark.parametrize("count", [0, 1, -5])
def test_a_path_that_is_too_short_for_its_ends_is_told(player: Player, tracks: list[Soundtrack], count: int) -> None:
    ends = {"startSongId": tracks[0].track_id, "endSongId": tracks[1].track_id}
    assert player.code("findSonicPath", **ends, count=count) == 0


def test_two_files_of_one_recording_are_a_path_of_two(player: Player, ten_tracks: Library) -> None:
    original = ten_tracks.browsing.track(next(iter(ten_tracks.catalogue.track_ids_by_audio().values())))
    assert original is not None
    copy = add_copy(ten_tracks, original)
    path = player.call("findSonicPath", startSongId=original.track_id, endSongId=copy)["sonicMatch"]
    assert ids(path) == [original.track_id, copy]
    assert [match["similarity"] for match in path] == [1.0, 1.0]


@pytest.mark.parametrize("method", ["getSimilarSongs", "getSimilarSongs2"])
def test_similar_songs_are_for_songs_albums_and_artists(player: Player, tracks: list[Soundtrack], method: str) -> None:
    song = player.call("getSong", id=tracks[0].track_id)["song"]
    for wanted in (song["id"], song["albumId"], song["artistId"]):
        found = player.call(method, id=wanted, count=3)[method.replace("get", "similar", 1).replace("Similar", "", 1)]
        assert len({each["id"] for each in found["song"]}) == 3
        assert song["id"] not in {each["id"] for each in found["song"]}
    assert player.code(method, id="none") == player.code(method, id="al-none") == 70


def test_songs_that_are_not_compared_yet_are_told(player: Player, ten_tracks: Library) -> None:
    (new,) = add_rows(ten_tracks, ("new.mp3", tags()))
    old = next(iter(ten_tracks.catalogue.track_ids_by_audio().values()))
    assert player.code("getSonicSimilarTracks", id=new) == 70
    assert player.code("findSonicPath", startSongId=old, endSongId=new) == 70
    assert player.call("getSimilarSongs", id=new)["similarSongs"]["song"] == []


def test_nothing_sounds_alike_before_there_is_an_index(shelves: Player) -> None:
    song = shelves.call("search3", query="one")["searchResult3"]["song"][0]["id"]
    assert shelves.code("getSonicSimilarTracks", id=song) == 0
    assert shelves.code("findSonicPath", startSongId=song, endSongId=song) == 0
    # Players show this beside an artist, whom they would not show after a failure.
    assert shelves.call("getSimilarSongs2", id=song)["similarSongs2"]["song"] == []


def test_comparisons_wait_for_the_heavy_work_of_others(
    player: Player, tracks: list[Soundtrack], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: HeavyWork) -> None:
        raise ServiceUnavailable

    monkeypatch.setattr(HeavyWork, "turn", refuse)
    song, other = tracks[0].track_id, tracks[1].track_id
    for method, asked in (
        ("getSonicSimilarTracks", {"id": song}),
        ("findSonicPath", {"startSongId": song, "endSongId": other}),
        ("getSimilarSongs", {"id": song}),
        ("getSimilarSongs2", {"id": player.call("getSong", id=song)["song"]["artistId"]}),
    ):
        assert "busy" in player.call(method, **asked)["error"]["message"]


def tags() -> Any:
    from mfcc_assets.audio.tags import Tags

    return Tags(title="New")


def add_copy(library: Library, original: Soundtrack) -> TrackId:
    """Add a file with the same audio as a song."""
    from mfcc_assets.storage.sql.records import AudioContent

    (copy,) = add_rows(library, ("copy.mp3", tags()))
    added = library.browsing.track(copy)
    assert added is not None
    assert original.audio_id is not None
    library.catalogue.record_content(
        AudioContent(added.content_digest, original.audio_id, 3.0, ""), track_id=added.track_id
    )
    return copy
