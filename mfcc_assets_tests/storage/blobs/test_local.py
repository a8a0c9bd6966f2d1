"""Behaviour of local folders beyond the contract of every `BlobStore`."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from mfcc_assets.errors import BlobNameError, BlobNotFound, Conflict, LinkRefused, StoreError
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import CONTAINERS, Blob
from mfcc_assets_tests.storage.blobs.samples import KEY, UNUSUAL_NAMES, names

ENDLESS_WRITER = """
import sys, time
from pathlib import Path
from mfcc_assets.storage.blobs.local import LocalBlobs

class Endless:
    def read(self, size=-1):
        time.sleep(0.01)
        return bytes(size)

LocalBlobs(Path(sys.argv[1]), lambda: bytes(32)).write("batch", "a", Endless())
"""


class TestFiles:
    def path(self, blobs: LocalBlobs, container: str, name: str) -> Path:
        with blobs.as_file(container, name) as path:
            return path

    def test_containers_are_folders_and_blobs_are_files(self, tmp_path):
        blobs = LocalBlobs(tmp_path, lambda: KEY)
        assert sorted(folder.name for folder in tmp_path.iterdir()) == sorted(CONTAINERS)
        blobs.write("artworks", "a/b.png", b"1")
        assert (tmp_path / "artworks/a/b.png").read_bytes() == b"1"

    def test_a_listing_is_sorted_by_whole_names(self, local_blobs):
        shuffled = ["b", "a/c", "a.b", "a/b/c", "a!", "a0", "é", "z/1"]
        for name in shuffled:
            local_blobs.write("batch", name, b"")
        assert [blob.name for blob in local_blobs.list("batch")] == sorted(shuffled)

    def test_a_root_that_cannot_be_made_is_a_store_error(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(StoreError, match="cannot be made"):
            LocalBlobs(tmp_path / "file", lambda: KEY)

    def test_a_short_signing_key_is_refused(self, tmp_path):
        with pytest.raises(ValueError, match="32 bytes"):
            LocalBlobs(tmp_path, lambda: b"short").link("batch", "a", seconds=1)

    def test_a_blob_that_was_written_here_or_moved_in_is_known_to_be_complete(self, local_blobs, tmp_path):
        assert local_blobs.write("uploads", "written", b"1").whole
        being_copied = tmp_path / "blobs/uploads/copied"
        being_copied.write_bytes(b"1")
        assert not local_blobs.stat("uploads", "copied").whole
        with being_copied.open("ab") as file:
            file.write(b"2")
            file.flush()
            assert not local_blobs.stat("uploads", "copied").whole
        time.sleep(0.02)  # two changes within one tick of the kernel's clock have the same time
        being_copied.rename(being_copied.with_name("moved"))
        assert local_blobs.stat("uploads", "moved").whole

    def test_a_file_moved_in_with_an_old_time_counts_as_new(self, local_blobs, tmp_path):
        seen = local_blobs.write("soundtracks", "seen", b"")
        (tmp_path / "old").write_bytes(b"1")
        os.utime(tmp_path / "old", (0, 0))
        (tmp_path / "old").rename(tmp_path / "blobs/soundtracks/a old")
        assert local_blobs.stat("soundtracks", "a old").modified >= seen.modified

    def test_a_file_with_a_future_time_does_not_count_as_newer_than_now(self, local_blobs, tmp_path):
        path = tmp_path / "blobs/soundtracks/future"
        path.touch()
        os.utime(path, (4e9, 4e9))
        assert local_blobs.stat("soundtracks", "future").modified <= datetime.now(UTC)

    def test_a_copy_with_the_same_size_and_time_changes_the_etag(self, local_blobs, tmp_path):
        first = local_blobs.write("batch", "a", b"1111")
        path = self.path(local_blobs, "batch", "a")
        kept = path.stat()
        (tmp_path / "other").write_bytes(b"2222")
        time.sleep(0.02)  # before Linux 6.13 the clock of files ticks every 4 ms, on some systems every 10 ms
        os.utime(tmp_path / "other", ns=(kept.st_atime_ns, kept.st_mtime_ns))
        (tmp_path / "other").replace(path)
        assert local_blobs.stat("batch", "a").etag != first.etag

    @pytest.mark.parametrize("container", ["batch", "soundtracks"])
    def test_writes_within_one_tick_of_the_kernels_clock_have_different_etags(
        self, local_blobs, monkeypatch, container
    ):
        monkeypatch.setattr(os, "fsync", lambda _: None)  # a sync takes longer than a tick
        etags = [local_blobs.write(container, "a", b"same").etag for _ in range(50)]
        assert len(set(etags)) == len(etags)

    def test_a_soundtrack_keeps_its_etag_if_it_is_copied_linked_or_made_executable(self, local_blobs, tmp_path):
        first = local_blobs.write("soundtracks", "a", b"1111")
        path = self.path(local_blobs, "soundtracks", "a")
        shutil.copy2(path, tmp_path / "copy")
        (tmp_path / "copy").replace(path)
        path.chmod(0o700)
        (tmp_path / "backup").hardlink_to(path)
        again = local_blobs.stat("soundtracks", "a")
        assert again.etag == first.etag
        assert again.modified > first.modified
        os.utime(path, (0, 0))
        assert local_blobs.stat("soundtracks", "a").etag != first.etag

    def test_no_other_write_comes_between_the_check_of_an_etag_and_the_write(self, local_blobs, monkeypatch):
        first = local_blobs.write("batch", "a", b"")
        stamp = os.utime

        def stamp_slowly(path: Path, ns: tuple[int, int]) -> None:
            time.sleep(0.05)
            stamp(path, ns=ns)

        monkeypatch.setattr(os, "utime", stamp_slowly)
        outcomes = []

        def write() -> None:
            try:
                outcomes.append(local_blobs.write("batch", "a", b"", if_match=first.etag))
            except Conflict:
                outcomes.append(None)

        threads = [threading.Thread(target=write) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes.count(None) == 2

    def test_a_blob_cannot_also_be_a_folder(self, local_blobs):
        local_blobs.write("batch", "a/b", b"")
        with pytest.raises(BlobNameError, match="both a blob and a folder"):
            local_blobs.write("batch", "a", b"")
        with pytest.raises(BlobNameError, match="both a blob and a folder"):
            local_blobs.write("batch", "a/b/c", b"")
        with pytest.raises(BlobNotFound):
            local_blobs.read("batch", "a")
        local_blobs.delete("batch", "a")
        assert names(local_blobs.list("batch")) == ["a/b"]

    def test_deleting_leaves_no_empty_folders(self, local_blobs, tmp_path):
        local_blobs.write("uploads", "a/b/c", b"")
        local_blobs.write("uploads", "a/d", b"")
        local_blobs.delete("uploads", "a/b/c")
        assert not (tmp_path / "blobs/uploads/a/b").exists()
        assert names(local_blobs.list("uploads")) == ["a/d"]
        local_blobs.delete("uploads", "a/d")
        assert (tmp_path / "blobs/uploads").is_dir()

    def test_a_failed_write_leaves_the_old_blob_and_nothing_else(self, local_blobs, tmp_path):
        class Breaking(BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                if self.tell():
                    raise ConnectionError("the line went dead")
                return super().read(min(size or 0, 3))

        local_blobs.write("batch", "a", b"old")
        with pytest.raises(StoreError, match="the line went dead"):
            local_blobs.write("batch", "a", Breaking(b"new and longer"))
        assert local_blobs.read("batch", "a") == b"old"
        assert [path.name for path in (tmp_path / "blobs/batch/.mfcc").iterdir()] == ["lock"]

    def test_a_killed_writer_leaves_the_old_blob(self, local_blobs, tmp_path):
        local_blobs.write("batch", "a", b"old")
        writer = subprocess.Popen([sys.executable, "-c", ENDLESS_WRITER, str(tmp_path / "blobs")])
        deadline = time.monotonic() + 20
        while not list((tmp_path / "blobs/batch/.mfcc").glob("*.part")) and time.monotonic() < deadline:
            time.sleep(0.01)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        assert local_blobs.read("batch", "a") == b"old"
        (left,) = (tmp_path / "blobs/batch/.mfcc").glob("*.part")
        assert names(local_blobs.list("batch")) == ["a"]

        LocalBlobs(tmp_path / "blobs", lambda: KEY)
        assert left.exists(), "its writer may still be at work"
        os.utime(left, (time.time() - 7200, time.time() - 7200))
        LocalBlobs(tmp_path / "blobs", lambda: KEY)
        assert not left.exists()
        assert names(local_blobs.list("batch")) == ["a"]

    def test_readers_see_complete_blobs_while_they_are_replaced(self, local_blobs):
        contents = {bytes([digit]) * 100_000 for digit in range(3)}
        local_blobs.write("batch", "a", next(iter(contents)))
        done = threading.Event()

        def rewrite() -> None:
            for content in sorted(contents) * 5:
                local_blobs.write("batch", "a", content)
            done.set()

        writer = threading.Thread(target=rewrite)
        writer.start()
        read = set()
        while not done.is_set():
            read.add(local_blobs.read("batch", "a"))
        writer.join()
        assert read <= contents


class TestFilesOfOwners:
    @pytest.fixture
    def library(self, local_blobs, tmp_path) -> Path:
        local_blobs.write("soundtracks", "a good song.mp3", b"sound")
        return tmp_path / "blobs/soundtracks"

    @pytest.mark.parametrize(
        "put",
        [
            os.mkfifo,
            lambda path: path.symlink_to("/nowhere/at/all"),
            lambda path: path.symlink_to(path),
            lambda path: path.symlink_to("."),
            lambda path: path.symlink_to(".."),
        ],
        ids=["fifo", "broken link", "looping link", "link to its folder", "link to a folder above"],
    )
    def test_an_entry_that_is_not_a_file_is_skipped_and_told(self, local_blobs, library, put, caplog):
        put(library / "odd")
        skipped: list[tuple[str, str]] = []
        listed = local_blobs.list("soundtracks", on_skipped=lambda *entry: skipped.append(entry))
        assert names(listed) == ["a good song.mp3"]
        assert [name for name, _ in skipped] == ["odd"]
        assert not caplog.text
        with pytest.raises(BlobNotFound):
            local_blobs.read("soundtracks", "odd")

    def test_folders_that_are_too_deep_are_skipped_with_a_warning(self, local_blobs, library, caplog):
        deepest = library
        for _ in range(6):
            deepest /= "d" * 200
        deepest.mkdir(parents=True)
        (deepest / "song").touch()
        assert names(local_blobs.list("soundtracks")) == ["a good song.mp3"]
        assert "1,024" in caplog.text

    def test_a_linked_file_can_be_read_and_is_as_new_as_its_link(self, local_blobs, library, tmp_path):
        (tmp_path / "elsewhere.mp3").write_bytes(b"linked")
        time.sleep(0.02)
        seen = local_blobs.write("soundtracks", "seen", b"")
        (library / "link.mp3").symlink_to(tmp_path / "elsewhere.mp3")
        assert local_blobs.read("soundtracks", "link.mp3") == b"linked"
        assert names(local_blobs.list("soundtracks")) == ["a good song.mp3", "link.mp3", "seen"]
        assert local_blobs.stat("soundtracks", "link.mp3").modified >= seen.modified

    def test_a_container_may_itself_be_a_link(self, tmp_path):
        (tmp_path / "music").mkdir()
        (tmp_path / "music/song").write_bytes(b"1")
        (tmp_path / "blobs").mkdir()
        (tmp_path / "blobs/soundtracks").symlink_to(tmp_path / "music")
        blobs = LocalBlobs(tmp_path / "blobs", lambda: KEY)
        assert names(blobs.list("soundtracks")) == ["song"]
        assert blobs.read("soundtracks", "song") == b"1"

    @pytest.mark.parametrize("unreadable", [".", "album", "album/private"])
    def test_a_folder_that_cannot_be_listed_is_an_error(self, local_blobs, library, unreadable, monkeypatch):
        local_blobs.write("soundtracks", "album/private/song", b"")
        read_folder = os.scandir

        def scandir(folder: Path):
            if Path(folder) == library / unreadable:
                raise PermissionError(13, "Permission denied")
            return read_folder(folder)

        # Permissions do not stop root, and tests in containers run as root.
        monkeypatch.setattr(os, "scandir", scandir)
        with pytest.raises(StoreError, match=r"Permission denied"):
            list(local_blobs.list("soundtracks"))

    def test_a_blob_whose_disk_fails_is_an_error_in_a_listing(self, local_blobs, library, monkeypatch):
        look_at = os.lstat

        def lstat(path: str | Path):
            if Path(path) == library / "bad sector.mp3":
                raise OSError(5, "Input/output error")
            return look_at(path)

        local_blobs.write("soundtracks", "bad sector.mp3", b"")
        monkeypatch.setattr(os, "lstat", lstat)
        with pytest.raises(StoreError, match=r"soundtracks/bad sector\.mp3.*Input/output error"):
            list(local_blobs.list("soundtracks"))

    def test_a_folder_deleted_during_a_listing_is_skipped(self, local_blobs, library, caplog):
        local_blobs.write("soundtracks", "b/song", b"")
        local_blobs.write("soundtracks", "c/song", b"")
        listing = local_blobs.list("soundtracks")
        next(listing)
        (library / "b/song").unlink()
        (library / "b").rmdir()
        (library / "c/song").unlink()
        (library / "c").rmdir()
        (library / "c").touch()
        assert names(listing) == []
        assert caplog.records == []

    def test_a_missing_container_is_an_error_and_not_an_empty_listing(self, local_blobs, library):
        library.rename(library.with_name("unmounted"))
        with pytest.raises(StoreError, match="No such file"):
            list(local_blobs.list("soundtracks"))
        with pytest.raises(StoreError, match="No such file"):
            local_blobs.write("soundtracks", "a", b"")

    def test_a_blob_deleted_during_a_listing_is_skipped(self, local_blobs, library, caplog):
        (library / "b/c").mkdir(parents=True)
        (library / "b/c/d").touch()
        (library / "z").touch()
        listing = local_blobs.list("soundtracks")
        next(listing)
        local_blobs.delete("soundtracks", "b/c/d")
        local_blobs.delete("soundtracks", "z")
        assert names(listing) == []
        assert caplog.records == []

    def test_a_listing_of_ordinary_files_gives_no_warning(self, local_blobs, caplog):
        caplog.set_level(logging.WARNING)
        local_blobs.write("batch", "a/b", b"")
        assert names(local_blobs.list("batch")) == ["a/b"]
        assert caplog.records == []


class TestLinks:
    def parts(self, link: str) -> tuple[str, str, str, str]:
        """Split a link as a web framework does."""
        address = urlsplit(link)
        container, name = unquote(address.path).removeprefix("/blobs/").split("/", 1)
        query = parse_qs(address.query)
        return container, name, query["expires"][0], query["signature"][0]

    def open(self, blobs: LocalBlobs, parts: Sequence[str], now: datetime | None = None) -> Blob:
        container, name, expires, signature = parts
        return blobs.open_link(container, name, expires=expires, signature=signature, now=now)

    @pytest.mark.parametrize("name", UNUSUAL_NAMES)
    def test_a_link_opens_its_blob(self, local_blobs, name):
        written = local_blobs.write("artworks", name, b"1")
        link = local_blobs.link("artworks", name, seconds=60)
        assert link.isascii()
        assert " " not in link
        assert self.open(local_blobs, self.parts(link)) == written

    def test_a_link_expires(self, local_blobs):
        local_blobs.write("artworks", "a", b"1")
        parts = self.parts(local_blobs.link("artworks", "a", seconds=60))
        self.open(local_blobs, parts, datetime.now(UTC) + timedelta(seconds=58))
        with pytest.raises(LinkRefused, match="expired"):
            self.open(local_blobs, parts, datetime.now(UTC) + timedelta(seconds=61))

    @pytest.mark.parametrize("part", range(4))
    @pytest.mark.parametrize("change", ["9", "é", "\udcff", "٣", "\n"])
    def test_an_altered_link_is_refused(self, local_blobs, part, change):
        local_blobs.write("artworks", "a", b"1")
        parts = list(self.parts(local_blobs.link("artworks", "a", seconds=60)))
        parts[part] += change
        with pytest.raises(LinkRefused, match="not ours"):
            self.open(local_blobs, parts)

    def test_a_link_does_not_open_another_blob_or_container(self, local_blobs):
        local_blobs.write("artworks", "a", b"1")
        local_blobs.write("artworks", "b", b"1")
        local_blobs.write("uploads", "a", b"1")
        _, _, *signed = self.parts(local_blobs.link("artworks", "a", seconds=60))
        for container, name in (("artworks", "b"), ("uploads", "a"), ("artworks", "../uploads/a"), ("attic", "a")):
            with pytest.raises(LinkRefused):
                self.open(local_blobs, (container, name, *signed))

    def test_a_link_signed_with_another_key_is_refused(self, local_blobs, tmp_path):
        other = LocalBlobs(tmp_path / "blobs", lambda: KEY[::-1])
        with pytest.raises(LinkRefused):
            self.open(local_blobs, self.parts(other.link("artworks", "a", seconds=60)))

    def test_a_link_to_a_deleted_blob_is_not_found(self, local_blobs):
        with pytest.raises(BlobNotFound):
            self.open(local_blobs, self.parts(local_blobs.link("artworks", "gone", seconds=60)))
