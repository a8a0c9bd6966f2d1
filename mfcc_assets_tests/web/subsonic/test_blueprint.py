"""Tests of the addresses that players call."""

import logging

import pytest

from mfcc_assets.errors import StoreError
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.storage.sql.player_lists import PlayerLists
from mfcc_assets_tests.web.clients import client_of
from mfcc_assets_tests.web.subsonic.players import Player, content_of, xml_of

OTHER_SITE = {"Origin": "https://player.example", "Sec-Fetch-Site": "cross-site"}


@pytest.mark.parametrize("name", ["ping", "ping.view"])
def test_addresses_have_an_ending_or_not(player: Player, name: str) -> None:
    assert player.call(name)["status"] == "ok"


def test_unknown_calls_are_told_in_the_form_and_by_the_status(player: Player) -> None:
    for name in ("getPodcastEpisode", "reportPlayback", "a/b/c", "Ping"):
        response = player.get(name, f="json")
        assert response.status_code == 404
        assert response.json["subsonic-response"]["error"]["code"] == 0


def test_players_in_the_pages_of_other_sites_may_read(player: Player) -> None:
    song = player.call("search3", query="", songCount=1)["searchResult3"]["song"][0]["id"]
    for method in ("ping", "stream", "getCoverArt", "getSong", "unknown"):
        for response in (
            player.client.get(f"/rest/{method}", query_string={"apiKey": player.key, "id": song}, headers=OTHER_SITE),
            player.client.post(f"/rest/{method}", data={"apiKey": player.key, "id": song}, headers=OTHER_SITE),
            player.client.get(f"/rest/{method}", headers=OTHER_SITE),
        ):
            assert response.status_code in (200, 404)
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
            assert "Access-Control-Allow-Credentials" not in response.headers
            assert "Set-Cookie" not in response.headers
            assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_browser_that_asks_first_may_call(player: Player) -> None:
    asked = {**OTHER_SITE, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
    response = player.client.options("/rest/stream.view", headers=asked)
    assert (response.status_code, response.data) == (204, b"")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Access-Control-Allow-Headers"] == "*"
    assert "POST" in response.headers["Access-Control-Allow-Methods"]


def test_other_addresses_may_not_be_read_by_other_sites(player: Player) -> None:
    for path in ("/", "/library", "/alive", "/rest", "/restful"):
        response = player.client.get(path, headers=OTHER_SITE)
        assert "Access-Control-Allow-Origin" not in response.headers


def test_changing_pages_still_refuse_other_sites(player: Player) -> None:
    assert player.client.post("/restful", headers=OTHER_SITE).status_code == 403


@pytest.mark.parametrize("login", ["header", "password"])
def test_a_log_in_of_the_pages_is_neither_needed_nor_enough(
    ten_tracks: Library, monkeypatch: pytest.MonkeyPatch, login: str
) -> None:
    from mfcc_assets.web.security.passwords import hash_of

    password = "correct horse battery"
    monkeypatch.setenv("MFCC_SECRET_WEB_PASSWORD", hash_of(password))
    guarded = Settings(home=ten_tracks.settings.home, web_login=login, web_proxies="192.0.2.1")
    with Library(guarded) as library:
        player = Player(library)
        assert player.call("ping")["status"] == "ok"
        assert player.client.get("/library").status_code in (303, 401, 403)
        wrong = content_of(player.client.get("/rest/ping", query_string={"f": "json", "u": "anna", "p": password}))
        assert wrong["error"]["code"] == 40
        header = {"X-MS-CLIENT-PRINCIPAL-NAME": "anna"}
        assert content_of(player.client.get("/rest/ping?f=json", headers=header))["error"]["code"] == 10


def test_a_form_that_is_too_large_is_told(player: Player) -> None:
    response = player.client.post("/rest/savePlayQueue?f=json", data={"apiKey": player.key, "id": "x" * 100_000})
    assert content_of(response)["error"]["code"] == 0


def test_failures_of_the_library_are_answers_and_their_log_has_no_key(
    player: Player, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: PlayerLists) -> None:
        raise StoreError("the database is away", subject="tables")

    monkeypatch.setattr(PlayerLists, "genres", fail)
    with caplog.at_level(logging.DEBUG):
        assert player.code("getGenres") == 0
        assert xml_of(player.get("getGenres.view")).get("status") == "failed"
    assert "the database is away" in caplog.text
    assert "GET /rest/getGenres" in caplog.text
    assert player.key not in caplog.text


def test_unforeseen_failures_are_answers_too(
    player: Player, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: PlayerLists) -> None:
        raise ZeroDivisionError("a secret of the code")

    monkeypatch.setattr(PlayerLists, "genres", fail)
    answer = player.call("getGenres")
    assert answer["error"]["code"] == 0
    assert "secret" not in answer["error"]["message"]
    assert "ZeroDivisionError" in caplog.text
    assert player.key not in caplog.text


def test_foreign_names_of_this_site_are_refused(ten_tracks: Library) -> None:
    assert client_of(ten_tracks).get("/rest/ping", headers={"Host": "evil.example"}).status_code == 400
