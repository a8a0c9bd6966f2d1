"""The pages of a library in the cloud, on its local twin: audio comes from the storage account, another origin."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import pytest

from mfcc_assets.settings import Settings
from mfcc_assets_tests.audio_samples import music, write_audio
from mfcc_assets_tests.services.azurite import Azurite
from mfcc_assets_tests.services.browser import Troubles, fresh_page
from mfcc_assets_tests.services.cosmos import CosmosServer
from mfcc_assets_tests.services.front import running_front
from mfcc_assets_tests.services.postgres import Postgres
from mfcc_assets_tests.services.twin import Twin
from mfcc_assets_tests.web.browser.axe import serious_findings
from mfcc_assets_tests.web.browser.front import cards, send, wait_until_recorded
from mfcc_assets_tests.web.browser.listening import playing, wait_until_heard, wait_until_silent

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SAMPLE_RATE = 44_100

_PROGRAM = "from mfcc_assets.cli.main import main; main()"


@dataclass(frozen=True)
class CloudFront:
    """Address of the pages, and address of the storage account."""

    address: str
    account: str


@pytest.fixture(scope="module")
def cloud(
    azurite: Azurite,
    cosmos_server: CosmosServer,
    postgres: Postgres,
    ten_songs: list[Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[CloudFront]:
    """Run the whole front on a library of eleven songs in the twin of the cloud."""
    folder = tmp_path_factory.mktemp("cloud front")
    longer_song = _with_common_stretch(folder / "longer.flac", seed=79)
    cosmos_server.befall()
    with (
        Twin(azurite, cosmos_server, postgres).library(folder / "home") as twin,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in twin.variables.items():
            environment.setenv(name, value)
        environment.setenv("MFCC_SETTLE_SECONDS", "0")
        subprocess.run(
            [sys.executable, "-c", _PROGRAM, "add", *map(str, ten_songs), str(longer_song)],
            env=dict(os.environ),
            stdout=subprocess.DEVNULL,
            check=True,
        )
        with running_front(Settings(), folder / "log") as address:
            yield CloudFront(address, twin.addresses["MFCC_BLOB_URL"])


def _with_common_stretch(path: Path, seed: int) -> Path:
    """Write music that the seed chooses, and behind it ten seconds that are the same in every such file."""
    own, common = music(6.0, seed, SAMPLE_RATE, 0.5), music(10.0, 77, SAMPLE_RATE, 0.5)
    return write_audio(path, np.concatenate([own, common]), SAMPLE_RATE)


def test_an_upload_is_answered_and_its_cards_and_stretches_play_from_the_storage_account(
    browser: "Browser", cloud: CloudFront, troubles: Troubles, tmp_path: Path
) -> None:
    song = _with_common_stretch(tmp_path / "sent.flac", seed=78)
    with fresh_page(browser, cloud.address, troubles) as page:
        media: list[str] = []
        page.on("request", lambda request: media.append(request.url) if request.resource_type == "media" else None)
        send(page, str(song))
        page.locator(".tag.preview, .tag.recorded").wait_for(timeout=30_000)
        preview = cards(page)
        assert len(preview) == 5
        page.locator("[data-part=answer] [data-action=play]").first.click()
        wait_until_heard(page, 0.2)
        assert any(address.startswith(f"{cloud.account}/soundtracks/") for address in media)
        wait_until_recorded(page)
        assert cards(page) == preview
        page.locator("#player [data-part=play]").click()
        wait_until_silent(page)

        page.goto(page.locator("a[href*='/why/']").first.get_attribute("href") or "")
        button = page.locator("[data-action=stretches]").first
        stretches = json.loads(button.get_attribute("data-stretches") or "")
        button.click()
        for stretch in stretches:
            wait_until_heard(page, stretch["from"])
            page.wait_for_function(
                "name => document.querySelector('[data-part=stretch-name]').textContent === name", arg=stretch["name"]
            )
        wait_until_silent(page)
        assert playing(page) == []
        assert any(address.startswith((f"{cloud.account}/uploads/", f"{cloud.account}/batch/")) for address in media)
        assert serious_findings(page) == []


def test_the_policy_of_the_pages_names_the_storage_account_and_no_other_host(
    browser: "Browser", cloud: CloudFront, troubles: Troubles
) -> None:
    with fresh_page(browser, cloud.address, troubles) as page:
        answered = page.goto("/")
        assert answered is not None
        policy = answered.headers["content-security-policy"]
        parts = urlsplit(cloud.account)
        account = f"{parts.scheme}://{parts.netloc}"
        assert f"media-src 'self' {account}" in policy
        hosts = [word for word in policy.replace(";", " ").split() if "://" in word]
        assert set(hosts) == {account}
