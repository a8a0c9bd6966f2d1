"""Entries of local containers that are no blobs, and linked folders."""

from pathlib import Path

import pytest

from mfcc_assets.errors import BlobNameError


def names(blobs) -> list[str]:
    return [blob.name for blob in blobs]


@pytest.fixture
def library(local_blobs, tmp_path) -> Path:
    local_blobs.write("soundtracks", "a good song.mp3", b"sound")
    return tmp_path / "blobs/soundtracks"


def test_a_warning_is_logged_once_however_often_a_container_is_listed(local_blobs, library, caplog):
    (library / "broken.mp3").symlink_to("/nowhere/at/all")
    for _ in range(3):
        list(local_blobs.list("soundtracks"))
    assert caplog.text.count("broken links") == 1
    (library / "broken, too.mp3").symlink_to("/nowhere/at/all")
    list(local_blobs.list("soundtracks"))
    assert caplog.text.count("broken links") == 2


def test_a_linked_folder_of_soundtracks_can_be_read_and_not_written(local_blobs, library, tmp_path):
    music = tmp_path / "music"
    (music / "disc").mkdir(parents=True)
    (music / "disc/song").write_bytes(b"1")
    (music / "disc/back").symlink_to(music)
    for name in ("a", "z"):
        (library / name).symlink_to(music)
    skipped: list[str] = []
    listed = local_blobs.list("soundtracks", on_skipped=lambda name, _: skipped.append(name))
    assert names(listed) == ["a good song.mp3", "a/disc/song"]
    assert sorted(skipped) == ["a/disc/back", "z/"]
    assert names(local_blobs.list("soundtracks", "a/disc/")) == ["a/disc/song"]
    assert local_blobs.read("soundtracks", "a/disc/song") == b"1"
    for call in (
        lambda: local_blobs.write("soundtracks", "a/disc/new", b""),
        lambda: local_blobs.delete("soundtracks", "a/disc/song"),
    ):
        with pytest.raises(BlobNameError, match="symbolic link"):
            call()
    (library / "loop").symlink_to("loop")
    assert not local_blobs.exists("soundtracks", "loop/song")


def test_no_other_name_leads_through_a_linked_folder(local_blobs, library):
    (library.parent / "uploads/system").symlink_to("/etc")
    for call in (
        lambda: local_blobs.read("uploads", "system/passwd"),
        lambda: local_blobs.write("uploads", "system/new", b""),
        lambda: local_blobs.delete("uploads", "system/passwd"),
        lambda: local_blobs.list("uploads", "system/"),
    ):
        with pytest.raises(BlobNameError, match="symbolic link"):
            call()
    assert list(local_blobs.list("uploads")) == []
