"""Tests of the page of an upload in a real browser, with answers that a test records itself."""

from typing import TYPE_CHECKING

import pytest

from mfcc_assets.ids import UploadId
from mfcc_assets_tests.services.browser import Troubles, held_requests
from mfcc_assets_tests.upload_steps import answer_uploads
from mfcc_assets_tests.web.browser.axe import serious_findings

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page, Route

    from mfcc_assets.library import Library

LATE = UploadId("0c" * 16)


@pytest.fixture
def song(tmp_path: "Path") -> "Path":
    """Write a file with music that is not in the library of ten songs."""
    from mfcc_assets_tests.audio_samples import write_music

    return write_music(tmp_path / "sent.flac", 3.0, seed=77)


def _send(page: "Page", song: "Path") -> UploadId:
    page.goto("/")
    page.locator("#file").set_input_files(song)
    page.wait_for_url("**/uploads/*")
    page.locator(".tag.preview").wait_for()
    return UploadId(page.url.rpartition("/")[2])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_preview(page: "Page", song: "Path", scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    _send(page, song)

    assert serious_findings(page) == []


def test_the_recorded_answer_comes_though_a_request_for_it_is_lost_and_then_it_can_be_shared(
    page: "Page", ten_tracks: "Library", song: "Path", troubles: Troubles
) -> None:
    troubles.expect("ERR_FAILED")
    upload = _send(page, song)
    assert page.get_by_role("button", name="Make a link to the answer").count() == 0
    page.route("**/answer", lambda route: route.abort(), times=1)

    answer_uploads(ten_tracks, [upload])

    page.locator(".tag.recorded").wait_for()
    assert any("ERR_FAILED" in each for each in troubles.found)
    page.get_by_role("button", name="Make a link to the answer").click()
    page.locator("input.link").wait_for()


def test_a_listener_who_is_logged_out_is_told_so_and_nothing_is_asked_any_more(
    page: "Page", ten_tracks: "Library", song: "Path", troubles: Troubles
) -> None:
    troubles.expect("401")
    upload = _send(page, song)
    asked: list[str] = []

    def refuse(route: "Route") -> None:
        asked.append(route.request.url)
        route.fulfill(status=401, body="")

    page.route("**/uploads/*/*", refuse)
    answer_uploads(ten_tracks, [upload])

    page.get_by_text("You are logged out.").wait_for()
    assert page.get_by_text("You are logged out.").bounding_box()["height"] > 10  # type: ignore[index]
    page.wait_for_timeout(2500)
    # The browser asks by itself for another stream, and the waveform of the preview may still be on its way.
    assert len([address for address in asked if address.endswith(("/answer", "/state"))]) == 1


def test_a_page_whose_stream_is_refused_asks_in_one_loop_however_often_it_is_hidden(
    page: "Page", song: "Path", troubles: Troubles
) -> None:
    troubles.expect("503")
    upload = _send(page, song)
    page.route("**/events", lambda route: route.fulfill(status=503, body=""))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/state") else None)
    page.goto(f"/uploads/{upload}")
    page.wait_for_timeout(300)
    for _ in range(4):
        for is_hidden in ("true", "false"):
            page.evaluate(
                f"Object.defineProperty(document, 'hidden', {{value: {is_hidden}, configurable: true}});"
                "document.dispatchEvent(new Event('visibilitychange'))"
            )
        page.wait_for_timeout(100)

    page.wait_for_timeout(4500)
    assert 1 <= len(asked) <= 2


def test_a_fresh_upload_gets_its_length_and_its_waveform_with_the_answer(
    page: "Page", ten_tracks: "Library", song: "Path"
) -> None:
    ten_tracks.blobs.write("uploads", f"{LATE}/song.flac", song.read_bytes())
    page.goto(f"/uploads/{LATE}")

    page.locator(".tag.preview").wait_for()

    assert float(page.locator(".upload-waveform").get_attribute("data-seconds") or 0) == pytest.approx(3, abs=0.1)
    page.locator(".upload-waveform input[type=range]").wait_for(state="attached")


def test_a_file_that_is_not_music_has_no_pictures(page: "Page", ten_tracks: "Library") -> None:
    ten_tracks.blobs.write("uploads", f"{LATE}/song.flac", b"fLaC and no more")
    page.goto(f"/uploads/{LATE}")

    page.get_by_text("This file is not music that we can read.").wait_for()

    page.get_by_text("Pictures of your track").wait_for(state="detached")


def test_an_explanation_that_was_closed_before_it_came_starts_nothing(page: "Page", song: "Path") -> None:
    _send(page, song)
    page.wait_for_load_state("load")
    held = held_requests(page, "**/why/*")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    link = page.locator("a[href*='/why/']").first
    with page.expect_request("**/why/*"):
        link.click()
    page.locator(".why-panel").wait_for()
    link.click()

    with page.expect_response("**/why/*"):
        held[0].continue_()
    page.wait_for_timeout(300)

    assert page.locator(".why-panel").count() == 0
    # The waveform of the upload itself comes with its answer, whenever that is.
    assert not [each for each in asked if "/tracks/" in each and "waveform" in each]


def test_a_second_file_can_be_cancelled_though_the_first_arrives_meanwhile(page: "Page", song: "Path") -> None:
    page.goto("/")
    pages = held_requests(page, "**/uploads/*")
    with page.expect_request("**/uploads/*"):
        page.locator("#file").set_input_files(song)
    held_requests(page, "**/uploads?name=*")
    page.locator("#file").set_input_files(song.rename(song.with_name("second.flac")))

    pages[0].continue_()
    page.wait_for_url("**/uploads/*")
    page.locator(".upload").wait_for()

    page.locator(".sending").get_by_text("Sending second.flac").wait_for()
    page.get_by_role("button", name="Cancel").click()
    assert page.locator(".sending").count() == 0
