"""Accounts on Azure behind a proxy that counts requests and makes faults."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mfcc_assets.storage.blobs.azure import AzureBlobs
from mfcc_assets_tests.own_sleep import replace_sleep
from mfcc_assets_tests.services.azurite import Azurite
from mfcc_assets_tests.services.faulty_proxy import FaultyProxy, faulty_proxy


@pytest.fixture
def proxy(azurite: Azurite) -> Iterator[FaultyProxy]:
    with faulty_proxy(azurite.port) as proxy:
        yield proxy


@pytest.fixture
def account_url(azurite: Azurite, proxy: FaultyProxy) -> str:
    return azurite.new_url(proxy.port)


@pytest.fixture
def open_blobs(azurite: Azurite, account_url: str, tmp_path: Path) -> Iterator[Callable[..., AzureBlobs]]:
    """A function that opens the account with a new cache, as another process would."""
    opened: list[AzureBlobs] = []

    def open_account(**options: Any) -> AzureBlobs:
        cache = tmp_path / f"cache {len(opened)}"
        opened.append(AzureBlobs(account_url, lambda: azurite.key, cache, 10**9, **options))
        return opened[-1]

    yield open_account
    for blobs in opened:
        blobs.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between requests in seconds, which are recorded and skipped."""
    waited: list[float] = []
    replace_sleep(monkeypatch, "mfcc_assets.storage.blobs.azure_policy", waited.append)
    return waited
