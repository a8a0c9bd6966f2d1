"""Tests of the calls for what the server does not keep."""

import pytest

from mfcc_assets.web.subsonic.kept_nothing import CALLS
from mfcc_assets_tests.web.subsonic.players import NAME, Player

ASKED_ON_PAGES = [
    "getAlbumInfo2", "getArtistInfo2", "getTopSongs", "getPlaylists", "getStarred", "getStarred2", "getPlayQueue",
    "savePlayQueue", "scrobble", "getNowPlaying", "getLyrics", "getLyricsBySongId", "getBookmarks",
    "getInternetRadioStations", "getPodcasts", "getNewestPodcasts", "getAlbumInfo", "getArtistInfo",
]  # fmt: skip


@pytest.mark.parametrize("method", ASKED_ON_PAGES)
def test_what_players_ask_for_on_their_pages_is_empty_and_no_failure(player: Player, method: str) -> None:
    assert player.call(method, id="x", artist="x")["status"] == "ok"


CHANGES = [
    "star", "unstar", "setRating", "createPlaylist", "deletePlaylist", "updatePlaylist", "createUser", "changePassword",
    "startScan", "createShare", "jukeboxControl", "getUsers",
]  # fmt: skip


@pytest.mark.parametrize("method", CHANGES)
def test_changes_are_refused(player: Player, method: str) -> None:
    assert player.code(method, id="x") == 50


@pytest.mark.parametrize("method", ["getPlaylist", "getAvatar", "getVideoInfo", "hls.m3u8"])
def test_what_could_only_be_there_is_not_found(player: Player, method: str) -> None:
    assert player.code(method, id="x") == 70


def test_the_queue_is_empty_and_of_the_caller(player: Player) -> None:
    queue = player.call("getPlayQueue")["playQueue"]
    assert (queue["username"], queue["entry"]) == (NAME, [])


def test_no_call_fails_unforeseen(player: Player) -> None:
    assert {player.call(method, id="x")["status"] for method in CALLS} == {"ok", "failed"}
