"""What blobs on Azure promise beyond what every `BlobStore` does."""

import base64
import logging
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from azure.storage.blob import BlobServiceClient

from mfcc_assets.errors import BlobNotFound, Conflict, StoreError
from mfcc_assets.storage.blobs import azure as azure_blobs
from mfcc_assets.storage.blobs import azure_policy as azure_retries
from mfcc_assets.storage.blobs.azure import AzureBlobs
from mfcc_assets.storage.blobs.azure_streams import BLOCK
from mfcc_assets.storage.blobs.port import CONTAINERS
from mfcc_assets.storage.secrets.azure_identity import process_identity
from mfcc_assets_tests.services.azurite import Azurite, Identity
from mfcc_assets_tests.services.faulty_proxy import FaultyProxy, faulty_proxy
from mfcc_assets_tests.services.processes import free_port
from mfcc_assets_tests.storage.blobs.samples import names

LARGE = BLOCK * 3 + 1000

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
    # What getrusage says begins with what the parent process had.
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
def proxy(azurite: Azurite) -> Iterator[FaultyProxy]:
    with faulty_proxy(azurite.port) as proxy:
        yield proxy


@pytest.fixture
def url(azurite: Azurite, proxy: FaultyProxy) -> str:
    return azurite.new_url(proxy.port)


@pytest.fixture
def open_blobs(azurite: Azurite, url: str, tmp_path: Path) -> Iterator[Callable[[], AzureBlobs]]:
    """Opens the same account as another process would, each time with a cache of its own."""
    opened: list[AzureBlobs] = []

    def open_account() -> AzureBlobs:
        opened.append(AzureBlobs(url, lambda: azurite.key, tmp_path / f"cache {len(opened)}", 10**9))
        return opened[-1]

    yield open_account
    for blobs in opened:
        blobs.close()


