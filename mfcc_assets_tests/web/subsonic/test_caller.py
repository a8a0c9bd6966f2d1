"""Tests of how players say who calls."""

import hashlib
from typing import Any

import pytest

from mfcc_assets.library import Library
from mfcc_assets.pipeline.api_keys import keys_in_use, make_key, revoke_key
from mfcc_assets_tests.web.subsonic.players import NAME, Player, content_of

SALT = "c19b2d"


def token(key: str, salt: str = SALT) -> str:
    return hashlib.md5((key + salt).encode()).hexdigest()


def result(player: Player, **sent: Any) -> int | str:
    """Return the number of the failure of a call with these credentials, or ``ok``."""
    answers = [
        content_of(player.client.get("/rest/ping", query_string={"f": "json", **sent})),
        content_of(player.client.post("/rest/ping.view", data={"f": "json", **sent})),
    ]
    assert answers[0] == answers[1]
    number: int | str = answers[0].get("error", {}).get("code", "ok")
    return number


def test_a_key_opens_the_library_in_every_way_that_players_know(player: Player) -> None:
    key = player.key
    assert result(player, apiKey=key) == "ok"
    assert result(player, u=NAME, t=token(key), s=SALT) == "ok"
    assert result(player, u=NAME, t=token(key).upper(), s=SALT) == "ok"
    assert result(player, u=NAME, p=key) == "ok"
    assert result(player, u=NAME, p=f"enc:{key.encode().hex()}") == "ok"


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        ({}, 10),
        ({"u": NAME}, 10),
        ({"u": NAME, "t": "0" * 32}, 10),
        ({"u": NAME, "s": SALT}, 10),
        ({"p": "x"}, 10),
        ({"t": "0" * 32, "s": SALT}, 10),
        ({"u": NAME, "t": "0" * 32, "s": SALT}, 40),
        ({"u": NAME, "t": "é\ud800", "s": SALT}, 40),
        ({"u": NAME, "p": "wrong"}, 40),
        ({"u": NAME, "p": ""}, 40),
        ({"u": NAME, "p": "enc:zz"}, 40),
        ({"u": NAME, "p": "enc:ff"}, 40),
        ({"u": NAME, "p": "x", "t": "0" * 32, "s": SALT}, 43),
        ({"apiKey": "wrong", "u": NAME}, 43),
        ({"apiKey": "wrong"}, 44),
        ({"apiKey": ""}, 44),
    ],
)
def test_other_credentials_fail_with_their_number(player: Player, sent: dict[str, str], number: int) -> None:
    sent = {name: value.encode("utf-8", "replace").decode() for name, value in sent.items()}
    assert result(player, **sent) == number


def test_a_right_key_beside_a_name_is_a_conflict(player: Player) -> None:
    assert result(player, apiKey=player.key, u=NAME) == 43


def test_a_key_belongs_to_its_name(player: Player) -> None:
    assert result(player, u="bo", p=player.key) == 40
    assert result(player, u="bo", t=token(player.key), s=SALT) == 40


def test_a_revoked_key_opens_nothing(player: Player, ten_tracks: Library) -> None:
    (made,) = keys_in_use(ten_tracks)
    revoke_key(ten_tracks, made.key_id)
    assert result(player, apiKey=player.key) == 44
    assert result(player, u=NAME, t=token(player.key), s=SALT) == 40
    assert result(player, u=NAME, p=player.key) == 40


def test_one_name_may_have_several_keys(player: Player, ten_tracks: Library) -> None:
    other = make_key(ten_tracks, NAME, is_operator=False)
    assert result(player, u=NAME, t=token(other), s=SALT) == result(player, u=NAME, t=token(player.key), s=SALT) == "ok"


def test_a_header_is_no_way_to_send_a_key(player: Player) -> None:
    response = player.client.get("/rest/ping?f=json", headers={"Authorization": f"Bearer {player.key}"})
    assert content_of(response)["error"]["code"] == 42


def test_only_the_extensions_are_told_without_a_key(player: Player) -> None:
    assert content_of(player.client.get("/rest/getOpenSubsonicExtensions?f=json"))["status"] == "ok"
    for method in ("getArtists", "stream", "getCoverArt", "getPlaylists", "star", "unknown"):
        assert content_of(player.client.get(f"/rest/{method}?f=json&id=1"))["error"]["code"] == 10
