"""Tests of what screen readers read, in a real browser.

A screen reader reads a change of an element that was there before. So these tests watch the one element for it.
"""

from typing import TYPE_CHECKING, Any

import pytest

from mfcc_assets_tests.services.browser import Troubles, held_requests

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from mfcc_assets.library import Library

_COLLECTED = """() => {
  window.announced = [];
  const region = document.getElementById("announced");
  new MutationObserver(() => region.textContent && window.announced.push(region.textContent))
    .observe(region, { childList: true, characterData: true, subtree: true });
}"""


def _collect(page: "Page") -> None:
    page.wait_for_function("() => document.querySelector('.has-player, #player')")
    page.evaluate(_COLLECTED)


def _wait_for(page: "Page", words: str) -> None:
    page.wait_for_function("words => window.announced.some((each) => each.includes(words))", arg=words)


@pytest.fixture
def song(tmp_path: "Path") -> "Path":
    from mfcc_assets_tests.audio_samples import write_music

    return write_music(tmp_path / "sent.flac", 3.0, seed=78)


def test_the_region_for_announcements_is_there_before_anything_is_told_and_nobody_sees_it(page: "Page") -> None:
    page.goto("/")
    region = page.locator("#announced")

    assert (region.get_attribute("role"), region.text_content()) == ("status", "")
    assert region.evaluate("(shown) => shown.offsetWidth") == 1


def test_an_upload_tells_that_it_is_sent_and_that_its_answer_is_there(page: "Page", song: "Path") -> None:
    page.goto("/")
    _collect(page)
    page.locator("#file").set_input_files(song)

    _wait_for(page, "Sending sent.flac")
    _wait_for(page, "Almost there")
    page.locator(".tag.preview").wait_for()
    page.locator("a[href*='/why/']").first.click()
    _wait_for(page, "Comparing both tracks")
    page.locator(".why-panel .sentences").wait_for()
    _wait_for(page, page.locator(".why-panel .sentences p").first.inner_text())


def test_an_answer_that_comes_to_an_open_page_is_told(page: "Page", ten_tracks: "Library", song: "Path") -> None:
    upload = "0e" * 16
    ten_tracks.blobs.write("uploads", f"{upload}/song.flac", song.read_bytes())
    held = held_requests(page, "**/events")
    with page.expect_request("**/events"):
        page.goto(f"/uploads/{upload}")
    _collect(page)
    held[0].continue_()

    _wait_for(page, "This is the answer already.")
    assert page.locator(".tag.preview").is_visible()


def test_a_refused_file_is_told(page: "Page", tmp_path: "Path", troubles: Troubles) -> None:
    troubles.expect("the server responded with a status of 4")
    page.goto("/")
    _collect(page)
    page.locator("#file").set_input_files(_written(tmp_path / "letter.mp3", b"Dear listener, " * 1000))

    panel = page.locator(".sending p")
    page.get_by_role("button", name="Close").wait_for()
    _wait_for(page, panel.inner_text())


def test_the_player_tells_which_track_is_heard_once_and_not_after_a_reload(page: "Page") -> None:
    page.goto("/trial")
    _collect(page)
    title = page.locator("[data-track] a").first.inner_text()
    page.locator("[data-action=play]").first.click()
    _wait_for(page, f"Now playing: {title}")
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    page.locator("[data-part=next]").click()
    _wait_for(page, page.locator("[data-track] a").nth(1).inner_text())

    assert page.evaluate("() => window.announced.length") == 2
    page.locator("#player [data-part=play]").click()
    page.reload()
    page.locator("#player").wait_for()
    assert page.locator("#announced").text_content() == ""


def test_the_stretches_of_a_pair_are_told_once_though_they_are_repeated(page: "Page") -> None:
    page.goto("/trial")
    _collect(page)
    page.locator("[data-action=stretches]").first.click()
    page.locator("[data-part=stretch-loop]").click()
    _wait_for(page, "A, 1 of 2")
    _wait_for(page, "B, 2 of 2")

    page.wait_for_timeout(1500)
    assert page.evaluate("() => window.announced") == ["A, 1 of 2", "B, 2 of 2"]


def test_results_of_the_library_are_counted_aloud(page: "Page") -> None:
    page.goto("/library")
    _collect(page)
    page.locator("#search").fill("Song 3")

    _wait_for(page, "1 track")


@pytest.mark.parametrize("answer", [{"status": 503, "body": ""}, {"status": 200, "body": "<p>log in</p>"}])
def test_a_search_of_the_map_that_fails_does_not_say_that_there_is_no_track(
    page: "Page", troubles: Troubles, answer: dict[str, Any]
) -> None:
    troubles.expect("503")
    page.goto("/map")
    _collect(page)
    page.route("**/map/search*", lambda route: route.fulfill(**answer))
    page.locator("#map-search").fill("Song")

    page.locator("#map-found").get_by_text("The search does not answer now.").wait_for()
    _wait_for(page, "The search does not answer now.")
    page.unroute("**/map/search*")
    page.locator("#map-search").fill("Song 3")
    _wait_for(page, "Tracks found: 1")
    page.locator("#map-search").fill("nothing of this name")
    _wait_for(page, "No track of the library has these words in its names.")


def test_a_search_of_the_library_that_fails_is_told(page: "Page", troubles: Troubles) -> None:
    troubles.expect("503")
    page.goto("/library")
    page.route("**/library?*", lambda route: route.fulfill(status=503, body=""))
    page.locator("#search").fill("Song 3")

    page.locator("#notice").get_by_text("The search does not answer now.").wait_for()


def _written(path: "Path", content: bytes) -> "Path":
    path.write_bytes(content)
    return path
