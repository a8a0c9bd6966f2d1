"""Tests of the whole front in a real browser, with the real server and the real daemon of Dagster."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mfcc_assets.library import Library
from mfcc_assets.pipeline.explain import explain_pair
from mfcc_assets.pipeline.find_track import find_track
from mfcc_assets.pipeline.opened_index import published_index
from mfcc_assets.pipeline.recommend_file import recommend_file
from mfcc_assets.settings import Settings
from mfcc_assets.web.uploads.receiving import SAMPLES
from mfcc_assets_tests.services.browser import Troubles, fresh_page
from mfcc_assets_tests.services.web import running_web
from mfcc_assets_tests.web.browser.conftest import STARTER
from mfcc_assets_tests.web.browser.front import Front, cards, path_of, send, wait_until_recorded
from mfcc_assets_tests.web.browser.listening import playing, seconds, title, wait_until_heard, wait_until_silent

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

RECOGNISED = STARTER / "uploads" / "a-new-journey.mp3"

_WATCH_SHIFTS = """() => {
    window.shifts = 0;
    new PerformanceObserver(list => list.getEntries().forEach(each => { window.shifts += each.value; }))
        .observe({type: "layout-shift"});
    document.querySelectorAll("[data-part=answer] li.track").forEach((card, at) => { card.seen = at; });
}"""
_FOCUSED = "document.activeElement"


def _tab_to(page: "Page", what: str, most: int = 60) -> None:
    """Press the tabulator until an element has the focus."""
    for _ in range(most):
        if page.evaluate(f"what => {_FOCUSED}.matches(what)", what):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the tabulator does not reach {what}")


def _alike(page: "Page") -> "Locator":
    """Return the card of the track that has a stretch in common with the upload."""
    return page.locator("[data-part=answer] li.track", has_text="armygeddon")


def test_a_track_is_recognised_and_answered_and_the_recorded_answer_comes_without_a_jump(
    browser: "Browser", front: Front, troubles: Troubles
) -> None:
    with fresh_page(browser, front.address, troubles) as page:
        send(page, str(RECOGNISED))
        page.locator(".tag.preview").wait_for()
        page.evaluate(_WATCH_SHIFTS)
        preview = cards(page)
        page.locator("[data-part=answer] [data-action=play]").first.click()
        wait_until_heard(page, 0.2)
        heard = playing(page)

        wait_until_recorded(page)

        assert cards(page) == preview
        assert len(preview) == 5
        kept = "all => all.map(card => card.seen)"
        assert page.locator("[data-part=answer] li.track").evaluate_all(kept) == [0, 1, 2, 3, 4]
        assert page.evaluate("window.shifts") < 0.05
        assert playing(page) == heard
        assert title(page) == json.loads(preview[0])["title"]
        recognised = page.locator(".recognised strong").all_inner_texts()
        assert recognised == ["A New Journey", "Maxstack"]
        assert page.locator(".steps [aria-current=step]").get_attribute("data-state") == "ranked"
        before = seconds(page)
        wait_until_heard(page, before + 0.5)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_has_a_stretch_in_common_with_the_first_track_of_its_answer(front_home: Path, name: str) -> None:
    with Library(Settings(home=front_home)) as library:
        index = published_index(library)
        answer = recommend_file(library, STARTER / "library" / name, count=1)
        first = answer.soundtracks[answer.recommendations[0].track_id]
        explained = explain_pair(library, index, find_track(library, name), first)

    assert explained.explanation.stretches


def test_the_answer_is_there_within_a_second_of_the_last_byte(
    browser: "Browser", front: Front, troubles: Troubles
) -> None:
    with fresh_page(browser, front.address, troubles) as page:
        send(page, str(STARTER / "uploads" / "caribbean.mp3"))
        began = time.monotonic()
        page.locator(".tag.preview, .tag.recorded").wait_for()
        # Idle machines are measured elsewhere. Here the browser and the daemon are busy on the same processors.
        assert time.monotonic() - began < 5


def test_a_stretch_of_the_upload_and_then_that_of_the_track_are_heard(
    browser: "Browser", front: Front, troubles: Troubles
) -> None:
    with front.page(browser, troubles) as page:
        page.goto(front.upload)
        page.goto(_alike(page).locator("a[href*='/why/']").get_attribute("href") or "")
        button = page.locator("[data-action=stretches]").first
        stretches = json.loads(button.get_attribute("data-stretches") or "")
        assert [each["audio"].split("/")[1] for each in stretches] == ["uploads", "tracks"]

        button.click()

        for stretch in stretches:
            name = "document.querySelector('[data-part=stretch-name]').textContent"
            page.wait_for_function(f"expected => {name} === expected", arg=stretch["name"])
            wait_until_heard(page, stretch["from"] + 0.1)
            assert playing(page) == [stretch["audio"]]
        page.get_by_role("button", name="Stop").click()
        wait_until_silent(page)
        assert page.locator(".sentences p").count() > 0
        picture = page.locator("img.picture")
        picture.scroll_into_view_if_needed()
        page.wait_for_function("() => document.querySelector('img.picture').naturalWidth > 100")


def test_why_opens_below_the_card(browser: "Browser", front: Front, troubles: Troubles) -> None:
    with front.page(browser, troubles) as page:
        page.goto(front.upload)
        link = _alike(page).locator("a[href*='/why/']")
        link.click()
        page.locator(".why-panel [data-action=stretches]").first.wait_for()
        assert path_of(page) == front.upload
        assert link.get_attribute("aria-expanded") == "true"
        link.click()
        assert page.locator(".why-panel").count() == 0


def test_the_upload_stands_among_its_neighbours_on_the_map(
    browser: "Browser", front: Front, troubles: Troubles
) -> None:
    with front.page(browser, troubles) as page:
        page.goto(front.upload)
        nearest = [json.loads(card)["id"] for card in cards(page)]
        page.get_by_role("link", name="See it on the map").click()
        page.wait_for_url("**/map?upload=*")

        shown = json.loads(page.locator("[data-upload]").get_attribute("data-upload") or "")
        assert shown["page"] == front.upload
        places = page.evaluate(
            """async () => {
                const points = new Uint16Array(await (await fetch("/map/points")).arrayBuffer());
                const {version, count, names_at_once: most} = await (await fetch("/map/tracks")).json();
                const ids = [];
                for (let chunk = 0; chunk * most < count; chunk++) {
                    ids.push(...(await (await fetch(`/map/names/${version}/${chunk}`)).json()).ids);
                }
                return ids.map((id, row) => [id, points[2 * row], points[2 * row + 1]]);
            }"""
        )
        squares = {track: (x - shown["x"]) ** 2 + (y - shown["y"]) ** 2 for track, x, y in places}
        typical = sorted(squares.values())[len(squares) // 2]
        near = [track for track in nearest if squares[track] < typical]
        assert len(near) >= 3, "most of the five lie in the nearer half of the map"


def test_the_keyboard_alone_leads_from_the_upload_to_the_music(
    browser: "Browser", front: Front, troubles: Troubles
) -> None:
    with fresh_page(browser, front.address, troubles) as page:
        page.goto("/")
        # The browser must know that it is watched before the key is pressed.
        with page.expect_file_chooser() as chosen:
            _tab_to(page, "#file")
            page.keyboard.press("Space")
        chosen.value.set_files(str(RECOGNISED))
        page.wait_for_url("**/uploads/*")
        page.locator(".tag.preview, .tag.recorded").wait_for()
        _tab_to(page, "[data-part=answer] [data-action=play]")
        page.keyboard.press("Enter")
        wait_until_heard(page, 0.2)
        page.keyboard.press("j")
        second = json.loads(cards(page)[1])["title"]
        page.wait_for_function(
            "second => document.querySelector('#player [data-part=title]').textContent === second", arg=second
        )
        wait_until_heard(page, 0.2)
        # On a button the space bar presses the button.
        _tab_to(page, "a.title")
        page.keyboard.press("Space")
        wait_until_silent(page)


def test_the_sample_needs_no_file(browser: "Browser", front: Front, troubles: Troubles) -> None:
    with fresh_page(browser, front.address, troubles) as page:
        page.goto("/")
        page.get_by_role("button", name="Palace").click()
        page.wait_for_url("**/uploads/*")
        page.locator(".tag.preview, .tag.recorded").wait_for()
        assert len(cards(page)) == 5


def test_a_second_browser_has_no_right_to_the_upload_of_the_first(
    browser: "Browser", front: Front, troubles: Troubles
) -> None:
    with front.page(browser, troubles) as page:
        page.goto("/")
        assert page.locator(f".recent a[href='{front.upload}']").count() == 1
    troubles.expect("403")
    with fresh_page(browser, front.address, troubles) as page:
        page.goto("/")
        assert front.upload not in page.content()
        page.goto(front.upload)
        assert page.locator(".rights").count() == 0
        statuses = page.evaluate(
            """base => Promise.all(["share", "share/revoke", "delete"].map(async part =>
                (await fetch(`${base}/${part}`, {method: "POST"})).status))""",
            front.upload,
        )
        assert statuses == [403, 403, 403]
    with front.page(browser, troubles) as page:
        page.goto(front.upload)
        assert len(cards(page)) == 5


def test_a_shared_link_shows_the_answer_and_nothing_of_the_file_until_it_is_ended(
    browser: "Browser", front: Front, troubles: Troubles
) -> None:
    with front.page(browser, troubles) as page:
        page.goto(front.upload)
        page.get_by_role("button", name="Make a link to the answer").click()
        link = page.locator("input.link").input_value()
        answer = [json.loads(card)["id"] for card in cards(page)]
        with fresh_page(browser, front.address, troubles) as other:
            other.goto(link)
            assert [json.loads(card)["id"] for card in cards(other)] == answer
            assert front.upload not in other.content()
            other.locator("[data-part=answer] [data-action=play]").first.click()
            wait_until_heard(other, 0.2)
        page.reload()
        page.get_by_role("button", name="End all links").click()
        page.get_by_role("button", name="End all links").wait_for(state="detached")
    troubles.expect("404")
    with fresh_page(browser, front.address, troubles) as other:
        answered: Any = other.goto(link)
        assert answered.status == 404


@pytest.mark.parametrize("suffix", ["m3u8", "xspf", "jspf"])
def test_the_list_is_taken_along_as_a_file(browser: "Browser", front: Front, troubles: Troubles, suffix: str) -> None:
    with front.page(browser, troubles) as page:
        page.goto(front.upload)
        with page.expect_download() as download:
            page.get_by_role("link", name=suffix.upper()).click()
        assert download.value.suggested_filename.endswith(f".{suffix}")
        assert download.value.path().stat().st_size > 100


def test_a_link_that_ends_while_a_track_plays_is_asked_for_again(
    browser: "Browser", ten_tracks: "Library", long_track: str, troubles: Troubles, tmp_path: Path
) -> None:
    troubles.expect("403")
    home = ten_tracks.settings.home
    with (
        running_web(home, tmp_path / "log", {"MFCC_LINK_SECONDS": "2"}) as address,
        fresh_page(browser, address, troubles) as page,
    ):
        page.goto(f"/tracks/{long_track}")
        page.locator("main [data-action=play]").first.click()
        wait_until_heard(page, 0.2)
        time.sleep(2.5)

        # This part of the file has not been loaded yet, and the link to it has ended.
        page.locator("[data-part=seek]").evaluate(
            "field => { field.value = 150; field.dispatchEvent(new Event('change')); }"
        )
        wait_until_heard(page, 150.2)
        assert seconds(page) < 155
        assert any("403" in each for each in troubles.found)
