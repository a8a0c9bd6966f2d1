"""Pictures of the pages for listeners, from the library of `make demo`."""

import io
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page

from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_register import register_of
from mfcc_assets.settings import Settings
from mfcc_assets_tests.services.web import running_web

FOLDER = Path(__file__).parent
LARGEST_BYTES = 150_000

_DESK = {"width": 1200, "height": 820}
_TALL = {"width": 1200, "height": 1028}
_PHONE = {"width": 390, "height": 844}
_COLOURS = (256, 128, 64)
_MILLISECONDS_TO_SETTLE = 700
_PLAYED_SECONDS = 6
_TRACK = "Crystan-Battlescape04"
_PAIR = ("chaos_god", "armygeddon")


@dataclass(frozen=True)
class Shown:
    """What a picture shows.

    Attributes
    ----------
    show
        Goes to the page, and does what a listener does there.
    options
        Options of the browser's context.
    scale
        Pixels of the picture for each one of the page.
    """

    show: Callable[[Page, str], None]
    options: Mapping[str, Any] = field(default_factory=lambda: {"viewport": _DESK})
    scale: float = 1.25


def _upload(page: Page, _: str) -> None:
    page.goto("/")


def _answer(page: Page, upload: str) -> None:
    page.goto(upload)
    page.locator(".tracks .track").nth(4).wait_for()


def _why(page: Page, _: str) -> None:
    first, second = (_address_of(page, title) for title in _PAIR)
    page.goto(f"{first}/why/{second.rpartition('/')[2]}")
    page.locator(".stretches").wait_for()


def _library(page: Page, _: str) -> None:
    page.goto("/library")


def _track(page: Page, _: str) -> None:
    page.goto(_address_of(page, _TRACK))
    page.locator("[data-action=play]").first.click()
    page.wait_for_function(
        f"() => [...document.querySelectorAll('#player audio')].some(audio => audio.currentTime > {_PLAYED_SECONDS})"
    )


def _address_of(page: Page, title: str) -> str:
    """Return the path of the page of a track."""
    page.goto(f"/library?search={title}")
    found: str = page.get_by_role("link", name=title).first.evaluate("link => link.pathname")
    return found


def _map(page: Page, _: str) -> None:
    page.goto("/map")
    page.locator("canvas").first.wait_for()


PICTURES: Mapping[str, Shown] = {
    "web-upload": Shown(_upload),
    "web-answer": Shown(_answer, {"viewport": _TALL}),
    "web-why": Shown(_why, {"viewport": _TALL}),
    "web-library": Shown(_library),
    "web-track": Shown(_track),
    "web-map": Shown(_map),
    "web-phone": Shown(
        _answer,
        {"viewport": _PHONE, "color_scheme": "dark", "is_mobile": True, "has_touch": True},
    ),
}
"""What the pictures show, by their names in docs/."""


def take_page_pictures(browser: Browser, settings: Settings, names: list[str]) -> None:
    """Serve the library with `mfcc web`, and take pictures of its pages.

    Parameters
    ----------
    browser
        The browser.
    settings
        Settings of the library of `make demo`.
    names
        Names of `PICTURES`.

    Raises
    ------
    RuntimeError
        If a picture is too large for the repository.
    """
    with tempfile.TemporaryDirectory() as folder, running_web(settings.home, Path(folder, "log")) as address:
        upload = _upload_of_demo(settings)
        for name in names:
            shown = PICTURES[name]
            context = browser.new_context(
                base_url=address, locale="en-GB", device_scale_factor=shown.scale, **shown.options
            )
            page = context.new_page()
            shown.show(page, upload)
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(_MILLISECONDS_TO_SETTLE)
            _write(page.screenshot(), FOLDER / f"{name}.png")
            context.close()


def _upload_of_demo(settings: Settings) -> str:
    """Return the address of the upload that `make demo` answered."""
    with Library(settings) as library:
        (upload,) = library.blobs.list("uploads")
        return f"/uploads/{register_of(library).upload_of(upload)}"


def _write(screenshot: bytes, path: Path) -> None:
    """Write a screenshot with as many colours as fit into the size that the repository allows."""
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    for colours in _COLOURS:
        picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= LARGEST_BYTES:
            return
    raise RuntimeError(f"{path.name} has {path.stat().st_size:,} bytes. {LARGEST_BYTES:,} are allowed.")
