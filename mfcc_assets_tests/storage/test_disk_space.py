"""A full disk is told as such, whatever finds it."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from mfcc_assets.errors import StoreError
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets.storage.disk_space import free_bytes, is_full, means_full, tells_of_full
from mfcc_assets.storage.sql.database import Database
from mfcc_assets_tests.storage.blobs.samples import KEY


def write_to_a_full_disk() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"1")


def test_an_error_of_a_full_disk_is_told_from_others() -> None:
    with pytest.raises(OSError, match="space") as full:
        write_to_a_full_disk()
    assert means_full(full.value)
    assert tells_of_full(str(full.value))
    for other in (FileNotFoundError(2, "No such file"), sqlite3.OperationalError("locked"), ValueError(), None):
        assert not means_full(other)
        assert not tells_of_full(str(other))


def test_a_disk_with_space_is_not_full(tmp_path: Path) -> None:
    assert not is_full(tmp_path)
    assert free_bytes(tmp_path / "not made yet" / "below") > 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a file system without any space")
def test_a_disk_without_space_is_full() -> None:
    assert is_full(Path("/proc"))


def test_a_blob_that_does_not_fit_names_the_folder_of_its_container(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path, lambda: KEY)
    with pytest.raises(StoreError, match=f"{tmp_path / CEPSTRA}: the disk is full"), blobs.writing(CEPSTRA, "a"):
        write_to_a_full_disk()
    assert not blobs.exists(CEPSTRA, "a")


def test_tables_that_do_not_fit_name_their_folder(tmp_path: Path) -> None:
    def fill(database: Database) -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 2")
            connection.exec_driver_sql("CREATE TABLE numbers AS SELECT zeroblob(100000)")

    with (
        closing(Database(f"sqlite:///{tmp_path}/tables.sqlite")) as database,
        pytest.raises(StoreError, match=f"{tmp_path}: the disk is full"),
    ):
        fill(database)
