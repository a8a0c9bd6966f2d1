"""Blobs on Azure are read and written in pieces, in bounded memory."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing

import pytest

from mfcc_assets.errors import Conflict
from mfcc_assets.storage.blobs.azure import AzureBlobs
from mfcc_assets.storage.blobs.azure_streams import BLOCK
from mfcc_assets_tests.storage.blobs.samples import LARGE, content

BOTH_WAYS = """
import re, sys
from pathlib import Path
from mfcc_assets.storage.blobs.azure import AzureBlobs

BLOCK, BLOCKS = 1 << 20, 64

class Stream:
    given = 0

    def read(self, size):
        self.given += 1
        return bytes(BLOCK) if self.given <= BLOCKS else b""

def most_memory():
    # The value of getrusage would include memory of the parent process.
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

def write():
    assert blobs.write("batch", "large", Stream()).size == BLOCK * BLOCKS

def write_opened():
    with blobs.writing("batch", "other") as file:
        for _ in range(BLOCKS):
            file.write(bytes(BLOCK))

def read_as_file():
    with blobs.as_file("batch", "large") as path:
        assert path.stat().st_size == BLOCK * BLOCKS

def read_opened():
    with blobs.open("batch", "large") as file:
        assert sum(len(file.read(BLOCK)) for _ in range(BLOCKS)) == BLOCK * BLOCKS

key = sys.stdin.read()
blobs = AzureBlobs(sys.argv[1], lambda: key, Path(sys.argv[2]), 10**9)
with blobs.writing("batch", "small") as file:
    file.write(b"first use of everything")
with blobs.as_file("batch", "small"), blobs.open("batch", "small"):
    pass
before = most_memory()
for act in (write, write_opened, read_as_file, read_opened):
    act()
    print(most_memory() - before)
"""


@pytest.fixture
def blobs(open_blobs: Callable[[], AzureBlobs]) -> AzureBlobs:
    return open_blobs()


class TestStreams:
    def test_a_large_blob_is_written_and_read_in_bounded_memory(self, azurite, tmp_path):
        # The peak of resident memory does not include memory that the client allocates and never touches.
        command = [sys.executable, "-c", BOTH_WAYS, azurite.new_url(), tmp_path]
        grown = subprocess.run(command, input=azurite.key, capture_output=True, text=True, check=True).stdout
        assert len(grown.split()) == 4
        assert max(map(int, grown.split())) < 24 << 20, grown

    def test_a_small_blob_is_opened_and_read_in_one_request(self, blobs, proxy):
        blobs.write("batch", "small", bytes(50_000))
        proxy.exchanges.clear()
        with blobs.open("batch", "small") as file:
            assert file.seek(-10, 2) == 49_990
            assert file.read() == bytes(10)
            file.seek(0)
            assert len(file.read()) == 50_000
        assert len(proxy.exchanges) == 1

    def test_little_more_than_the_ranges_that_are_read_is_fetched(self, blobs, proxy):
        blobs.write("batch", "large", content(LARGE))
        proxy.exchanges.clear()
        with blobs.open("batch", "large") as file:
            file.seek(-8, 2)
            assert file.read(8) == content(LARGE)[-8:]
            file.seek(-60_000, 2)
            assert len(file.read(50_000)) == 50_000
            file.seek(BLOCK - 5)
            assert file.read(200_000) == content(LARGE)[BLOCK - 5 : BLOCK - 5 + 200_000]
        assert len(proxy.exchanges) == 3, "the beginning, the end with a read-ahead, and the middle"
        assert proxy.bytes_received == 65_536 + 65_536 + 200_000

    def test_reading_an_open_blob_after_it_was_replaced_raises_a_conflict(self, blobs):
        blobs.write("batch", "a", content(LARGE))
        with blobs.open("batch", "a") as file:
            assert len(file.read(10)) == 10
            blobs.write("batch", "a", bytes(LARGE))
            file.seek(BLOCK)
            with pytest.raises(Conflict, match=r"batch/a: .*changed while it was read"):
                file.read(10)

    def test_a_blob_is_downloaded_once_for_all_readers_of_its_file(self, blobs, proxy, azurite, account_url, tmp_path):
        blobs.write("soundtracks", "song.flac", content(LARGE))
        for _ in range(2):
            with blobs.as_file("soundtracks", "song.flac") as path:
                assert path.read_bytes() == content(LARGE)
                assert path.suffix == ".flac"
        with closing(AzureBlobs(account_url, lambda: azurite.key, tmp_path / "cache 0", 10**9)) as next_process:
            proxy.exchanges.clear()
            with next_process.as_file("soundtracks", "song.flac") as path:
                assert path.stat().st_size == LARGE
            assert proxy.bytes_received == 0
            blobs.write("soundtracks", "song.flac", b"changed")
            with next_process.as_file("soundtracks", "song.flac") as path:
                assert path.read_bytes() == b"changed"

    @pytest.mark.parametrize("container", ["uploads", "batch"])
    def test_no_machine_keeps_a_copy_of_what_a_listener_sent(self, azurite, account_url, tmp_path, container):
        cache = tmp_path / "cache"
        with closing(AzureBlobs(account_url, lambda: azurite.key, cache, 10**9)) as blobs:
            blobs.write(container, "secret.flac", content(1000))
            with blobs.as_file(container, "secret.flac") as path:
                assert path.read_bytes() == content(1000)
        assert [file for file in cache.rglob("*") if file.is_file()] == []
