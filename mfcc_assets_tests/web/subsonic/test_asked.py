"""Tests of the parameters of calls."""

import pytest

from mfcc_assets_tests.web.subsonic.players import Player, content_of


def test_parameters_may_be_in_the_address_or_in_a_form(player: Player) -> None:
    sent = {"apiKey": player.key, "query": "song 3", "f": "json"}
    by_address = content_of(player.client.get("/rest/search3", query_string=sent))
    by_form = content_of(player.client.post("/rest/search3", data=sent))
    by_both = content_of(player.client.post("/rest/search3?f=json", data=sent))
    assert [song["title"] for song in by_address["searchResult3"]["song"]] == ["Song 3"]
    assert by_address == by_form == by_both


@pytest.mark.parametrize(
    ("method", "parameters"),
    [("getSong", {}), ("search3", {}), ("getAlbumList2", {}), ("getAlbumList2", {"type": "byYear"}),
     ("findSonicPath", {"startSongId": "x"}), ("scrobble", {}), ("stream", {})],
)  # fmt: skip
def test_a_missing_parameter_is_told(player: Player, method: str, parameters: dict[str, str]) -> None:
    assert player.code(method, **parameters) in (10, 70)
    assert player.code("getSong") == 10


@pytest.mark.parametrize("size", ["many", "1e3", "9" * 5000, "", "٣"])
def test_what_is_no_number_is_told(player: Player, size: str) -> None:
    assert player.code("getRandomSongs", size=size) == 0


@pytest.mark.parametrize(("size", "found"), [("0", 0), ("-4", 0), ("3", 3), ("999999999", 10)])
def test_numbers_are_moved_into_their_bounds(player: Player, size: str, found: int) -> None:
    assert len(player.call("getRandomSongs", size=size)["randomSongs"]["song"]) == found


@pytest.mark.parametrize("song", ["none", "", "a" * 5000, "\x00", "' OR 1=1"])
def test_unknown_songs_are_told(player: Player, song: str) -> None:
    assert player.code("getSong", id=song) == 70
