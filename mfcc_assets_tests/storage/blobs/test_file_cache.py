"""Copies of remote files on the local disk."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mfcc_assets.errors import StoreError
from mfcc_assets.storage.blobs.file_cache import FileCache

FETCH_FOR_EVER = """
import sys, time
from pathlib import Path
from mfcc_assets.storage.blobs.file_cache import FileCache

def fetch(path):
    path.write_bytes(b"half")
    time.sleep(60)

with FileCache(Path(sys.argv[1]), 1000).file("key", suffix=".mp3", size=8, fetch=fetch):
    pass
"""


class Source:
    """A source that counts how often it is fetched."""

    def __init__(self) -> None:
        self.fetched: list[str] = []

    def of(self, key: str, size: int = 10) -> Callable[[Path], None]:
        def fetch(path: Path) -> None:
            self.fetched.append(key)
            path.write_bytes(key.encode() * (size // len(key)))

        return fetch


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def cache(tmp_path: Path) -> FileCache:
    return FileCache(tmp_path, 30)


def read(cache: FileCache, source: Source, key: str, size: int = 10) -> bytes:
    with cache.file(key, suffix=".flac", size=size, fetch=source.of(key, size)) as path:
        return path.read_bytes()


def left(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.parent.name != "locks")


def test_a_copy_is_fetched_once_and_keeps_its_suffix(cache, source, tmp_path):
    for opened in (cache, cache, FileCache(tmp_path, 30)):
        with opened.file("a", suffix=".flac", size=10, fetch=source.of("a")) as path:
            assert path.read_bytes() == b"a" * 10
            assert path.suffix == ".flac"
    assert source.fetched == ["a"]


def test_another_key_has_another_copy(cache, source):
    assert read(cache, source, "a") != read(cache, source, "b")
    assert source.fetched == ["a", "b"]


def test_readers_who_want_one_copy_at_once_wait_for_the_first_to_fetch_it(tmp_path, source):
    readers = 6
    everybody_is_there = threading.Barrier(readers)
    there = threading.Event()

    def fetch_when_everybody_is_there(path: Path) -> None:
        assert there.wait(timeout=30)
        source.of("a")(path)

    def wanted(_: int) -> bytes:
        cache = FileCache(tmp_path, 30)  # as each process has its own
        everybody_is_there.wait(timeout=30)
        there.set()
        with cache.file("a", suffix=".flac", size=10, fetch=fetch_when_everybody_is_there) as path:
            return path.read_bytes()

    with ThreadPoolExecutor(readers) as pool:
        assert set(pool.map(wanted, range(readers))) == {b"a" * 10}
    assert source.fetched == ["a"]


def test_who_waits_fetches_the_copy_itself_if_the_first_one_fails(cache, source):
    def fail(path: Path) -> None:
        raise StoreError("the network is gone", subject=path.name)

    with pytest.raises(StoreError, match="gone"), cache.file("a", suffix=".flac", size=10, fetch=fail):
        pass
    assert read(cache, source, "a") == b"a" * 10


def test_the_least_recently_used_copy_is_dropped_first(cache, source, tmp_path):
    for key in "abc":
        read(cache, source, key)
        time.sleep(0.01)  # the kernel's clock of files ticks every 4 ms
    read(cache, source, "a")
    time.sleep(0.01)
    read(cache, source, "d")
    assert sum(path.stat().st_size for path in left(tmp_path)) == 30
    for key in "acd":
        read(cache, source, key)
    assert source.fetched == ["a", "b", "c", "d"]
    read(cache, source, "b")
    assert source.fetched[-1] == "b"


def test_a_copy_stays_while_it_is_read(cache, source):
    with cache.file("a", suffix="", size=10, fetch=source.of("a")) as path:
        for key in "bcdef":
            read(cache, source, key)
        assert path.read_bytes() == b"a" * 10
    assert read(cache, source, "a") == b"a" * 10
    assert source.fetched == list("abcdefa")


def test_a_file_larger_than_the_cache_can_be_read_and_is_not_kept(cache, source, tmp_path):
    read(cache, source, "a")
    assert read(cache, source, "b", size=31) == b"b" * 31
    assert [path.stat().st_size for path in left(tmp_path)] == [10]


def test_a_failed_fetch_leaves_no_copy(cache, source, tmp_path):
    def fetch(path: Path) -> None:
        path.write_bytes(b"half")
        raise StoreError("the line went dead")

    with pytest.raises(StoreError, match="went dead"), cache.file("a", suffix="", size=10, fetch=fetch):
        pass
    assert left(tmp_path) == []
    assert read(cache, source, "a") == b"a" * 10


def test_a_truncated_copy_is_fetched_again(cache, source, tmp_path):
    read(cache, source, "a")
    os.truncate(left(tmp_path)[0], 4)
    assert read(cache, source, "a") == b"a" * 10
    assert source.fetched == ["a", "a"]


def test_every_changed_bit_of_a_copy_is_noticed_and_the_copy_is_fetched_again(cache, source, tmp_path):
    assert read(cache, source, "a") == b"a" * 10
    for bit in range(80):
        (copy,) = left(tmp_path)
        changed = bytearray(copy.read_bytes())
        changed[bit // 8] ^= 1 << bit % 8
        copy.write_bytes(changed)
        assert read(cache, source, "a") == b"a" * 10
    assert len(source.fetched) == 81


def test_a_fetch_of_too_few_bytes_is_an_error_and_leaves_no_copy(cache, source, tmp_path):
    with (
        pytest.raises(StoreError, match="10 of 12 bytes were fetched"),
        cache.file("a", suffix="", size=12, fetch=source.of("a")),
    ):
        pass
    assert left(tmp_path) == []


def test_many_threads_can_share_a_cache_that_is_too_small(cache, source, tmp_path):
    start = threading.Barrier(8)

    def read_all(_: int) -> set[bytes]:
        start.wait()
        return {read(cache, source, key) for key in "abcdefgh" * 5}

    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(read_all, range(8)):
            assert found == {key.encode() * 10 for key in "abcdefgh"}
    read(cache, source, "i")
    assert sum(path.stat().st_size for path in left(tmp_path)) <= 30


def test_copies_of_a_killed_process_are_removed_after_an_hour(tmp_path, source):
    killed = subprocess.Popen([sys.executable, "-c", FETCH_FOR_EVER, tmp_path])
    deadline = time.monotonic() + 20
    while not left(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.01)
    killed.kill()
    killed.wait()

    (half,) = left(tmp_path)
    assert read(FileCache(tmp_path, 30), source, "key", size=9) == b"keykeykey"
    assert half.exists(), "its process may still be at work"
    for path in (half, half.parent):
        os.utime(path, (time.time() - 7200, time.time() - 7200))
    FileCache(tmp_path, 30)
    assert not half.parent.exists()


def test_the_error_for_an_unwritable_disk_has_a_remedy(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot be written.*MFCC_CACHE_GIGABYTES"):
        FileCache(tmp_path / "file", 30)
