"""What a browser loads for a page, and when it shows something."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from playwright.sync_api import Browser, Request, sync_playwright

_BESIDE = ("image", "media")
_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"


@dataclass(frozen=True)
class PageLoad:
    """The loading of one page.

    Attributes
    ----------
    requests
        Number of requests, apart from audio and pictures.
    bytes
        What came for them: heads and bodies, as they were sent.
    paints
        Seconds to the first contentful paint, of each load.
    """

    requests: int
    bytes: int
    paints: tuple[float, ...]


def page_loads(address: str, pages: Mapping[str, str], loads: int) -> dict[str, PageLoad]:
    """Load each page some times with an empty cache.

    Parameters
    ----------
    address
        Address of the site.
    pages
        Paths of the pages, by name.
    loads
        How often each is loaded.
    """
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        found = {name: [_load(browser, f"{address}{path}") for _ in range(loads)] for name, path in pages.items()}
        browser.close()
    return {
        name: PageLoad(each[-1][0], max(size for _, size, _ in each), tuple(paint for *_, paint in each))
        for name, each in found.items()
    }


def _load(browser: Browser, address: str) -> tuple[int, int, float]:
    context = browser.new_context()
    page = context.new_page()
    finished: list[Request] = []

    def keep(request: Request) -> None:
        finished.append(request)

    page.on("requestfinished", keep)
    page.goto(address, wait_until="load")
    page.wait_for_timeout(1_500)
    counted = [request for request in finished if request.resource_type not in _BESIDE]
    sizes = [request.sizes() for request in counted]
    paint = page.evaluate(_PAINT) / 1000
    context.close()
    return len(counted), sum(each["responseBodySize"] + each["responseHeadersSize"] for each in sizes), paint
