"""Tests of what only the browser that sent an upload may do with it."""

import html
import json
import re

import pytest
from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets.web.security.passwords import hash_of
from mfcc_assets.web.uploads.room import room_of
from mfcc_assets_tests.web.clients import client_of
from mfcc_assets_tests.web.uploads.answered import answered, sent

PASSWORD = "correct horse battery"
JSON = {"Accept": "application/json"}


def _link(pages: FlaskClient, upload: str) -> str:
    address: str = pages.post(f"/uploads/{upload}/share", headers=JSON).get_json()["address"]
    return address


def test_a_link_shows_the_answer_and_tells_neither_the_id_nor_the_sound(
    ten_tracks: Library, pages: FlaskClient, song: bytes
) -> None:
    upload = answered(ten_tracks, pages, song)
    link = _link(pages, upload)

    page = pages.application.test_client().get(link)
    assert page.status_code == 200
    assert page.text.count('<li class="track"') == ten_tracks.settings.recommendations
    assert upload not in page.text
    assert upload not in link
    assert page.headers["X-Robots-Tag"] == "noindex"


def test_every_address_of_a_shared_page_leads_somewhere(ten_tracks: Library, pages: FlaskClient, song: bytes) -> None:
    link = _link(pages, answered(ten_tracks, pages, song))
    stranger = pages.application.test_client()

    addresses = set(re.findall(r'(?:href|src)="(/[^"]+)"', stranger.get(link).text))
    assert any(address.endswith("/export.m3u8") for address in addresses)
    assert {address: code for address in addresses if (code := stranger.get(address).status_code) >= 400} == {}


def test_a_shared_page_shows_and_plays_its_tracks_without_the_log_in(
    ten_tracks: Library, song: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MFCC_SECRET_WEB_PASSWORD", hash_of(PASSWORD))
    with Library(ten_tracks.settings.model_copy(update={"web_login": "password"})) as locked:
        pages = client_of(locked)
        pages.post("/login", data={"password": PASSWORD})
        link = _link(pages, answered(locked, pages, song))
        stranger = pages.application.test_client()
        page = stranger.get(link).text

        files = set(re.findall(r'src="(/[^"]+)"', page))
        for shown in re.findall(r"data-track='([^']+)'", page):
            track = json.loads(html.unescape(shown))
            files |= {track["audio"], track["artwork"], track["waveform"]}
        assert len([address for address in files if address.startswith("/shared/")]) == 3 * page.count('class="track"')
        assert {address: code for address in files if (code := stranger.get(address).status_code) >= 400} == {}
        # A page of the library is a page, so its address leads a browser to the log-in.
        pages_of_it = set(re.findall(r'href="(/[^"]+)"', page))
        browsing = {"Accept": "text/html"}
        assert {
            each: code for each in pages_of_it if (code := stranger.get(each, headers=browsing).status_code) >= 400
        } == {}


@pytest.mark.parametrize("suffix", ["m3u8", "xspf", "jspf"])
def test_the_files_of_a_shared_page_play_without_the_log_in_until_the_link_ends(
    ten_tracks: Library, song: bytes, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setenv("MFCC_SECRET_WEB_PASSWORD", hash_of(PASSWORD))
    with Library(ten_tracks.settings.model_copy(update={"web_login": "password"})) as locked:
        pages = client_of(locked)
        pages.post("/login", data={"password": PASSWORD})
        upload = answered(locked, pages, song)
        link = _link(pages, upload)
        stranger = pages.application.test_client()

        named = set(re.findall(r"http://localhost(/[^\s\"<]+/audio)", stranger.get(f"{link}/export.{suffix}").text))
        assert len(named) == locked.settings.recommendations
        audio = [stranger.get(address) for address in named]
        assert [response.status_code for response in audio] == [302] * len(named)
        assert all(stranger.get(response.location).status_code == 200 for response in audio)

        pages.post(f"/uploads/{upload}/share/revoke")
        assert {stranger.get(address).status_code for address in named} == {404}


def test_an_upload_that_nothing_has_looked_at_can_be_shared_in_a_moment(pages: FlaskClient, song: bytes) -> None:
    upload = sent(pages, song)

    told = pages.post(f"/uploads/{upload}/share", headers=JSON)
    assert (told.status_code, told.get_json()["detail"][:29]) == (409, "This upload was not looked at")
    assert pages.post(f"/uploads/{upload}/share/revoke").status_code == 303
    pages.post(f"/uploads/{upload}/delete")
    assert pages.post(f"/uploads/{upload}/share").status_code == 404


def test_a_browser_without_scripts_is_shown_the_link(ten_tracks: Library, pages: FlaskClient, song: bytes) -> None:
    upload = answered(ten_tracks, pages, song)

    page = pages.post(f"/uploads/{upload}/share", headers={"Accept": "text/html"})
    assert "/shared/" in page.text


def test_links_end_when_they_are_revoked(ten_tracks: Library, pages: FlaskClient, song: bytes) -> None:
    upload = answered(ten_tracks, pages, song)
    link = _link(pages, upload)

    assert pages.post(f"/uploads/{upload}/share/revoke").status_code == 303
    assert pages.get(link).status_code == 404


@pytest.mark.parametrize("token", ["x", "0f" * 16, "a" * 86, "<script>"])
def test_an_invented_link_shows_nothing(pages: FlaskClient, token: str) -> None:
    assert pages.get(f"/shared/{token}").status_code == 404


def test_a_deleted_upload_is_gone_with_everything_of_it(ten_tracks: Library, pages: FlaskClient, song: bytes) -> None:
    upload = answered(ten_tracks, pages, song)
    link = _link(pages, upload)
    pages.get(f"/uploads/{upload}/pictures/cepstra.png")

    assert pages.post(f"/uploads/{upload}/delete").status_code == 303
    for address in (link, f"/uploads/{upload}", f"/uploads/{upload}/audio", f"/uploads/{upload}/pictures/cepstra.png"):
        assert pages.get(address).status_code == 404, address
    assert upload not in pages.get("/").text
    assert room_of(pages.application).previews.get(upload) is None
    names = [blob.name for container in ("uploads", "batch", "cepstra") for blob in ten_tracks.blobs.list(container)]
    assert not [name for name in names if upload in name]
    assert ten_tracks.documents.get_or_none(upload) is None


def test_nothing_of_an_upload_stays_in_memory_if_something_is_left_in_the_stores(
    ten_tracks: Library, pages: FlaskClient, song: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = sent(pages, song)
    pages.get(f"/uploads/{upload}/pictures/waveform.png")
    kept = pages.application.extensions["mfcc"].pictures
    assert kept.size > 0
    monkeypatch.setattr("mfcc_assets.pipeline.delete_upload._PAUSE_SECONDS", 0)
    monkeypatch.setattr(ten_tracks.blobs, "delete", lambda *_: None)

    assert pages.post(f"/uploads/{upload}/delete").status_code >= 400
    assert room_of(pages.application).previews.get(upload) is None
    assert kept.size == 0


def test_another_site_cannot_delete(ten_tracks: Library, pages: FlaskClient, song: bytes) -> None:
    upload = answered(ten_tracks, pages, song)

    refused = pages.post(f"/uploads/{upload}/delete", headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403
    assert pages.get(f"/uploads/{upload}").status_code == 200
