"""Tests that the player and the map can be used by everybody: rules of axe, phones, dark and light."""

from typing import TYPE_CHECKING

import pytest

from mfcc_assets_tests.services.browser import Troubles, fresh_page
from mfcc_assets_tests.web.browser.axe import serious_findings
from mfcc_assets_tests.web.browser.listening import wait_until_heard

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PHONE = {"viewport": {"width": 360, "height": 720}, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", ["/trial", "/map", "/help"])
def test_axe_finds_nothing_serious(
    browser: "Browser", address: str, troubles: Troubles, scheme: str, place: str
) -> None:
    with fresh_page(browser, address, troubles, color_scheme=scheme) as page:
        page.goto("/trial")
        page.locator("main [data-action=play]").first.click()
        wait_until_heard(page, 0.1)
        page.goto(place)
        page.locator("#player [data-part=queue]").click()
        if place == "/map":
            page.locator(".map-legend button, .map-legend span").first.wait_for()

        assert serious_findings(page) == []


@pytest.mark.parametrize("place", ["/trial", "/map", "/help"])
def test_a_phone_needs_no_scrolling_to_the_side(
    browser: "Browser", address: str, troubles: Troubles, place: str
) -> None:
    with fresh_page(browser, address, troubles, **PHONE) as page:
        page.goto("/trial")
        page.locator("main [data-action=play]").first.tap()
        wait_until_heard(page, 0.1)
        page.goto(place)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["viewport"]["width"]  # type: ignore[index]
        for part in ("play", "next", "queue"):
            box = page.locator(f"#player [data-part={part}]").bounding_box()
            assert box is not None
            assert 0 <= box["x"] <= box["x"] + box["width"] <= 360
            assert min(box["width"], box["height"]) >= 24


def test_without_scripts_the_map_is_a_picture(browser: "Browser", address: str, troubles: Troubles) -> None:
    with fresh_page(browser, address, troubles, java_script_enabled=False) as page:
        page.goto("/map")
        picture = page.locator("noscript img")
        picture.scroll_into_view_if_needed()
        assert "Without scripts the map is a picture." in page.locator("noscript p").inner_text()
        assert picture.is_visible()
        assert not page.locator(".map-plane, .map-buttons button, .map-choice").filter(visible=True).count()


@pytest.mark.parametrize("shows_queue", [False, True])
def test_what_is_focused_is_never_behind_the_player(
    browser: "Browser", address: str, troubles: Troubles, shows_queue: bool
) -> None:
    with fresh_page(browser, address, troubles, viewport={"width": 800, "height": 500}) as page:
        page.goto("/library")
        page.locator("main [data-action=play]").first.click()
        page.locator("#player").wait_for()
        if shows_queue:
            page.locator("#player [data-part=queue]").click()
        page.locator("#search").focus()
        seen = 0
        while page.evaluate("() => Boolean(document.activeElement.closest('main'))"):
            box, player = (page.locator(each).bounding_box() for each in (":focus", "#player"))
            assert box is not None
            assert player is not None
            assert box["y"] + box["height"] <= player["y"]
            seen += 1
            page.keyboard.press("Tab")

        assert seen >= 2 * 10  # each of ten songs has a button and a link
