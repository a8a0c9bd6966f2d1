"""Tests of the log-in."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mfcc_assets.errors import SecretNotFound, SettingsError
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.web.app import create_app
from mfcc_assets.web.security.passwords import hash_of
from mfcc_assets_tests.web.clients import client_of

PASSWORD = "correct horse battery"
VARIABLE = "MFCC_SECRET_WEB_PASSWORD"
HASHED = hash_of(PASSWORD)
USER = "X-MS-CLIENT-PRINCIPAL-NAME"


def _with(library: Library, **settings: object) -> Library:
    return Library(library.settings.model_copy(update=settings))


@pytest.fixture
def locked(library: Library, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """Make a library whose pages need the password."""
    monkeypatch.setenv(VARIABLE, HASHED)
    with _with(library, web_login="password") as locked:
        yield locked


def _browser_of(library: Library) -> FlaskClient:
    client = client_of(library)
    client.environ_base["HTTP_ACCEPT"] = "text/html,*/*;q=0.8"
    return client


def _log_in(client: FlaskClient, password: str = PASSWORD, **sent: str) -> int:
    return client.post("/login", data={"password": password, **sent}).status_code


def test_without_a_log_in_everybody_sees_the_pages(library: Library) -> None:
    pages = client_of(library)

    assert pages.get("/help").status_code == 200
    assert pages.get("/login").status_code == 404
    assert "Log out" not in pages.get("/help").text


def test_who_knows_the_password_comes_to_the_page_that_was_asked_for(locked: Library) -> None:
    pages = _browser_of(locked)

    asked = pages.get("/help?a=b")
    assert (asked.status_code, asked.location) == (303, "/login?back=/help?a%3Db")
    assert 'name="back" value="/help?a=b"' in pages.get(asked.location).text
    entered = pages.post("/login", data={"password": PASSWORD, "back": "/help?a=b"})

    assert (entered.status_code, entered.location) == (303, "/help?a=b")
    assert "Log out" in pages.get("/help").text
    assert pages.get("/login?back=/help").location == "/help"


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD.upper()])
def test_a_wrong_password_is_refused(locked: Library, password: str) -> None:
    pages = _browser_of(locked)

    assert _log_in(pages, password) == 403
    assert pages.get("/help").status_code == 303


def test_a_log_in_leads_to_no_other_site(locked: Library) -> None:
    entered = client_of(locked).post("/login", data={"password": PASSWORD, "back": "//evil.example"})

    assert entered.location == "/"


@pytest.mark.parametrize("address", ["/alive", "/ready", "/login", "/static/js/main.js", "/favicon.ico"])
def test_what_tells_nothing_needs_no_log_in(locked: Library, address: str) -> None:
    assert client_of(locked).get(address).status_code in (200, 301)


def test_the_language_can_be_chosen_before_the_log_in(locked: Library) -> None:
    pages = _browser_of(locked)

    assert pages.get("/language/zh?back=/login").location == "/login"
    assert '<html lang="zh">' in pages.get("/login").text


def test_links_to_files_are_checked_by_their_signature(locked: Library) -> None:
    locked.blobs.write("soundtracks", "a.mp3", b"music")
    pages = _browser_of(locked)

    assert pages.get(locked.blobs.link("soundtracks", "a.mp3", seconds=60)).data == b"music"
    assert pages.get("/blobs/soundtracks/a.mp3").status_code == 403


def test_shared_answers_need_no_log_in_and_all_other_routes_do(locked: Library) -> None:
    app = create_app(locked)
    for rule in ("/shared/<token>/waveform", "/shared", "/sharedmore/<token>", "/uploads/<token>"):
        app.add_url_rule(rule, rule, lambda **_: "shown")
    pages = app.test_client()
    pages.environ_base["HTTP_ACCEPT"] = "text/html"

    # Nobody has made the first of these links. The page itself says so, and not the log-in.
    assert [pages.get(address).status_code for address in ("/shared/abc", "/shared/abc/waveform")] == [404, 200]
    others = ("/shared", "/sharedmore/abc", "/uploads/abc", "/shared/../uploads/abc", "/nothing")
    assert [pages.get(address).status_code for address in others] == [303] * 5


def test_programs_and_changes_are_refused_and_not_led_to_a_form(locked: Library) -> None:
    pages = _browser_of(locked)

    asked = pages.get("/help", headers={"Accept": "application/json"})
    assert (asked.status_code, asked.get_json()["detail"]) == (401, "Log in first.")
    assert pages.get("/help", headers={"Accept": "text/event-stream"}).status_code == 401
    assert asked.headers["WWW-Authenticate"] == "Form"
    assert pages.post("/help").status_code == 401


def test_who_logs_out_is_out(locked: Library) -> None:
    pages = _browser_of(locked)
    _log_in(pages)

    assert urlsplit(pages.post("/logout").location).path == "/login"
    assert pages.get("/help").status_code == 303


@pytest.mark.parametrize("restarted", [False, True])
def test_a_log_out_ends_the_session_for_every_copy_of_its_cookie(locked: Library, restarted: bool) -> None:
    pages, others = _browser_of(locked), _browser_of(locked)
    _log_in(pages)
    _log_in(others)
    cookie = pages.get_cookie("mfcc")
    assert cookie is not None

    pages.post("/logout")

    thief = _browser_of(locked) if restarted else pages
    thief.set_cookie("mfcc", cookie.value)
    assert thief.get("/help").status_code == 303
    assert others.get("/help").status_code == 200


def test_without_the_list_of_ended_sessions_everybody_logs_in_again(locked: Library) -> None:
    pages = _browser_of(locked)
    _log_in(pages)
    with pages.session_transaction() as session:
        session["login"][1] -= 1
        session.modified = True
    locked.settings.sessions.unlink()

    again = _browser_of(locked)
    cookie = pages.get_cookie("mfcc")
    assert cookie is not None
    again.set_cookie("mfcc", cookie.value)

    assert again.get("/help").status_code == 303


def test_a_session_of_an_older_version_does_not_count(locked: Library) -> None:
    pages = _browser_of(locked)
    _log_in(pages)
    with pages.session_transaction() as session:
        session["login"] = session["login"][:2]

    assert pages.get("/help").status_code == 303


def test_after_a_log_out_the_list_of_uploads_is_empty_and_the_browser_still_has_its_rights(locked: Library) -> None:
    pages = _browser_of(locked)
    _log_in(pages)
    upload = pages.post("/uploads/sample", data={"name": "Will_Savino_Palace.ogg"}).location
    assert upload in pages.get("/").text

    pages.post("/logout")
    _log_in(pages)
    assert upload not in pages.get("/").text
    assert pages.post(f"{upload}/delete").status_code == 303


def test_another_site_can_log_nobody_in_or_out(locked: Library) -> None:
    pages = _browser_of(locked)
    _log_in(pages)

    for address in ("/login", "/logout"):
        assert pages.post(address, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert pages.get("/help").status_code == 200


def test_a_new_hash_ends_all_sessions_also_of_the_same_password(
    locked: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages, others = _browser_of(locked), _browser_of(locked)
    assert (_log_in(pages), _log_in(others)) == (303, 303)

    monkeypatch.setenv(VARIABLE, hash_of(PASSWORD))

    assert [client.get("/help").status_code for client in (pages, others)] == [303, 303]
    assert _log_in(pages) == 303
    assert pages.get("/help").status_code == 200


def test_a_session_ends_after_a_month(locked: Library) -> None:
    pages = _browser_of(locked)
    _log_in(pages)
    with pages.session_transaction() as session:
        session["login"][1] -= 31 * 24 * 3600
        session.modified = True

    assert pages.get("/help").status_code == 303


def test_a_session_of_another_library_does_not_count(locked: Library, tmp_path_factory: pytest.TempPathFactory) -> None:
    pages = _browser_of(locked)
    _log_in(pages)
    cookie = pages.get_cookie("mfcc")
    assert cookie is not None
    with Library(Settings(home=tmp_path_factory.mktemp("other") / "home", web_login="password")) as other:
        elsewhere = _browser_of(other)
        elsewhere.set_cookie("mfcc", cookie.value)

        assert elsewhere.get("/help").status_code == 303


def test_the_cookie_tells_no_hash_and_goes_back_over_https_only(locked: Library) -> None:
    pages = _browser_of(locked)

    secure = pages.post("/login", data={"password": PASSWORD}, base_url="https://localhost").headers["Set-Cookie"]
    plain = pages.post("/login", data={"password": PASSWORD}).headers["Set-Cookie"]

    assert "Secure" in secure
    assert "HttpOnly" in secure
    assert "SameSite=Lax" in secure
    assert "Secure" not in plain
    assert HASHED.rpartition("$")[2] not in secure


def test_a_sender_has_ten_attempts_in_five_minutes_and_others_are_not_kept_out(locked: Library) -> None:
    pages = _browser_of(locked)

    assert [_log_in(pages, "wrong") for _ in range(10)] == [403] * 10
    refused = pages.post("/login", data={"password": PASSWORD})
    assert refused.status_code == 429
    assert "Wait five minutes" in refused.text
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    other = pages.post("/login", data={"password": PASSWORD}, environ_overrides={"REMOTE_ADDR": "192.0.2.1"})
    assert other.status_code == 303


def test_pages_without_a_usable_hash_do_not_start(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    with _with(library, web_login="password") as locked:
        with pytest.raises(SecretNotFound, match=f"Set {VARIABLE}"):
            create_app(locked)
        monkeypatch.setenv(VARIABLE, PASSWORD)
        with pytest.raises(SettingsError, match=r"not an argon2id hash.*mfcc password") as refused:
            create_app(locked)
        assert PASSWORD not in str(refused.value)


def test_pages_whose_users_no_proxy_can_name_do_not_start(library: Library) -> None:
    with _with(library, web_login="header") as named, pytest.raises(SettingsError, match="Set MFCC_WEB_PROXIES"):
        create_app(named)


def _behind(library: Library, proxies: str) -> Flask:
    return create_app(_with(library, web_login="header", web_proxies=proxies))


def test_a_user_whom_a_known_proxy_names_sees_the_pages(library: Library) -> None:
    pages = _behind(library, "127.0.0.0/8").test_client()

    assert pages.get("/help", headers={USER: "ada@example.org"}).status_code == 200
    assert pages.get("/help").status_code == 403
    assert pages.get("/help", headers={USER: ""}).status_code == 403
    assert pages.get("/alive").status_code == 200


def test_a_user_whom_anybody_else_names_is_refused(library: Library) -> None:
    pages = _behind(library, "192.0.2.1").test_client()

    assert pages.get("/help", headers={USER: "ada@example.org"}).status_code == 403
