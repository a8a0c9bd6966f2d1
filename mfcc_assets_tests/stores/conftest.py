"""Stores that several modules of tests look at."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mfcc_assets.stores.local_blobs import LocalBlobs
from mfcc_assets.stores.tables import Tables
from mfcc_assets_tests.stores.blob_samples import KEY

DATABASES = ["sqlite_url"]


@pytest.fixture
def local_blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "blobs", KEY)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'new folder/tables.sqlite'}"


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)


@pytest.fixture
def tables(url: str) -> Iterator[Tables]:
    with Tables(url) as opened:
        yield opened
