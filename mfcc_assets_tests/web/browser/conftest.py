"""One browser for all tests of this package, and for each test a page of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mfcc_assets_tests.services.browser import Troubles, fresh_page, running_browser
from mfcc_assets_tests.services.processes import REPOSITORY

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from mfcc_assets.library import Library
    from mfcc_assets_tests.web.browser.front import Front
    from mfcc_assets_tests.web.browser.trial_site import TrialSite

STARTER = REPOSITORY / "mfcc_assets" / "demo"


@pytest.fixture(scope="package")
def browser(up_to_date_home: Path) -> "Iterator[Browser]":
    """Run a browser. The library is analysed before it starts, because that needs an event loop of its own."""
    assert up_to_date_home.exists()
    with running_browser() as browser:
        yield browser


@pytest.fixture
def troubles() -> Troubles:
    return Troubles()


@pytest.fixture
def trial_site(ten_tracks: "Library") -> "TrialSite":
    from mfcc_assets_tests.web.browser.trial_site import TrialSite

    return TrialSite(ten_tracks)


@pytest.fixture
def address(trial_site: "TrialSite") -> Iterator[str]:
    """Serve the pages of ten tracks."""
    from mfcc_assets_tests.web.browser.trial_site import serving

    with serving(trial_site.app) as address:
        yield address


@pytest.fixture
def page(browser: "Browser", address: str, troubles: Troubles) -> "Iterator[Page]":
    with fresh_page(browser, address, troubles) as page:
        yield page


@pytest.fixture
def long_track(ten_tracks: "Library") -> str:
    """Let the first track have four minutes of audio, and return its id. A browser loads such a file part by part."""
    import numpy as np
    import soundfile

    track = ten_tracks.catalogue.soundtracks()[0]
    path = ten_tracks.blobs.path("soundtracks", track.blob_name)
    assert path is not None
    noise = np.random.default_rng(0).normal(0, 0.1, 240 * 44_100)
    soundfile.write(path, noise, 44_100, format="WAV")
    return track.track_id


@pytest.fixture(scope="session")
def starter_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the home of the starter library, in a process of its own. Tests only copy it; see `copied_home`."""
    home = tmp_path_factory.mktemp("starter library") / "home"
    program = "from mfcc_assets.cli.main import main; main()"
    subprocess.run(
        [sys.executable, "-c", program, "add", str(STARTER / "library")],
        env={**os.environ, "MFCC_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return home


@pytest.fixture(scope="package")
def front_home(starter_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the home of the starter library for the front that all tests of this package share."""
    from mfcc_assets_tests.runs import copied_home

    return copied_home(starter_home, tmp_path_factory.mktemp("front") / "home")


@pytest.fixture(scope="package")
def front(browser: "Browser", front_home: Path) -> "Iterator[Front]":
    """Run the whole front on the starter library, and send it a track that has a stretch in common with another."""
    from mfcc_assets.settings import Settings
    from mfcc_assets_tests.services.front import running_front
    from mfcc_assets_tests.web.browser.front import Front, send, wait_until_recorded

    with running_front(Settings(home=front_home), front_home.with_name("log")) as address:
        with fresh_page(browser, address, Troubles()) as page:
            upload = send(page, str(STARTER / "library" / "Muldjord_chaos_god.ogg"))
            wait_until_recorded(page)
            state = page.context.storage_state()
        yield Front(address, upload, state)
