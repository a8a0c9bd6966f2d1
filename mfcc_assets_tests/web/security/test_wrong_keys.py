"""Tests of the number of wrong keys that one address may send."""

import hashlib

import pytest
from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets.pipeline.api_keys import keys_in_use, make_key, revoke_key
from mfcc_assets.settings import Settings
from mfcc_assets.web.security.passwords import hash_of
from mfcc_assets_tests.web.clients import client_of

ELSEWHERE = {"REMOTE_ADDR": "192.0.2.1"}
MANY = 10


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def send_wrong_keys(pages: FlaskClient, number: int = MANY) -> list[int]:
    return [pages.get("/api/v1/genres", headers=bearer(f"wrong {each}")).status_code for each in range(number)]


def test_an_address_has_ten_wrong_keys_and_right_keys_of_others_are_not_kept_out(library: Library) -> None:
    pages, key = client_of(library), make_key(library, "player", is_operator=False)

    assert send_wrong_keys(pages, MANY + 1) == [401] * MANY + [429]
    refused = pages.get("/api/v1/genres", headers=bearer(key))
    assert (refused.status_code, refused.content_type) == (429, "application/problem+json")
    assert "Wait five minutes" in refused.get_json()["detail"]
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    assert pages.get("/api/v1/genres", headers=bearer(key), environ_overrides=ELSEWHERE).status_code == 200
    assert pages.get("/api/v1/genres").status_code == 200


def test_a_key_that_has_opened_the_library_is_not_kept_out_by_its_neighbours(library: Library) -> None:
    pages, key = client_of(library), make_key(library, "player", is_operator=False)
    assert pages.get("/api/v1/genres", headers=bearer(key)).status_code == 200
    send_wrong_keys(pages)

    assert pages.get("/api/v1/genres", headers=bearer(key)).status_code == 200
    revoke_key(library, keys_in_use(library)[0].key_id)
    assert [pages.get("/api/v1/genres", headers=bearer(key)).status_code for _ in range(2)] == [401, 429]


@pytest.mark.parametrize("address", ["/library", "/metrics", "/nothing"])
def test_pages_are_no_way_around_the_limit(settings: Settings, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("MFCC_SECRET_WEB_PASSWORD", hash_of("correct horse battery"))
    with Library(settings.model_copy(update={"web_login": "password"})) as library:
        pages, key = client_of(library), make_key(library, "player", is_operator=False)
        for each in range(MANY):
            assert pages.get(address, headers=bearer(f"wrong {each}")).status_code == 401

        assert pages.get(address, headers=bearer(key)).status_code == 429
        assert pages.get(address, headers={**bearer(key), "Accept": "text/html"}).status_code == 429


def test_tokens_of_a_proxy_that_names_users_do_not_count(settings: Settings) -> None:
    told = {"web_login": "header", "web_proxies": "127.0.0.1"}
    with Library(settings.model_copy(update=told)) as library:
        pages = client_of(library)
        named = {"X-MS-CLIENT-PRINCIPAL-NAME": "zoe"}
        for each in range(2 * MANY):
            asked = pages.get("/api/v1/genres", headers={**named, **bearer(f"token {each}")})
            assert asked.status_code == 200


def call(pages: FlaskClient, **sent: str) -> tuple[str, int | None]:
    """Return the status of a call of a player, and the number of its failure."""
    answer = pages.post("/rest/ping", data={"f": "json", **sent}).get_json()["subsonic-response"]
    return answer["status"], answer.get("error", {}).get("code")


def signed(key: str) -> dict[str, str]:
    return {"t": hashlib.md5(f"{key}salt".encode()).hexdigest(), "s": "salt"}


@pytest.mark.parametrize("kind", ["apiKey", "p", "t"])
def test_a_player_has_ten_wrong_keys_in_whatever_way_it_sends_them(library: Library, kind: str) -> None:
    pages, key = client_of(library), make_key(library, "anna", is_operator=False)
    for each in range(MANY):
        wrong = f"wrong {each}"
        sent = {"apiKey": {"apiKey": wrong}, "p": {"u": "anna", "p": wrong}, "t": {"u": "anna", **signed(wrong)}}[kind]
        assert call(pages, **sent) == ("failed", 44 if kind == "apiKey" else 40)

    right = {"apiKey": {"apiKey": key}, "p": {"u": "anna", "p": key}, "t": {"u": "anna", **signed(key)}}[kind]
    assert call(pages, **right) == ("failed", 0)
    refused = pages.get("/rest/ping", query_string=right)
    assert "Too many wrong keys" in refused.text
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    answer = pages.get("/rest/ping", query_string={"f": "json", **right}, environ_overrides=ELSEWHERE).get_json()
    assert answer["subsonic-response"]["status"] == "ok"


def test_a_player_whose_user_is_known_is_not_kept_out_by_its_neighbours(library: Library) -> None:
    pages, key = client_of(library), make_key(library, "anna", is_operator=False)
    assert call(pages, u="anna", **signed(key)) == ("ok", None)
    for each in range(MANY):
        call(pages, u="bo", **signed(f"wrong {each}"))

    assert call(pages, u="bo", **signed(key)) == ("failed", 0)
    assert call(pages, u="anna", **signed(key)) == ("ok", None)


def test_wrong_keys_of_programs_and_players_count_together(library: Library) -> None:
    pages = client_of(library)
    send_wrong_keys(pages)

    assert call(pages, apiKey="wrong") == ("failed", 0)
