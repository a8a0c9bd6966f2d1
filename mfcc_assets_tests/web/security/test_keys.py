"""Tests of requests with a key."""

import pytest
from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets.pipeline.api_keys import keys_in_use, make_key, revoke_key
from mfcc_assets.settings import Settings
from mfcc_assets.web.security.passwords import hash_of
from mfcc_assets_tests.web.clients import client_of

PASSWORD = "correct horse battery"
FOREIGN = {"Sec-Fetch-Site": "cross-site"}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def behind_password(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> tuple[Library, FlaskClient]:
    monkeypatch.setenv("MFCC_SECRET_WEB_PASSWORD", hash_of(PASSWORD))
    library = Library(settings.model_copy(update={"web_login": "password"}))
    return library, client_of(library)


def test_a_key_opens_what_the_log_in_opens(behind_password: tuple[Library, FlaskClient]) -> None:
    library, pages = behind_password
    key = make_key(library, "player", is_operator=False)

    for address in ("/api/v1/tracks", "/library", "/metrics"):
        assert pages.get(address, headers=bearer(key)).status_code == 200, address
    refused = pages.get("/api/v1/tracks", headers={"Accept": "text/html"})
    assert (refused.status_code, refused.content_type) == (401, "application/problem+json")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert pages.get("/metrics").status_code == 401

    revoke_key(library, keys_in_use(library)[0].key_id)
    assert pages.get("/api/v1/tracks", headers=bearer(key)).status_code == 401
    assert pages.get("/library", headers=bearer(key)).status_code == 401
    library.close()


def test_whoever_has_logged_in_needs_no_key(behind_password: tuple[Library, FlaskClient]) -> None:
    library, pages = behind_password
    pages.post("/login", data={"password": PASSWORD})

    assert pages.get("/api/v1/tracks").status_code == 200
    library.close()


def test_a_user_whom_a_proxy_names_needs_no_key_and_may_carry_another_token(settings: Settings) -> None:
    told = {"web_login": "header", "web_proxies": "127.0.0.1"}
    with Library(settings.model_copy(update=told)) as library:
        pages = client_of(library)
        named = {"X-MS-CLIENT-PRINCIPAL-NAME": "zoe"}
        assert pages.get("/api/v1/tracks", headers=named).status_code == 200
        assert pages.get("/api/v1/tracks", headers={**named, **bearer("a.token.of.the.proxy")}).status_code == 200
        assert pages.get("/api/v1/tracks").status_code == 401
        key = make_key(library, "player", is_operator=False)
        assert pages.get("/api/v1/tracks", headers=bearer(key)).status_code == 200


@pytest.mark.parametrize("sent", ["Bearer", "Bearer x", "Basic eDp5", "mfcc_0", "Bearer mfcc_0123456789abcdef_short"])
def test_a_key_that_opens_nothing_is_told_also_where_none_is_needed(library: Library, sent: str) -> None:
    response = client_of(library).get("/api/v1/tracks", headers={"Authorization": sent})

    assert (response.status_code, response.content_type) == (401, "application/problem+json")


def test_a_request_with_a_key_may_come_from_anywhere_and_one_without_may_not(library: Library) -> None:
    pages, key = client_of(library), make_key(library, "player", is_operator=False)

    assert pages.put("/api/v1/uploads", data=b"text", headers={**FOREIGN, **bearer(key)}).status_code == 415
    assert pages.put("/api/v1/uploads", data=b"text", headers=FOREIGN).status_code == 403


def test_only_an_operator_may_do_what_operators_do(library: Library) -> None:
    pages = client_of(library)
    listener, operator = (make_key(library, "name", is_operator=is_operator) for is_operator in (False, True))

    answers = [
        pages.post("/api/v1/indexes/rollback", headers=headers).status_code
        for headers in ({}, bearer(listener), bearer(operator))
    ]

    assert answers == [401, 403, 409]
