"""Local files whose names are no text are blobs like all others, and every library can open them."""

import os
from pathlib import Path

import pytest

from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.plain_path import plain_path
from mfcc_assets_tests.storage.blobs.samples import KEY, names

ODD_NAMES = [b"caf\xe9.mp3", b"line\nfeed.mp3", b"AC\\DC.mp3", b"f\xe9/\xff\x01.mp3", b"\x82\xa0" * 60 + b".mp3"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_file_of_any_name_is_a_blob(tmp_path: Path, name: bytes) -> None:
    blobs = LocalBlobs(tmp_path, lambda: KEY)
    file = Path(os.fsdecode(os.fsencode(tmp_path / "soundtracks") + b"/" + name))
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"sound")

    (odd,) = names(blobs.list("soundtracks"))

    odd.encode()
    assert blobs.stat("soundtracks", odd).size == 5
    assert blobs.read("soundtracks", odd) == b"sound"
    assert blobs.path("soundtracks", odd) == file
    assert names(blobs.list("soundtracks", odd[:-4])) == [odd]
    with blobs.as_file("soundtracks", odd) as path:
        str(path).encode()
        assert (path.read_bytes(), path.suffix) == (b"sound", ".mp3")
    blobs.copy("soundtracks", odd, "batch", odd)
    blobs.delete("soundtracks", odd)
    assert not file.exists()
    assert blobs.read("batch", odd) == b"sound"


def test_an_ordinary_path_is_left_as_it_is(tmp_path: Path) -> None:
    with plain_path(tmp_path / "AC\\DC.mp3") as path:
        assert path == tmp_path / "AC\\DC.mp3"


def test_a_path_with_a_backslash_and_bytes_that_are_no_text_gets_a_plain_name(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"AC\\caf\xe9.mp3")
    odd.write_bytes(b"sound")
    with plain_path(odd) as path:
        str(path).encode()
        assert (path.read_bytes(), path.suffix) == (b"sound", ".mp3")
