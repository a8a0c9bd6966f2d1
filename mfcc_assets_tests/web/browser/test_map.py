"""Tests of the map in a real browser."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mfcc_assets_tests.services.browser import Troubles, held_requests
from mfcc_assets_tests.web.browser.listening import title, wait_until_heard

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

    from mfcc_assets.library import Library

LARGE = 10_000
RECEIVED = "2026-11-29T08:00:00+00:00"

_POINTS_ARE_DRAWN = """() => {
    const canvas = document.querySelector('.map-points');
    if (!canvas?.width || canvas.width === 300) return false;
    return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean);
}"""


@pytest.fixture
def track_ids(ten_tracks: "Library") -> dict[str, str]:
    return {track.title: track.track_id for track in ten_tracks.catalogue.soundtracks()}


_NAMES_ARE_DRAWN = """() => {
    const canvas = document.querySelector('.map-marks');
    // Chromium warns of a canvas that is read several times, so a copy is read.
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
    copy.drawImage(canvas, 0, 0);
    return copy.getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean);
}"""


def _open(page: "Page", address: str = "/map") -> None:
    page.goto(address)
    page.wait_for_function(_POINTS_ARE_DRAWN)


def _window_place(page: "Page", row: int) -> tuple[float, float]:
    """Show the whole map, and return where a track is on it, in pixels of the window."""
    page.locator(".map-plane").scroll_into_view_if_needed()
    data: Any = page.evaluate("fetch('/map/points').then(r => r.arrayBuffer()).then(b => [...new Uint16Array(b)])")
    box = page.locator(".map-plane").bounding_box()
    assert box is not None
    xs, ys = data[::2], data[1::2]
    # The points fill the window but for a margin, inside of a border of one pixel.
    inner_width, inner_height = box["width"] - 2, box["height"] - 2
    scale = 0.94 * min(inner_width / (max(xs) - min(xs)), inner_height / (max(ys) - min(ys)))
    return (
        box["x"] + 1 + inner_width / 2 + (xs[row] - (min(xs) + max(xs)) / 2) * scale,
        box["y"] + 1 + inner_height / 2 - (ys[row] - (min(ys) + max(ys)) / 2) * scale,
    )


def _row_titles(page: "Page") -> list[str]:
    names: list[str] = page.evaluate(
        "fetch('/map/tracks').then(r => r.json()).then(t => fetch(`/map/names/${t.version}/0`))"
        ".then(r => r.json()).then(n => n.titles)"
    )
    return names


def test_names_are_written_when_they_come_though_nobody_moves_the_map(page: "Page") -> None:
    held = held_requests(page, "**/map/names/**")
    with page.expect_request("**/map/names/**"):
        _open(page)
    assert not page.evaluate(_NAMES_ARE_DRAWN)

    held[0].continue_()

    page.wait_for_function(_NAMES_ARE_DRAWN)


def test_a_pointer_over_a_track_shows_its_name_and_a_click_plays_it(page: "Page") -> None:
    _open(page)
    names = _row_titles(page)
    x, y = _window_place(page, 4)

    page.mouse.move(x, y)
    page.locator(".map-hint").wait_for()
    hint = page.locator(".map-hint strong").inner_text()
    page.mouse.click(x, y)

    assert hint == names[4]
    page.locator(".map-chosen").wait_for()
    assert page.locator(".map-chosen .title").inner_text() == hint
    wait_until_heard(page, 0.2)
    assert title(page) == hint


def test_keys_move_the_map_and_play_the_track_in_the_middle(page: "Page", track_ids: dict[str, str]) -> None:
    _open(page, f"/map?track={track_ids['Song 3']}")
    assert page.locator(".map-chosen .title").inner_text() == "Song 3"

    plane = page.locator(".map-plane")
    plane.focus()
    plane.press("+")
    page.wait_for_function("() => document.querySelector('[data-map=said]').textContent.startsWith('Song 3')")
    plane.press("Enter")
    wait_until_heard(page, 0.2)
    assert title(page) == "Song 3"
    before = page.evaluate("document.querySelector('.map-points').toDataURL()")
    plane.press("ArrowLeft")
    page.wait_for_function("before => document.querySelector('.map-points').toDataURL() !== before", arg=before)


@pytest.mark.parametrize("move", ["wheel", "button", "drag"])
def test_the_map_is_zoomed_and_moved(page: "Page", move: str) -> None:
    _open(page)
    before = page.evaluate("document.querySelector('.map-points').toDataURL()")
    box = page.locator(".map-plane").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    if move == "wheel":
        page.mouse.wheel(0, -300)
    elif move == "button":
        page.get_by_role("button", name="Closer").click()
    else:
        page.get_by_role("button", name="Closer").click()
        page.mouse.move(box["x"] + 300, box["y"] + 200)
        page.mouse.down()
        page.mouse.move(box["x"] + 380, box["y"] + 260, steps=4)
        page.mouse.up()
    page.wait_for_function("before => document.querySelector('.map-points').toDataURL() !== before", arg=before)


def test_a_search_shows_a_track_on_the_map(page: "Page") -> None:
    _open(page)
    field = page.get_by_role("combobox", name="Search the map")
    field.fill("song 7")
    page.get_by_role("option", name="Song 7").wait_for()
    field.press("ArrowDown")
    field.press("Enter")

    page.locator(".map-chosen").wait_for()
    assert page.locator(".map-chosen .title").inner_text() == "Song 7"
    field.fill("nothing like this")
    page.locator("#map-found").get_by_text("No track of the library has these words").wait_for()


def test_a_path_and_an_upload_are_drawn(page: "Page", ten_tracks: "Library", track_ids: dict[str, str]) -> None:
    marks = """() => {
        const canvas = document.querySelector('.map-marks');
        if (canvas.width === 300) return false;
        return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean);
    }"""
    _open(page, f"/map?from={track_ids['Song 0']}&to={track_ids['Song 9']}")
    page.wait_for_function(marks)
    assert page.locator(".map-path a").first.inner_text() == "Song 0"

    audio_id = ten_tracks.catalogue.soundtracks()[2].audio_id
    ten_tracks.documents.create(
        "0f" * 16, {"state": "ranked", "received": RECEIVED, "audio_id": audio_id, "file_name": "mine.mp3"}
    )
    _open(page, f"/map?upload={'0f' * 16}")
    page.wait_for_function(marks)


def _large_map(page: "Page") -> None:
    """Let the page draw a map of ten thousand tracks."""
    random = np.random.default_rng(0)
    points = (random.normal(0.5, 0.15, (LARGE, 2)).clip(0, 1) * 65_535).astype("<u2")
    codes = "".join(random.choice(list("0123456789-"), LARGE))
    groups = {"names": [f"Group {place}" for place in range(10)], "counts": [LARGE // 11] * 10, "codes": codes}
    tracks = {
        "version": "large",
        "count": LARGE,
        "names_at_once": 256,
        "groups": dict.fromkeys(("artist", "genre", "year"), groups),
    }

    def names(route: "Route") -> None:
        start = int(route.request.url.rpartition("/")[2]) * 256
        rows = range(start, start + 256)
        route.fulfill(
            json={
                "ids": [f"{row:016x}" for row in rows],
                "titles": [f"Title {row}" for row in rows],
                "artists": [f"Artist {row % 400}" for row in rows],
            }
        )

    page.route(
        "**/map/points", lambda route: route.fulfill(body=points.tobytes(), content_type="application/octet-stream")
    )
    page.route("**/map/tracks", lambda route: route.fulfill(body=json.dumps(tracks), content_type="application/json"))
    page.route("**/map/names/**", names)


def test_ten_thousand_points_are_moved_smoothly(page: "Page") -> None:
    _large_map(page)
    _open(page)

    measured = page.evaluate(
        """async () => {
            const plane = document.querySelector('.map-plane');
            const box = plane.getBoundingClientRect();
            const place = {clientX: box.left + 400, clientY: box.top + 250, cancelable: true};
            const turn = (count) => plane.dispatchEvent(
                new WheelEvent('wheel', {...place, deltaY: count % 120 < 60 ? -20 : 20}));
            const frames = [];
            for (let count = 0; count < 120; count++) {
                turn(count);
                await new Promise(requestAnimationFrame);
                frames.push(performance.now());
            }
            const times = frames.slice(1).map((now, at) => now - frames[at]).sort((a, b) => a - b);
            const rate = 1000 * times.length / (frames.at(-1) - frames[0]);
            return {median: times[Math.floor(times.length / 2)], rate};
        }"""
    )

    # A screen that is drawn 60 times a second leaves 16.7 ms. Busy machines of tests get twice that.
    assert measured["median"] < 34, measured


def test_the_colours_can_be_chosen_and_one_group_shown_alone(page: "Page") -> None:
    _large_map(page)
    _open(page)
    page.get_by_label("Colour by").select_option("genre")
    group = page.get_by_role("button", name="Group 3")
    before = page.evaluate("document.querySelector('.map-points').toDataURL()")
    group.click()
    page.wait_for_function("before => document.querySelector('.map-points').toDataURL() !== before", arg=before)
    assert group.get_attribute("aria-pressed") == "true"
    page.get_by_text("others are grey").wait_for()


@pytest.mark.parametrize("size", [(360, 720), (768, 1024), (1200, 820)])
def test_no_button_covers_points(page: "Page", size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    _open(page)
    buttons = page.locator(".map-buttons button")
    assert buttons.count() == 3
    for button in buttons.all():
        _assert_outside_the_plane(page, button)

    if size[0] < size[1]:  # the points reach to both sides
        x, y = _window_place(page, 4)
        page.mouse.click(x, y)
        page.locator(".map-chosen").wait_for()
        _assert_outside_the_plane(page, page.locator(".map-chosen"))


def _assert_outside_the_plane(page: "Page", part: "Locator") -> None:
    box, plane = part.bounding_box(), page.locator(".map-plane").bounding_box()
    assert box is not None
    assert plane is not None
    assert box["y"] + box["height"] <= plane["y"] or box["y"] >= plane["y"] + plane["height"]


def test_words_that_are_typed_before_the_points_have_come_are_searched(page: "Page") -> None:
    held = held_requests(page, "**/map/points")
    with page.expect_request("**/map/points"):
        page.goto("/map")
    page.locator("#map-search").fill("Song 3")

    held[0].continue_()

    page.locator("#map-found").get_by_text("Song 3").wait_for()


def test_the_map_says_that_it_cannot_be_loaded(page: "Page", troubles: Troubles) -> None:
    troubles.expect("503")
    page.route("**/map/points", lambda route: route.fulfill(status=503))
    page.goto("/map")
    page.get_by_text("The map cannot be loaded").wait_for()
