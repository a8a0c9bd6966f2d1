"""What a home remembers of the disks that soundtracks lie on."""

from pathlib import Path

import pytest

from mfcc_assets.errors import StoreError
from mfcc_assets.storage.blobs.music_disks import DiskRecord, MusicDisks


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    disks = MusicDisks(tmp_path / "home")
    assert disks.read() == DiskRecord()
    record = DiskRecord({"/mnt/caf\udce9": 7}, ("Music/a.mp3",))
    disks.write(record)
    assert MusicDisks(tmp_path / "home").read() == record


def test_a_folder_lies_on_the_disk_of_the_nearest_folder_that_is_named() -> None:
    record = DiskRecord({"/music": 1, "/music/disk": 2})
    assert record.disk_of(Path("/music/album")) == (Path("/music"), 1)
    assert record.disk_of(Path("/music/disk/album")) == (Path("/music/disk"), 2)
    assert record.disk_of(Path("/elsewhere")) is None


@pytest.mark.parametrize("damage", ["{", "[]", "{}", '{"devices": {"/music": "x"}, "given_up": []}'])
def test_a_damaged_record_tells_nothing(tmp_path: Path, damage: str) -> None:
    (tmp_path / "disks.json").write_text(damage)
    assert MusicDisks(tmp_path).read() == DiskRecord()


def test_a_home_that_cannot_be_written_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(StoreError, match=r"disks\.json: it cannot be written .*permissions"):
        MusicDisks(tmp_path / "home").write(DiskRecord())