@pytest.fixture
def blobs(open_blobs: Callable[[], AzureBlobs]) -> AzureBlobs:
    return open_blobs()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that were to be waited between requests; nobody waits."""
    waited: list[float] = []
    monkeypatch.setattr(azure_retries.time, "sleep", waited.append)
    return waited


def generated(size: int, each: Callable[[int], None] = lambda _: None) -> BytesIO:
    """A stream that is never in memory as a whole, and cannot be read twice."""

    class Stream(BytesIO):
        given = 0

        def seekable(self) -> bool:
            return False

        def read(self, most: int | None = -1) -> bytes:
            each(self.given)
            portion = bytes([self.given // BLOCK]) * min(most or 0, size - self.given)
            self.given += len(portion)
            return portion

    return Stream()


def content(size: int) -> bytes:
    return (
        generated(size).read(BLOCK)
        if size <= BLOCK
        else b"".join(bytes([block]) * min(BLOCK, size - block * BLOCK) for block in range(-(-size // BLOCK)))
    )


class TestAccounts:
    def test_containers_are_made_once(self, blobs, open_blobs, proxy):
        made = [exchange.status for exchange in proxy.exchanges]
        assert made == [201] * len(CONTAINERS)
        blobs.write("batch", "a", b"1")
        assert open_blobs().read("batch", "a") == b"1"

    def test_an_identity_that_may_not_make_containers_may_use_those_that_are_there(self, blobs, open_blobs, proxy):
        blobs.write("batch", "a", b"1")
        proxy.answer_next(len(CONTAINERS), 403, method="PUT")
        assert open_blobs().read("batch", "a") == b"1"

    def test_a_missing_container_that_may_not_be_made_is_told_with_the_role_to_give(self, open_blobs, proxy):
        proxy.answer_next(len(CONTAINERS), 403, method="PUT")
        with pytest.raises(StoreError, match=r"uploads: There is no such container.*'Storage Blob Data Contributor'"):
            open_blobs()

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("a.mp3", "audio/mpeg"),
            ("b/c.FLAC", "audio/flac"),
            ("cover.png", "image/png"),
            ("a", "application/octet-stream"),
        ],
    )
    @pytest.mark.parametrize("size", [1, 3 << 20])
    def test_a_blob_says_what_it_is_so_that_a_browser_plays_it(self, blobs, name, kind, size):
        blobs.write("soundtracks", name, bytes(size))
        answer = httpx.get(blobs.link("soundtracks", name, seconds=60), headers={"Range": "bytes=0-0"})
        assert answer.headers["Content-Type"] == kind

    def test_a_container_that_is_gone_is_an_error_and_not_an_absent_blob(self, blobs, azurite, url):
        with BlobServiceClient(url, {"account_name": url.rpartition("/")[2], "account_key": azurite.key}) as service:
            service.delete_container("batch")
        for call in (
            lambda: blobs.exists("batch", "a"),
            lambda: blobs.read("batch", "a"),
            lambda: list(blobs.list("batch")),
            lambda: blobs.write("batch", "a", b"1"),
            lambda: blobs.delete("batch", "a"),
        ):
            with pytest.raises(StoreError, match="There is no such container") as raised:
                call()
            assert not isinstance(raised.value, BlobNotFound)

    def test_a_wrong_key_is_refused_without_a_word_of_it(self, url, tmp_path):
        wrong = base64.b64encode(secrets.token_bytes(64)).decode()
        with pytest.raises(StoreError, match=r"refuses it \(.*key") as raised:
            AzureBlobs(url, lambda: wrong, tmp_path, 1)
        assert wrong not in str(raised.value)
        assert "ignature" not in str(raised.value)

    def test_a_key_that_is_no_key_is_refused(self, url, tmp_path):
        with pytest.raises(StoreError, match="refuses"):
            AzureBlobs(url, lambda: "no key", tmp_path, 1)

    def test_a_renewed_key_is_taken_up_without_a_restart(self, azurite, url, tmp_path):
        keys = [azurite.key]
        with closing(AzureBlobs(url, lambda: keys[-1], tmp_path, 1)) as blobs:
            keys.append(base64.b64encode(secrets.token_bytes(64)).decode())
            with pytest.raises(StoreError, match="refuses"):
                blobs.write("batch", "a", b"1")
            keys.append(azurite.key)
            blobs.write("batch", "a", b"1")
            assert httpx.get(blobs.link("batch", "a", seconds=60)).content == b"1"

    @pytest.mark.parametrize("address", ["", "account", "ftp://account.example", "https://"])
    def test_an_address_that_is_none_says_so(self, address, tmp_path):
        with pytest.raises(StoreError, match="no address of a storage account"):
            AzureBlobs(address, Identity(), tmp_path, 1)

    def test_a_token_is_not_sent_without_tls(self, url, tmp_path):
        with pytest.raises(StoreError, match="without TLS"):
            AzureBlobs(url, Identity(), tmp_path, 1)

    def test_an_account_that_cannot_be_reached_says_so(self, azurite, tmp_path, monkeypatch):
        monkeypatch.setattr(azure_retries, "PATIENCE_SECONDS", 0)
        with pytest.raises(StoreError, match="cannot be reached"):
            AzureBlobs(f"http://127.0.0.1:{free_port()}/account", lambda: azurite.key, tmp_path, 1)

    def test_the_identity_of_the_process_is_one(self):
        assert process_identity() is process_identity()


class TestListings:
    @pytest.fixture
    def listed(self, blobs, monkeypatch) -> list[str]:
        monkeypatch.setattr(azure_blobs, "_PAGE", 4)
        written = [f"{number:02}" for number in range(10)]
        for name in written:
            blobs.write("batch", name, b"1")
        return written

    def test_pages_are_read_as_the_caller_goes(self, blobs, listed, proxy):
        proxy.exchanges.clear()
        listing = blobs.list("batch")
        assert proxy.exchanges == []
        assert [next(listing).name for _ in range(4)] == listed[:4]
        assert len(proxy.exchanges) == 1
        assert names(listing) == listed[4:]
        assert len(proxy.exchanges) == 3

    @pytest.mark.usefixtures("listed")
    def test_a_page_that_fails_is_an_error_and_not_the_end(self, blobs, proxy):
        listing = blobs.list("batch")
        next(listing)
        proxy.answer_next(1, 400)
        with pytest.raises(StoreError, match="did not do it"):
            list(listing)

    def test_a_listing_goes_on_where_storage_was_away_between_pages(self, blobs, listed, proxy, waits):
        listing = blobs.list("batch")
        next(listing)
        proxy.answer_next(2, 503)
        assert names(listing) == listed[1:]
        assert len(waits) == 2

    def test_names_beyond_the_basic_plane_are_listed_in_whatever_order_the_account_has(self, blobs, monkeypatch):
        monkeypatch.setattr(azure_blobs, "_PAGE", 2)
        unusual = ["a", "z", "\U0001f600c", "\ue000d", "\uff01b"]
        for name in unusual:
            blobs.write("soundtracks", name, b"1")
        assert sorted(names(blobs.list("soundtracks"))) == sorted(unusual)

    def test_what_others_named_as_no_blob_here_can_be_is_left_out_with_a_warning(self, blobs, azurite, url, caplog):
        blobs.write("batch", "a", b"1")
        with BlobServiceClient(url, {"account_name": url.rpartition("/")[2], "account_key": azurite.key}) as service:
            service.get_blob_client("batch", "a//b").upload_blob(b"1")
        with caplog.at_level(logging.WARNING):
            assert names(blobs.list("batch")) == ["a"]
        assert "a//b" in caplog.text


class TestWrites:
    """The answer to a write is lost, and the client repeats it: it finds its own."""

    WRITES: ClassVar = {
        "create": lambda blobs, data, _: blobs.create("batch", "new", data),
        "write": lambda blobs, data, _: blobs.write("batch", "a", data),
        "write a new one": lambda blobs, data, _: blobs.write("batch", "new", data),
        "write on a condition": lambda blobs, data, seen: blobs.write("batch", "a", data, if_match=seen.etag),
    }

    @pytest.mark.parametrize("size", [3, LARGE], ids=["small", "large"])
    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    def test_a_write_whose_answer_was_lost_has_happened(self, blobs, open_blobs, proxy, waits, write, size):
        seen = blobs.write("batch", "a", b"old")
        for _ in range(4 if size > BLOCK else 1):
            proxy.lose_next_answer("PUT")
        written = write(blobs, content(size), seen)
        assert waits, "no request was repeated"
        other = open_blobs()
        assert other.stat("batch", written.name) == written
        assert other.read("batch", written.name) == content(size)

    @pytest.mark.usefixtures("waits")
    def test_what_another_wrote_is_not_taken_for_ones_own(self, blobs, open_blobs, proxy):
        other = open_blobs()
        seen = other.write("batch", "a", b"old")
        other.write("batch", "a", b"another's")
        proxy.lose_next_answer("PUT")
        with pytest.raises(Conflict, match="batch/a"):
            blobs.write("batch", "a", b"mine", if_match=seen.etag)
        with pytest.raises(Conflict, match="batch/a"):
            blobs.create("batch", "a", b"mine")
        assert blobs.read("batch", "a") == b"another's"

    def test_a_large_write_is_lost_to_one_that_came_first(self, blobs, open_blobs):
        seen, other = blobs.write("batch", "a", b"old"), open_blobs()

        def interfere(given: int) -> None:
            if given == 2 * BLOCK:
                other.write("batch", "a", b"another's")

        with pytest.raises(Conflict, match=r"batch/a: .*changed since it was read"):
            blobs.write("batch", "a", generated(LARGE, interfere), if_match=seen.etag)
        assert blobs.read("batch", "a") == b"another's"

    def test_of_two_large_writes_without_a_condition_the_slower_is_told(self, blobs, open_blobs):
        other, quicker = open_blobs(), content(LARGE)

        def overtaken() -> None:
            with blobs.writing("batch", "a") as file:
                file.write(bytes(LARGE))
                other.write("batch", "a", quicker)

        with pytest.raises(Conflict, match="batch/a: Another writer came first"):
            overtaken()
        assert blobs.read("batch", "a") == quicker

    def test_every_request_that_writes_has_a_condition(self, blobs, proxy):
        proxy.exchanges.clear()
        blobs.create("batch", "a", b"1")
        blobs.write("batch", "a", b"2")
        blobs.write("batch", "a", content(LARGE))
        with blobs.writing("batch", "a") as file:
            file.write(b"3")
        commits = [sent for sent in proxy.exchanges if sent.method == "PUT" and "comp=block&" not in sent.path]
        assert len(commits) == 1 + 2 + 2 + 2, "one for a new blob, two where one is there"
        assert all(sent.headers["If-Match"] or sent.headers["If-None-Match"] == "*" for sent in commits)

    def test_writers_without_conditions_do_not_stop_each_other(self, blobs, open_blobs):
        other = open_blobs()
        for _ in range(3):
            with blobs.writing("batch", "a") as file, other.writing("batch", "a") as others:
                file.write(b"mine")
                others.write(b"others")
        assert blobs.read("batch", "a") == b"mine"

    def test_a_blob_that_never_rests_is_told(self, blobs, monkeypatch):
        put = AzureBlobs._put

        def outrun(store: AzureBlobs, container: str, name: str, *arguments: object):
            put(store, container, name, *arguments)
            return None, "another etag"

        monkeypatch.setattr(AzureBlobs, "_put", outrun)
        with pytest.raises(Conflict, match="without a pause"):
            blobs.write("batch", "a", b"1")


class TestStreams:
    def test_a_large_blob_goes_both_ways_in_bounded_memory(self, azurite, tmp_path):
        # What the client asks for and does not touch is not in memory: it prepares a list of a place for each byte.
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

    def test_of_a_large_blob_only_what_is_read_is_fetched(self, blobs, proxy):
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

    def test_an_open_blob_that_is_replaced_is_not_read_as_a_mixture(self, blobs):
        blobs.write("batch", "a", content(LARGE))
        with blobs.open("batch", "a") as file:
            assert len(file.read(10)) == 10
            blobs.write("batch", "a", bytes(LARGE))
            file.seek(BLOCK)
            with pytest.raises(Conflict, match=r"batch/a: .*changed while it was read"):
                file.read(10)

    def test_a_blob_is_downloaded_once_for_all_who_need_a_file(self, blobs, proxy, azurite, url, tmp_path):
        blobs.write("soundtracks", "song.flac", content(LARGE))
        for _ in range(2):
            with blobs.as_file("soundtracks", "song.flac") as path:
                assert path.read_bytes() == content(LARGE)
                assert path.suffix == ".flac"
        with closing(AzureBlobs(url, lambda: azurite.key, tmp_path / "cache 0", 10**9)) as next_process:
            proxy.exchanges.clear()
            with next_process.as_file("soundtracks", "song.flac") as path:
                assert path.stat().st_size == LARGE
            assert proxy.bytes_received == 0
            blobs.write("soundtracks", "song.flac", b"changed")
            with next_process.as_file("soundtracks", "song.flac") as path:
                assert path.read_bytes() == b"changed"


class TestFaults:
    def test_storage_that_is_away_in_the_middle_of_an_upload_costs_only_the_wait(self, blobs, proxy):
        stream = generated(LARGE, lambda given: proxy.go_away(0.8) if given == BLOCK else None)
        assert blobs.write("batch", "a", stream).size == LARGE
        assert any(exchange.status == 0 for exchange in proxy.exchanges)
        assert blobs.read("batch", "a") == content(LARGE)

    @pytest.mark.parametrize("read", ["read", "as_file"])
    def test_storage_that_is_away_in_the_middle_of_a_download_costs_only_the_wait(self, blobs, proxy, read):
        blobs.write("batch", "a", content(LARGE))
        proxy.break_next_answer(after=100_000)
        proxy.answer_next(2, 503, method="GET")
        if read == "read":
            assert blobs.read("batch", "a") == content(LARGE)
        else:
            with blobs.as_file("batch", "a") as path:
                assert path.read_bytes() == content(LARGE)
        assert [exchange.status for exchange in proxy.exchanges].count(503) == 2

    @pytest.mark.parametrize("status", [429, 503])
    def test_throttling_is_waited_for_as_long_as_it_says(self, blobs, proxy, waits, status):
        later = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
        for retry_after in ("7", later, "3600", "0", "soon", None):
            proxy.answer_next(1, status, retry_after=retry_after)
        blobs.write("batch", "a", b"1")
        assert blobs.read("batch", "a") == b"1"
        assert waits[0] == 7
        assert 15 < waits[1] <= 20
        assert waits[2] == 30
        assert waits[3] == 0
        assert all(0.5 < wait <= 10 for wait in waits[4:])
        assert len(waits) == 6

    def test_waits_grow_to_ten_seconds(self, blobs, proxy, waits):
        proxy.answer_next(12, 500)
        blobs.stat("batch", blobs.write("batch", "a", b"1").name)
        assert 0.25 <= waits[0] <= 0.5
        assert waits[3] > waits[0]
        assert 5 <= waits[-1] <= 10

    def test_storage_that_stays_away_is_given_up(self, blobs, proxy, monkeypatch):
        monkeypatch.setattr(azure_retries, "PATIENCE_SECONDS", 0.5)
        proxy.go_away(60)
        with pytest.raises(StoreError, match="cannot be reached"):
            blobs.read("batch", "a")
        proxy.go_away(0)
        proxy.answer_next(20, 503)
        with pytest.raises(StoreError, match="503"):
            blobs.read("batch", "a")
