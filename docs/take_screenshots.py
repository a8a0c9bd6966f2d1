"""Renew the pictures of the Dagster UI and of the pages, from the library in MFCC_HOME: `make screenshots`.

`make demo` makes that library. `python -m docs.take_screenshots NAME` renews one picture alone. This needs Chromium,
and the extra `screenshots`. `python -m docs.write_samples` renews the pictures that commands draw.
"""

import argparse
import io
import json
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from docs.take_page_pictures import PICTURES, take_page_pictures
from mfcc_assets.settings import Settings
from mfcc_assets_tests.services.dagster_services import dagster_services

FILE = Path(__file__).with_name("asset-graph.png")
_GROUPS = ("library", "uploads")
_VIEWPORT: ViewportSize = {"width": 1700, "height": 2300}
"""Size of a window in which the graph is drawn in its natural size. In a smaller one it is reduced, and has no text."""

_PIXELS_PER_POINT = 1.5
_MARGIN = 10
_COLOURS = 128
_PATIENCE = 60_000
_MILLISECONDS_TO_SETTLE = 3_000

_PREFERENCES = {
    # From top to bottom the graph is as wide as a page. From left to right it is so wide that its names are unreadable.
    "asset-graph-direction": "vertical",
    "asset-node-facets": ["description", "status"],
}

_BOXES = """
() => [...document.querySelectorAll("svg foreignObject")].map(box => {
  const {left, top, right, bottom} = box.getBoundingClientRect();
  return {left, top, right, bottom};
})
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[FILE.stem, *PICTURES, []], help="pictures to renew; all by default"
    )
    names = parser.parse_args().names or [FILE.stem, *PICTURES]
    with sync_playwright() as playwright:
        # As root, Chromium starts only without its sandbox. It opens only the pages below.
        flags = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        if FILE.stem in names:
            _take_asset_graph(browser)
        if pages := [name for name in names if name in PICTURES]:
            take_page_pictures(browser, Settings(), pages)
        browser.close()


def _take_asset_graph(browser: Browser) -> None:
    expanded = quote(",".join(f"global@global:{group}" for group in _GROUPS), safe="")
    remember = "".join(
        f"localStorage.setItem({json.dumps(name)}, {json.dumps(json.dumps(value))});"
        for name, value in _PREFERENCES.items()
    )
    with tempfile.TemporaryDirectory() as folder, dagster_services(Settings(), Path(folder)) as services:
        page = browser.new_page(viewport=_VIEWPORT, device_scale_factor=_PIXELS_PER_POINT)
        page.add_init_script(remember)
        page.goto(f"{services.url}/asset-groups?expanded={expanded}")
        nodes = services.query("{assetNodes {assetKey {path}}}")["assetNodes"]
        assets = [node["assetKey"]["path"][-1] for node in nodes]
        for asset in assets:
            page.get_by_text(asset, exact=True).wait_for()
        expect(page.get_by_text("Loading...")).to_have_count(0, timeout=_PATIENCE)
        page.wait_for_timeout(_MILLISECONDS_TO_SETTLE)
        _write(_screenshot(page), assets)
        page.close()


def _screenshot(page: Page) -> bytes:
    """Return a picture of the graph, without what is around it."""
    boxes = page.evaluate(_BOXES)
    left, top = (min(box[side] for box in boxes) - _MARGIN for side in ("left", "top"))
    right, bottom = (max(box[side] for box in boxes) + _MARGIN for side in ("right", "bottom"))
    return page.screenshot(clip={"x": left, "y": top, "width": right - left, "height": bottom - top})


def _write(screenshot: bytes, assets: list[str]) -> None:
    names = PngInfo()
    # A test compares these names with the definitions.
    names.add_text("assets", " ".join(sorted(assets)))
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    # A screenshot has few colours, and a file with a palette is less than half as large.
    picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(FILE, optimize=True, pnginfo=names)


if __name__ == "__main__":
    main()
