"""Tests that every kind of page of the whole front can be used by everybody, on phones too."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from mfcc_assets_tests.services.browser import Troubles, fresh_page
from mfcc_assets_tests.web.browser.axe import serious_findings
from mfcc_assets_tests.web.browser.front import Front, cards
from mfcc_assets_tests.web.browser.listening import wait_until_heard, wait_until_silent

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from mfcc_assets.library import Library

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
KINDS = [
    "upload", "answer", "why", "library", "artists", "track", "tracks why", "playlist", "path", "health", "map", "help",
    "error",
]  # fmt: skip


@pytest.fixture(scope="module")
def addresses(browser: "Browser", front: Front) -> dict[str, str]:
    """Return an address of every kind of page."""
    with front.page(browser, Troubles()) as page:
        page.goto(front.upload)
        first, second = (json.loads(card)["id"] for card in cards(page)[:2])
    return {
        "upload": "/",
        "answer": front.upload,
        "why": f"{front.upload}/why/{first}",
        "library": "/library",
        "artists": "/library/artists",
        "track": f"/tracks/{first}",
        "tracks why": f"/tracks/{first}/why/{second}",
        "playlist": f"/playlist?seed={first}&seed={second}",
        "path": f"/path?from={first}&to={second}",
        "health": "/health",
        "map": f"/map?from={first}&to={second}",
        "help": "/help",
        "error": "/nothing/lies/here",
    }


def _open(page: "Page", address: str) -> None:
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    page.wait_for_load_state("networkidle")


def _is_scrolled_to_the_side(page: "Page") -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_has_no_serious_finding_and_needs_no_scrolling_to_the_side(
    browser: "Browser", front: Front, troubles: Troubles, addresses: dict[str, str], kind: str
) -> None:
    if kind == "error":
        troubles.expect("404")
    with front.page(browser, troubles, **PHONE) as page:
        _open(page, addresses[kind])
        assert not _is_scrolled_to_the_side(page)
        assert serious_findings(page) == []
    with front.page(browser, troubles, color_scheme="dark", locale="zh-CN") as page:
        _open(page, addresses[kind])
        assert page.locator("html").get_attribute("lang") == "zh"
        assert serious_findings(page) == []


@pytest.fixture
def locked(ten_tracks: "Library", monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve pages that need a password."""
    from mfcc_assets.library import Library
    from mfcc_assets.web.app import create_app
    from mfcc_assets.web.security.passwords import hash_of
    from mfcc_assets_tests.web.browser.trial_site import serving

    monkeypatch.setenv("MFCC_SECRET_WEB_PASSWORD", hash_of("a long password"))
    settings = ten_tracks.settings.model_copy(update={"web_login": "password"})
    with Library(settings) as library, serving(create_app(library)) as address:
        yield address


def test_the_log_in_can_be_used_by_everybody(browser: "Browser", locked: str, troubles: Troubles) -> None:
    troubles.expect("401")
    with fresh_page(browser, locked, troubles, **PHONE) as page:
        page.goto("/library")
        assert not _is_scrolled_to_the_side(page)
        assert serious_findings(page) == []

        page.get_by_label("Password").fill("a long password")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Log out").wait_for()
        assert page.locator("main li.track").count() == 10


def test_a_log_out_in_another_window_empties_the_player_when_the_log_in_is_shown(
    browser: "Browser", locked: str, troubles: Troubles
) -> None:
    troubles.expect("401")  # the next track may be asked for before the page of the log-in comes
    with fresh_page(browser, locked, troubles) as page:
        _log_in(page)
        page.locator("main [data-action=play]").first.click()
        wait_until_heard(page, 0.1)
        page.context.request.post("/logout")

        page.get_by_role("link", name="Health").click()
        page.get_by_label("Password").wait_for()
        page.locator("#player").wait_for(state="hidden")
        wait_until_silent(page)


def test_a_log_out_empties_the_player(browser: "Browser", locked: str, troubles: Troubles) -> None:
    with fresh_page(browser, locked, troubles) as page:
        _log_in(page)
        page.locator("main [data-action=play]").first.click()
        wait_until_heard(page, 0.1)

        page.get_by_role("button", name="Log out").click()
        page.get_by_label("Password").wait_for()
        assert page.locator("#player").is_hidden()

        _log_in(page)
        assert page.locator("#player").is_hidden()


def _log_in(page: "Page") -> None:
    page.goto("/login?back=/library")
    page.get_by_label("Password").fill("a long password")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: address.endswith("/library") and "login" not in address)
