"""Folders of large files with a description."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

import numpy as np
import pytest

from mfcc_assets.errors import BlobNotFound, CorruptIndex
from mfcc_assets.storage import part_folder
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets.storage.part_folder import PartFolder, corrupt_index
from mfcc_assets.storage.verified_parts import VerifiedParts

NUMBERS = np.arange(12, dtype=np.float32).reshape(3, 4)


def writes(content: bytes) -> Callable[[BinaryIO], None]:
    def write(file: BinaryIO) -> None:
        file.write(content)

    return write


def write_numbers(file: BinaryIO) -> None:
    np.save(file, NUMBERS)


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path, lambda: bytes(32))


@pytest.fixture
def folder(blobs: LocalBlobs) -> PartFolder:
    """Make a folder with an array, a text and a description."""
    folder = PartFolder(blobs, "things/one", "thing.json", "thing one")
    folder.write({"numbers.npy": write_numbers, "text": writes(b"text")}, {"of": "tests"})
    return folder


def test_a_written_folder_can_be_read(folder: PartFolder) -> None:
    record, parts = folder.record(["numbers.npy", "text"])
    assert record["of"] == "tests"
    np.testing.assert_array_equal(folder.array("numbers.npy", parts["numbers.npy"]), NUMBERS, strict=True)
    with folder.verified("text", parts["text"]) as path:
        assert path.read_bytes() == b"text"


def test_only_the_wanted_parts_are_examined(folder: PartFolder, blobs: LocalBlobs) -> None:
    blobs.delete(CEPSTRA, "things/one/text")
    assert set(folder.record(["numbers.npy"])[1]) == {"numbers.npy"}
    with pytest.raises(CorruptIndex, match=r"^thing one: .* index is corrupt: text is missing"):
        folder.record(["numbers.npy", "text"])


def test_a_part_of_another_size_is_named_before_it_is_read(folder: PartFolder, blobs: LocalBlobs) -> None:
    blobs.write(CEPSTRA, "things/one/text", b"longer text")
    with pytest.raises(CorruptIndex, match=r"^thing one: .* index is corrupt: text is not what was written"):
        folder.record(["text"])


@pytest.mark.parametrize("content", [b"Text", b"tex", b""])
def test_a_damaged_part_is_not_given(folder: PartFolder, blobs: LocalBlobs, content: bytes) -> None:
    part = folder.record(["text"])[1]["text"]
    blobs.write(CEPSTRA, "things/one/text", content)
    with pytest.raises(CorruptIndex, match="text is not what was written"), folder.verified("text", part):
        pass


def test_a_large_part_is_read_whole_once_on_a_machine_and_again_when_it_changed(
    folder: PartFolder, blobs: LocalBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_folder, "LARGE_PART", 5)
    part, read = folder.record(["numbers.npy"])[1]["numbers.npy"], list[int]()

    def counted(block: bytes, before: int = 0) -> int:
        read.append(len(block))
        return crc32(block, before)

    monkeypatch.setattr("mfcc_assets.storage.part_folder.zlib.crc32", counted)

    def open_in_another_process() -> None:
        known = VerifiedParts(tmp_path / "verified")
        PartFolder(blobs, "things/one", "thing.json", "thing one", known).array("numbers.npy", part)

    for _ in range(3):
        open_in_another_process()
    assert read == [part.bytes]
    stored = blobs.read(CEPSTRA, "things/one/numbers.npy")
    for written, is_damaged in ((b"x" + stored[1:], True), (stored, False)):
        blobs.write(CEPSTRA, "things/one/numbers.npy", written)
        with pytest.raises(CorruptIndex) if is_damaged else nullcontext():
            open_in_another_process()
    assert read == [part.bytes] * 3


def test_a_part_that_is_deleted_after_the_description_was_read_is_missing(
    folder: PartFolder, blobs: LocalBlobs
) -> None:
    part = folder.record(["text"])[1]["text"]
    blobs.delete(CEPSTRA, "things/one/text")
    with pytest.raises(CorruptIndex, match="text is missing"), folder.verified("text", part):
        pass


def test_a_part_that_is_no_array_is_not_what_was_written(folder: PartFolder) -> None:
    with pytest.raises(CorruptIndex, match="text is not what was written"):
        folder.array("text", folder.record(["text"])[1]["text"])


def test_an_array_stays_valid_when_its_file_is_replaced(folder: PartFolder) -> None:
    array = folder.array("numbers.npy", folder.record(["numbers.npy"])[1]["numbers.npy"])
    folder.write({"numbers.npy": writes(b"")}, {})
    folder.delete()
    np.testing.assert_array_equal(array, NUMBERS)


def test_a_folder_without_a_description_does_not_exist(folder: PartFolder, blobs: LocalBlobs) -> None:
    blobs.delete(CEPSTRA, "things/one/thing.json")
    assert folder.state() is None
    with pytest.raises(BlobNotFound, match="thing one: there is no description"):
        folder.record([])


def test_a_writer_that_is_stopped_leaves_no_description(blobs: LocalBlobs) -> None:
    def fail(_: BinaryIO) -> None:
        raise KeyboardInterrupt

    folder = PartFolder(blobs, "things/two", "thing.json", "thing two")
    with pytest.raises(KeyboardInterrupt):
        folder.write({"text": writes(b"text"), "other": fail}, {})
    assert folder.state() is None


@pytest.mark.parametrize("written", [b"", b"{", b"[]", b"null", b'{"parts": 1}', b'{"parts": {"text": {}}}', b"{}"])
def test_a_damaged_description_is_named(folder: PartFolder, blobs: LocalBlobs, written: bytes) -> None:
    blobs.write(CEPSTRA, "things/one/thing.json", written)
    with pytest.raises(CorruptIndex, match=r"^thing one: .* thing\.json does not describe it\. The next run"):
        folder.record(["text"])


@pytest.mark.parametrize("name", ["numbers.npy", "text", "thing.json"])
def test_the_state_changes_with_every_file(folder: PartFolder, blobs: LocalBlobs, name: str) -> None:
    before = folder.state()
    assert folder.state() == before is not None
    blobs.write(CEPSTRA, f"things/one/{name}", b"another content")
    assert folder.state() != before


def test_a_deleted_folder_has_no_files_and_its_neighbour_keeps_its_own(folder: PartFolder, blobs: LocalBlobs) -> None:
    neighbour = PartFolder(blobs, "things/one more", "thing.json", "thing one more")
    neighbour.write({"text": writes(b"text")}, {})
    folder.delete()
    folder.delete()
    assert {blob.name for blob in blobs.list(CEPSTRA)} == {"things/one more/text", "things/one more/thing.json"}


def test_the_error_of_a_damaged_index_says_what_to_do() -> None:
    told = str(corrupt_index("index segment 12ab", "means.npy is missing"))
    assert told == (
        "index segment 12ab: the stored index is corrupt: means.npy is missing. The next run over the library builds "
        "it again: `mfcc sync` starts one."
    )
