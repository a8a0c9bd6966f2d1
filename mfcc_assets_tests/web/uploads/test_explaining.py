"""Tests of why a track sounds like an upload, and of the pictures of an upload."""

import json
import re
from dataclasses import replace
from unittest.mock import Mock

import pytest
from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets.pipeline.explain_upload import explain_upload
from mfcc_assets.web.heavy_work import HeavyWork
from mfcc_assets.web.site import open_site, site
from mfcc_assets_tests.upload_steps import answer_uploads
from mfcc_assets_tests.web.uploads.answered import answered, sent

PNG = b"\x89PNG"


def _first_why(page: str) -> str:
    found = re.search(r'href="([^"]+/why/[0-9a-f]+)"', page)
    assert found is not None
    return found[1]


def test_every_answer_is_explained_before_and_after_it_is_recorded(
    ten_tracks: Library, pages: FlaskClient, song: bytes
) -> None:
    upload = sent(pages, song)
    why = _first_why(pages.get(f"/uploads/{upload}").text)
    before = pages.get(why).text
    answer_uploads(ten_tracks, [upload])
    after = pages.get(why).text

    sentences = [re.search(r'<div class="sentences">(.*?)</div>', page, re.DOTALL) for page in (before, after)]
    assert all(sentences)
    assert sentences[0][1] == sentences[1][1]  # type: ignore[index]
    assert "As a whole they are" in before


def test_a_stretch_plays_that_of_the_upload_and_then_that_of_the_track(
    ten_tracks: Library, pages: FlaskClient, song: bytes
) -> None:
    upload = answered(ten_tracks, pages, song)

    page = pages.get(_first_why(pages.get(f"/uploads/{upload}").text)).text
    for found in re.findall(r"data-stretches='(.*?)'", page):
        first, second = json.loads(found)
        assert first["audio"] == f"/uploads/{upload}/audio"
        assert second["audio"].startswith("/tracks/")


def test_the_path_is_drawn(ten_tracks: Library, pages: FlaskClient, song: bytes) -> None:
    upload = answered(ten_tracks, pages, song)
    why = _first_why(pages.get(f"/uploads/{upload}").text)

    assert pages.get(f"{why}/path.png").data.startswith(PNG)


@pytest.mark.parametrize("name", ["waveform", "spectrum", "spectrogram", "cepstra"])
def test_an_upload_is_drawn_before_it_is_recorded(pages: FlaskClient, song: bytes, name: str) -> None:
    upload = sent(pages, song)

    assert pages.get(f"/uploads/{upload}/pictures/{name}.png").data.startswith(PNG)


def test_other_pictures_are_not_there(pages: FlaskClient, song: bytes) -> None:
    upload = sent(pages, song)

    assert pages.get(f"/uploads/{upload}/pictures/other.png").status_code == 404


def test_a_page_and_its_picture_share_one_explanation(
    ten_tracks: Library, pages: FlaskClient, song: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = answered(ten_tracks, pages, song)
    why = _first_why(pages.get(f"/uploads/{upload}").text)
    explain = Mock(wraps=explain_upload)
    monkeypatch.setattr("mfcc_assets.web.uploads.explaining.explain_upload", explain)

    assert pages.get(why).status_code == pages.get(f"{why}/path.png").status_code == 200
    assert explain.call_count == 1


def test_when_many_requests_wait_for_heavy_work_the_browser_is_told_to_ask_again(
    ten_tracks: Library, pages: FlaskClient, song: bytes
) -> None:
    upload, heavy = answered(ten_tracks, pages, song), HeavyWork(at_once=1, most_waiting=0)
    why = _first_why(pages.get(f"/uploads/{upload}").text)
    with pages.application.app_context():
        open_site(pages.application, replace(site(), heavy=heavy))

    for address in (why, f"{why}/path.png", f"/uploads/{upload}/pictures/cepstra.png"):
        with heavy.turn():
            refused = pages.get(address)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert pages.get(address).status_code == 200


def test_an_unknown_track_is_not_explained(pages: FlaskClient, song: bytes) -> None:
    upload = sent(pages, song)

    assert pages.get(f"/uploads/{upload}/why/0123456789abcdef").status_code == 404


def test_a_shared_answer_is_explained_without_the_id_and_the_sound_of_the_upload(
    ten_tracks: Library, pages: FlaskClient, song: bytes
) -> None:
    upload = answered(ten_tracks, pages, song)
    shared = pages.post(f"/uploads/{upload}/share", headers={"Accept": "application/json"}).get_json()["address"]
    other = pages.application.test_client()

    why = _first_why(other.get(shared).text)
    page = other.get(why)
    assert page.status_code == 200
    assert upload not in page.text
    assert other.get(f"{why}/path.png").data.startswith(PNG)


def test_an_upload_has_a_waveform_from_its_preview_on_and_the_same_when_it_is_recorded(
    ten_tracks: Library, pages: FlaskClient, song: bytes
) -> None:
    upload = sent(pages, song)
    before = pages.get(f"/uploads/{upload}/waveform").data
    answer_uploads(ten_tracks, [upload])

    assert before
    assert pages.get(f"/uploads/{upload}/waveform").data == before


def test_an_upload_that_waits_has_no_waveform_yet_which_is_no_error(ten_tracks: Library, pages: FlaskClient) -> None:
    upload = "0c" * 16
    ten_tracks.blobs.write("uploads", f"{upload}/song.flac", b"not read yet")

    response = pages.get(f"/uploads/{upload}/waveform")
    assert (response.status_code, response.data) == (204, b"")


@pytest.mark.parametrize("part", ["waveform", "pictures/spectrum.png"])
def test_a_browser_asks_whether_an_upload_is_still_there_before_it_shows_what_it_has_kept(
    pages: FlaskClient, song: bytes, part: str
) -> None:
    address = f"/uploads/{sent(pages, song)}/{part}"
    kept = pages.get(address).headers

    assert kept["Cache-Control"] == "private, no-cache"
    assert pages.get(address, headers={"If-None-Match": kept["ETag"]}).status_code == 304
