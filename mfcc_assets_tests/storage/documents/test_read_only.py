"""Documents in a folder that this user may not write can be read, and whoever writes is told about the folder."""

import ctypes
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mfcc_assets.storage.documents.sqlite import SqliteDocuments
from mfcc_assets_tests.storage.documents.bodies import body

READER = """
import sys
from pathlib import Path
from mfcc_assets.errors import StoreError
from mfcc_assets.storage.documents.sqlite import SqliteDocuments
documents = SqliteDocuments(Path(sys.argv[1]))
print([document.id for document in documents.find()], len(documents.ids("done")))
try:
    documents.delete("1")
except StoreError as error:
    print(error)
"""


def give_up_the_rights_of_root() -> None:
    """Drop the capabilities by which root may write everywhere. For other users this does nothing."""
    drop_from_bounding_set, overrides = 24, (1, 2)
    for capability in overrides:
        ctypes.CDLL(None).prctl(drop_from_bounding_set, capability)


def read(path: Path) -> list[str]:
    program = [sys.executable, "-c", READER, str(path)]
    ended = subprocess.run(
        program, preexec_fn=give_up_the_rights_of_root, capture_output=True, text=True, check=True, timeout=60
    )
    return ended.stdout.splitlines()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "what? 100%" / "documents.sqlite"
    path.parent.mkdir()
    yield path
    path.parent.chmod(0o755)


def test_documents_at_rest_in_a_read_only_folder_are_read_and_changes_refused(file: Path) -> None:
    SqliteDocuments(file).create("1", body("done"))
    assert [path.name for path in file.parent.iterdir()] == [file.name], "no log is left beside it"
    file.chmod(0o444)
    file.parent.chmod(0o555)

    found, refusal = read(file)

    assert found == "['1'] 1"
    assert "the documents cannot be written (attempt to write a readonly database)" in refusal
    assert "Allow this user to write this file and its folder" in refusal


def test_a_read_only_folder_without_the_file_has_no_documents(file: Path) -> None:
    file.parent.chmod(0o555)

    found, refusal = read(file)

    assert found == "[] 0"
    assert "the documents cannot be written" in refusal
