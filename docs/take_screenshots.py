"""Renew the pictures of the documentation from the library in MFCC_HOME: `make screenshots`, after `make demo`.

This needs Chromium, and the extra `screenshots`.
"""

import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import sync_playwright

from mfcc_assets.settings import Settings
from mfcc_assets_tests.services.dagster_services import dagster_services

FOLDER = Path(__file__).parent
GROUPS = ("library", "uploads")
WIDTH, HEIGHT = 4300, 1300
SIDEBARS, HEADER = 545, 115
MILLISECONDS_TO_SETTLE = 20_000


def main() -> None:
    expanded = quote(",".join(f"global@global:{group}" for group in GROUPS), safe="")
    with (
        tempfile.TemporaryDirectory() as folder,
        dagster_services(Settings(), Path(folder)) as services,
        sync_playwright() as playwright,
    ):
        # As root, Chromium starts only without its sandbox. It opens only the page below.
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=0.6)
        page.goto(f"{services.url}/asset-groups?expanded={expanded}")
        page.wait_for_timeout(MILLISECONDS_TO_SETTLE)
        clip = {"x": SIDEBARS, "y": HEADER, "width": WIDTH - SIDEBARS - 55, "height": 1000}
        page.screenshot(path=FOLDER / "asset-graph.png", clip=clip)
        browser.close()


if __name__ == "__main__":
    main()
