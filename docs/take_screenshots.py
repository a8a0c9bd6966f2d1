"""Renew the picture of the asset graph from the library in MFCC_HOME: `make screenshots`, after `make demo`.

This needs Chromium, and the extra `screenshots`. `python -m docs.write_samples` renews the other pictures.
"""

import io
import json
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Page, expect, sync_playwright

from mfcc_assets.settings import Settings
from mfcc_assets_tests.services.dagster_services import dagster_services

FILE = Path(__file__).with_name("asset-graph.png")
_GROUPS = ("library", "uploads")
_VIEWPORT = {"width": 1700, "height": 2300}
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
    expanded = quote(",".join(f"global@global:{group}" for group in _GROUPS), safe="")
    remember = "".join(
        f"localStorage.setItem({json.dumps(name)}, {json.dumps(json.dumps(value))});"
        for name, value in _PREFERENCES.items()
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        dagster_services(Settings(), Path(folder)) as services,
        sync_playwright() as playwright,
    ):
        # As root, Chromium starts only without its sandbox. It opens only the page below.
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
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
        browser.close()


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
