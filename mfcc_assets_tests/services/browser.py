"""A real browser, and pages that fail a test if they report an error or ask another host.

Playwright runs an event loop in the thread that started it, until it is stopped. Nothing else may start a loop in this
thread meanwhile. So the fixtures in `mfcc_assets_tests.web.browser` start one browser for all tests of their package.
"""

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page, Route

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
NAMED_HOST = "nas.example"
"""A name under which the browser finds this machine. Browsers trust it less than a name of their own machine."""

_FLAGS = (
    f"--host-resolver-rules=MAP {NAMED_HOST} 127.0.0.1",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
_LOCAL = ("127.0.0.1", "localhost", NAMED_HOST)


class Troubles:
    """What went wrong on a page: errors of scripts, messages of the console, requests to other hosts."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._expected: list[str] = []

    def expect(self, part: str) -> None:
        """Say that troubles with this text are what the test is about."""
        self._expected.append(part)

    def watch(self, page: "Page") -> None:
        """Collect the troubles of a page."""
        page.on("pageerror", lambda error: self.found.append(f"error: {error}"))
        page.on("console", self._read)
        page.on("request", lambda request: self._judge(request.url))

    def unexpected(self) -> list[str]:
        """Return the troubles that no call of `expect` has named."""
        return [each for each in self.found if not any(part in each for part in self._expected)]

    def _read(self, message: "ConsoleMessage") -> None:
        if message.type in ("error", "warning"):
            self.found.append(f"{message.text} {message.location.get('url', '')}".strip())

    def _judge(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in _LOCAL:
            self.found.append(f"request to another host: {address}")


@contextmanager
def running_browser() -> "Iterator[Browser]":
    """Run Chromium without a window until the end of the ``with``. Skip the test if it is not installed."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def fresh_page(browser: "Browser", address: str, troubles: Troubles, **options: Any) -> "Iterator[Page]":
    """Open an empty page in a context of its own, without anything of other tests.

    Parameters
    ----------
    browser
        The browser.
    address
        Address of the site. The test can go to paths of it.
    troubles
        Collects what goes wrong.
    options
        Options of `playwright.sync_api.Browser.new_context`, such as the size of the window.

    Raises
    ------
    AssertionError
        At the end, if something went wrong that the test did not expect.
    """
    context = browser.new_context(base_url=address, **{"locale": "en-GB", **options})
    try:
        page = context.new_page()
        page.set_default_timeout(15_000)
        troubles.watch(page)
        yield page
    finally:
        context.close()
    assert not troubles.unexpected(), "\n".join(troubles.unexpected())


def held_requests(page: "Page", address: str) -> "list[Route]":
    """Hold the requests of a page for an address from now on. Return the list of them, which grows with each request.

    Parameters
    ----------
    page
        The page.
    address
        Pattern of the address, as in `playwright.sync_api.Page.route`.
    """
    held: list[Route] = []

    def hold(route: "Route") -> None:
        held.append(route)

    page.route(address, hold)
    return held
