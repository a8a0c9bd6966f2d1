"""What a listener does on the whole front, and what then is on the page."""

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mfcc_assets_tests.services.browser import Troubles, fresh_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

ANSWER_MILLISECONDS = 120_000
"""How long a test waits for the run that records an answer."""


@dataclass(frozen=True)
class Front:
    """The address of the running front, and an upload that a browser has sent there.

    Attributes
    ----------
    address
        Address of the site.
    upload
        Path of the page of the upload.
    state
        Cookies of the browser that has sent it.
    """

    address: str
    upload: str
    state: Any

    @contextmanager
    def page(self, browser: "Browser", troubles: Troubles, **options: Any) -> "Iterator[Page]":
        """Open an empty page in the browser of the listener who has sent the upload."""
        with fresh_page(browser, self.address, troubles, storage_state=self.state, **options) as page:
            yield page


def send(page: "Page", file: str) -> str:
    """Send a file through the page on which one uploads, and return the path of the upload."""
    page.goto("/")
    page.locator("#file").set_input_files(file)
    page.wait_for_url("**/uploads/*")
    return path_of(page)


def path_of(page: "Page") -> str:
    """Return the path of the page."""
    path: str = page.evaluate("location.pathname")
    return path


def wait_until_recorded(page: "Page") -> None:
    page.locator(".tag.recorded").wait_for(timeout=ANSWER_MILLISECONDS)


def cards(page: "Page") -> list[str]:
    """Return the recommended tracks as the page gives them to the player."""
    found: list[str] = page.locator("[data-part=answer] li.track").evaluate_all("all => all.map(a => a.dataset.track)")
    return found
