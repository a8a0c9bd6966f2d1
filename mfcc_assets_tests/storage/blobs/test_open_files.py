"""Files that a process is still writing."""

from pathlib import Path

from mfcc_assets.storage.blobs.open_files import is_open_for_writing


def test_a_file_is_open_for_writing_until_its_writer_closes_it(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    with path.open("wb"):
        assert is_open_for_writing(path)

    assert not is_open_for_writing(path)
    with path.open("rb"):
        assert not is_open_for_writing(path), "a reader does not disturb"


def test_a_file_that_is_gone_is_not_open(tmp_path: Path) -> None:
    assert not is_open_for_writing(tmp_path / "gone")
