"""A database in a folder that this user may not write can be read, and whoever writes is told about the folder."""

import ctypes
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mfcc_assets.storage.sql.catalogue import Catalogue
from mfcc_assets.storage.sql.revisions import open_database
from mfcc_assets_tests.storage.sql.table_rows import observe, observed

READER = """
import sys
from mfcc_assets.errors import StoreError
from mfcc_assets.storage.sql.catalogue import Catalogue
from mfcc_assets.storage.sql.revisions import open_database
database = None
try:
    database = open_database(sys.argv[1])
    print(len(Catalogue(database).soundtracks()), "soundtracks")
    with database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM REJECTS")
except StoreError as error:
    print(error)
"""


def give_up_the_rights_of_root() -> None:
    """Drop the capabilities by which root may write everywhere. For other users this does nothing."""
    drop_from_bounding_set, overrides = 24, (1, 2)
    for capability in overrides:
        ctypes.CDLL(None).prctl(drop_from_bounding_set, capability)


def read(url: str) -> list[str]:
    program = [sys.executable, "-c", READER, url]
    ended = subprocess.run(
        program, preexec_fn=give_up_the_rights_of_root, capture_output=True, text=True, check=True, timeout=60
    )
    return ended.stdout.splitlines()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "what? 100%" / "tables.sqlite"
    path.parent.mkdir()
    yield path
    path.parent.chmod(0o755)


def url_of(file: Path) -> str:
    return f"sqlite:///{str(file).replace('%', '%25').replace('?', '%3F')}"


def fill(file: Path) -> None:
    with closing(open_database(url_of(file))) as database:
        observe(Catalogue(database), observed("a.mp3"))


def make_read_only(file: Path) -> None:
    for path in file.parent.iterdir():
        path.chmod(0o444)
    file.parent.chmod(0o555)


def test_a_database_in_a_read_only_folder_is_read_and_refuses_changes_with_the_reason(file: Path) -> None:
    fill(file)
    make_read_only(file)

    count, refusal = read(url_of(file))

    assert count == "1 soundtracks"
    assert "the database cannot be written (attempt to write a readonly database)" in refusal
    assert "Allow this user to write this file and its folder" in refusal


def test_a_read_only_database_that_cannot_even_be_read_is_not_called_an_old_one(file: Path) -> None:
    fill(file)
    file.with_name(f"{file.name}-wal").write_bytes(b"a log that has to be read first")
    make_read_only(file)

    (refusal,) = read(url_of(file))

    assert "cannot be written" in refusal
    assert "schema" not in refusal


def test_a_folder_that_can_be_written_again_takes_changes(file: Path) -> None:
    fill(file)
    make_read_only(file)
    read(url_of(file))
    file.parent.chmod(0o755)
    file.chmod(0o644)

    assert read(url_of(file)) == ["1 soundtracks"]
