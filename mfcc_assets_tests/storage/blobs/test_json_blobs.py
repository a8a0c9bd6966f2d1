"""Records that are kept as JSON in blobs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mfcc_assets.errors import Conflict, CorruptIndex
from mfcc_assets.storage.blobs.json_blobs import etag_of, read_json, replace_json, write_json, write_short_json
from mfcc_assets.storage.blobs.local import LocalBlobs


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path, lambda: bytes(32))


def answer(blobs: LocalBlobs) -> int | None:
    return read_json(
        blobs, "cepstra", "answer.json", lambda record: int(record["answer"]), damaged="no answer", remedy="Ask again"
    )


@pytest.mark.parametrize("write", [write_json, write_short_json])
def test_a_written_record_can_be_read(blobs: LocalBlobs, write: Callable[..., None]):
    write(blobs, "cepstra", "answer.json", {"answer": 42})
    assert answer(blobs) == 42
    blobs.write("cepstra", "answer.json", blobs.read("cepstra", "answer.json").replace(b"42", b"43"))
    with pytest.raises(CorruptIndex):
        answer(blobs)


def test_a_record_is_replaced_only_if_nobody_else_wrote_it_since(blobs: LocalBlobs):
    for number in (1, 2):
        replace_json(blobs, "cepstra", "answer.json", {"answer": number}, seen=etag_of(blobs, "cepstra", "answer.json"))
    assert answer(blobs) == 2
    seen = etag_of(blobs, "cepstra", "answer.json")
    write_json(blobs, "cepstra", "answer.json", {"answer": 3})
    for outdated in (seen, None):
        with pytest.raises(Conflict, match=r"cepstra/answer\.json"):
            replace_json(blobs, "cepstra", "answer.json", {"answer": 4}, seen=outdated)
    assert answer(blobs) == 3


def test_a_missing_record_is_none(blobs: LocalBlobs):
    assert answer(blobs) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"null", b'{"answer": "?"}', b"\xff", b"\x00" * 20])
def test_the_error_for_a_damaged_record_has_its_name_and_a_remedy(blobs: LocalBlobs, content: bytes):
    blobs.write("cepstra", "answer.json", content)
    with pytest.raises(CorruptIndex, match=r"cepstra/answer.json: no answer. Ask again"):
        answer(blobs)
