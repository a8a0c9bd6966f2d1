"""Libraries on the local twin of the cloud."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.services.azurite import Azurite
from mfcc_assets_tests.services.cosmos import CosmosServer
from mfcc_assets_tests.services.faulty_proxy import FaultyProxy, faulty_proxy
from mfcc_assets_tests.services.postgres import Postgres
from mfcc_assets_tests.services.twin import Twin, TwinLibrary

IMPATIENT = {"MFCC_SETTLE_SECONDS": "0", "MFCC_WATCH_SECONDS": "0"}


@pytest.fixture
def blob_proxy(azurite: Azurite) -> Iterator[FaultyProxy]:
    """Start a proxy in front of Azurite, which makes only planned faults."""
    with faulty_proxy(azurite.port) as proxy:
        yield proxy


@pytest.fixture
def twin_library(
    azurite: Azurite,
    cosmos_server: CosmosServer,
    postgres: Postgres,
    blob_proxy: FaultyProxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[TwinLibrary]:
    """Make an empty library on the twin, and set the environment variables that locate it."""
    cosmos_server.befall()
    twin = Twin(azurite, cosmos_server, postgres)
    with twin.library(tmp_path / "cloud home", blob_port=blob_proxy.port) as library:
        for name, value in (library.variables | IMPATIENT).items():
            monkeypatch.setenv(name, value)
        yield library


@pytest.fixture
def azure_library(twin_library: TwinLibrary) -> Iterator[Library]:  # noqa: ARG001  it sets the environment
    with Library(Settings()) as library:
        yield library
