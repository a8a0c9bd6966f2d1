"""Behaviour of blobs on Azure beyond the contract of every `BlobStore`."""

import base64
import logging
import secrets
from collections.abc import Callable
from contextlib import closing
from typing import ClassVar

import httpx
import pytest
from azure.storage.blob import BlobServiceClient

from mfcc_assets.errors import BlobNotFound, Conflict, StoreError
from mfcc_assets.storage.blobs.azure import AzureBlobs
from mfcc_assets.storage.blobs.azure_streams import BLOCK
from mfcc_assets.storage.blobs.port import CONTAINERS
from mfcc_assets.storage.secrets.azure_identity import process_identity
from mfcc_assets_tests.services.azurite import Identity
from mfcc_assets_tests.services.processes import free_port
from mfcc_assets_tests.storage.blobs.samples import LARGE, content, generated, names


@pytest.fixture
def blobs(open_blobs: Callable[[], AzureBlobs]) -> AzureBlobs:
    return open_blobs()


class TestAccounts:
    def test_containers_are_made_once(self, blobs, open_blobs, proxy):
        made = [exchange.status for exchange in proxy.exchanges]
        assert made == [201] * len(CONTAINERS)
        blobs.write("batch", "a", b"1")
        assert open_blobs().read("batch", "a") == b"1"

    def test_an_identity_that_may_not_make_containers_can_use_existing_ones(self, blobs, open_blobs, proxy):
        blobs.write("batch", "a", b"1")
        proxy.answer_next(len(CONTAINERS), 403, method="PUT")
        assert open_blobs().read("batch", "a") == b"1"

    def test_the_error_for_a_missing_container_names_the_role_that_can_make_it(self, open_blobs, proxy):
        proxy.answer_next(len(CONTAINERS), 403, method="PUT")
        with pytest.raises(StoreError, match=r"uploads: there is no such container.*'Storage Blob Data Contributor'"):
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
    def test_a_blob_has_the_content_type_of_its_suffix(self, blobs, name, kind, size):
        blobs.write("soundtracks", name, bytes(size))
        answer = httpx.get(blobs.link("soundtracks", name, seconds=60), headers={"Range": "bytes=0-0"})
        assert answer.headers["Content-Type"] == kind

    def test_a_deleted_container_is_an_error_and_not_a_missing_blob(self, blobs, azurite, account_url):
        with BlobServiceClient(
            account_url, {"account_name": account_url.rpartition("/")[2], "account_key": azurite.key}
        ) as service:
            service.delete_container("batch")
        for call in (
            lambda: blobs.exists("batch", "a"),
            lambda: blobs.read("batch", "a"),
            lambda: list(blobs.list("batch")),
            lambda: blobs.write("batch", "a", b"1"),
            lambda: blobs.delete("batch", "a"),
        ):
            with pytest.raises(StoreError, match="there is no such container") as raised:
                call()
            assert not isinstance(raised.value, BlobNotFound)

    def test_the_error_for_a_wrong_key_does_not_show_the_key(self, account_url, tmp_path):
        wrong = base64.b64encode(secrets.token_bytes(64)).decode()
        with pytest.raises(StoreError, match=r"refuses the request \(.*key") as raised:
            AzureBlobs(account_url, lambda: wrong, tmp_path, 1)
        assert wrong not in str(raised.value)
        assert "ignature" not in str(raised.value)

    def test_a_malformed_key_is_refused(self, account_url, tmp_path):
        with pytest.raises(StoreError, match="refuses"):
            AzureBlobs(account_url, lambda: "no key", tmp_path, 1)

    def test_a_rotated_key_takes_effect_without_a_restart(self, azurite, account_url, tmp_path):
        keys = [azurite.key]
        with closing(AzureBlobs(account_url, lambda: keys[-1], tmp_path, 1)) as blobs:
            keys.append(base64.b64encode(secrets.token_bytes(64)).decode())
            with pytest.raises(StoreError, match="refuses"):
                blobs.write("batch", "a", b"1")
            keys.append(azurite.key)
            blobs.write("batch", "a", b"1")
            assert httpx.get(blobs.link("batch", "a", seconds=60)).content == b"1"

    @pytest.mark.parametrize("address", ["", "account", "ftp://account.example", "https://"])
    def test_an_address_that_is_not_an_account_is_refused(self, address, tmp_path):
        with pytest.raises(StoreError, match="not an address of a storage account"):
            AzureBlobs(address, Identity(), tmp_path, 1)

    def test_a_token_is_not_sent_without_tls(self, account_url, tmp_path):
        with pytest.raises(StoreError, match="without TLS"):
            AzureBlobs(account_url, Identity(), tmp_path, 1)

    def test_an_unreachable_account_is_a_store_error(self, azurite, tmp_path):
        url = f"http://127.0.0.1:{free_port()}/account"
        with pytest.raises(StoreError, match="cannot be reached"):
            AzureBlobs(url, lambda: azurite.key, tmp_path, 1, patience_seconds=0)

    def test_a_process_has_one_identity(self):
        assert process_identity() is process_identity()


class TestListings:
    @pytest.fixture
    def blobs(self, open_blobs) -> AzureBlobs:
        return open_blobs(page_size=4)

    @pytest.fixture
    def listed(self, blobs) -> list[str]:
        written = [f"{number:02}" for number in range(10)]
        for name in written:
            blobs.write("batch", name, b"1")
        return written

    def test_a_page_is_fetched_when_the_caller_reaches_it(self, blobs, listed, proxy):
        proxy.exchanges.clear()
        listing = blobs.list("batch")
        assert proxy.exchanges == []
        assert [next(listing).name for _ in range(4)] == listed[:4]
        assert len(proxy.exchanges) == 1
        assert names(listing) == listed[4:]
        assert len(proxy.exchanges) == 3

    @pytest.mark.usefixtures("listed")
    def test_a_failed_page_is_an_error_and_not_the_end_of_the_listing(self, blobs, proxy):
        listing = blobs.list("batch")
        next(listing)
        proxy.answer_next(1, 400)
        with pytest.raises(StoreError, match="the storage account failed"):
            list(listing)

    def test_a_listing_continues_after_the_storage_was_away_between_pages(self, blobs, listed, proxy, waits):
        listing = blobs.list("batch")
        next(listing)
        proxy.answer_next(2, 503)
        assert names(listing) == listed[1:]
        assert len(waits) == 2

    def test_names_outside_the_basic_plane_are_listed(self, open_blobs):
        blobs = open_blobs(page_size=2)
        unusual = ["a", "z", "\U0001f600c", "\ue000d", "\uff01b"]
        for name in unusual:
            blobs.write("soundtracks", name, b"1")
        assert sorted(names(blobs.list("soundtracks"))) == sorted(unusual)

    def test_a_blob_with_a_bad_name_is_skipped_with_a_warning(self, blobs, azurite, account_url, caplog):
        blobs.write("batch", "a", b"1")
        with BlobServiceClient(
            account_url, {"account_name": account_url.rpartition("/")[2], "account_key": azurite.key}
        ) as service:
            service.get_blob_client("batch", "a//b").upload_blob(b"1")
        with caplog.at_level(logging.WARNING):
            assert names(blobs.list("batch")) == ["a"]
        assert "a//b" in caplog.text


class TestWrites:
    """If the answer to a write is lost, the client retries and recognises its first attempt."""

    WRITES: ClassVar = {
        "create": lambda blobs, data, _: blobs.create("batch", "new", data),
        "write": lambda blobs, data, _: blobs.write("batch", "a", data),
        "write a new one": lambda blobs, data, _: blobs.write("batch", "new", data),
        "write on a condition": lambda blobs, data, seen: blobs.write("batch", "a", data, if_match=seen.etag),
    }

    @pytest.mark.parametrize("size", [3, LARGE], ids=["small", "large"])
    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    def test_a_write_whose_answer_was_lost_succeeds(self, blobs, open_blobs, proxy, waits, write, size):
        seen = blobs.write("batch", "a", b"old")
        for _ in range(4 if size > BLOCK else 1):
            proxy.lose_next_answer("PUT")
        written = write(blobs, content(size), seen)
        assert waits, "no request was repeated"
        other = open_blobs()
        assert other.stat("batch", written.name) == written
        assert other.read("batch", written.name) == content(size)

    @pytest.mark.usefixtures("waits")
    def test_a_write_of_another_writer_is_not_taken_for_ones_own(self, blobs, open_blobs, proxy):
        other = open_blobs()
        seen = other.write("batch", "a", b"old")
        other.write("batch", "a", b"another's")
        proxy.lose_next_answer("PUT")
        with pytest.raises(Conflict, match="batch/a"):
            blobs.write("batch", "a", b"mine", if_match=seen.etag)
        with pytest.raises(Conflict, match="batch/a"):
            blobs.create("batch", "a", b"mine")
        assert blobs.read("batch", "a") == b"another's"

    def test_a_large_conditional_write_fails_after_a_faster_write(self, blobs, open_blobs):
        seen, other = blobs.write("batch", "a", b"old"), open_blobs()

        def interfere(given: int) -> None:
            if given == 2 * BLOCK:
                other.write("batch", "a", b"another's")

        with pytest.raises(Conflict, match=r"batch/a: .*changed since it was read"):
            blobs.write("batch", "a", generated(LARGE, interfere), if_match=seen.etag)
        assert blobs.read("batch", "a") == b"another's"

    def test_the_slower_of_two_large_writes_raises_a_conflict(self, blobs, open_blobs):
        other, quicker = open_blobs(), content(LARGE)

        def overtaken() -> None:
            with blobs.writing("batch", "a") as file:
                file.write(bytes(LARGE))
                other.write("batch", "a", quicker)

        with pytest.raises(Conflict, match="batch/a: another writer came first"):
            overtaken()
        assert blobs.read("batch", "a") == quicker

    def test_every_write_request_has_a_condition(self, blobs, proxy):
        proxy.exchanges.clear()
        blobs.create("batch", "a", b"1")
        blobs.write("batch", "a", b"2")
        blobs.write("batch", "a", content(LARGE))
        with blobs.writing("batch", "a") as file:
            file.write(b"3")
        commits = [sent for sent in proxy.exchanges if sent.method == "PUT" and "comp=block&" not in sent.path]
        assert len(commits) == 1 + 2 + 2 + 2, "one for a new blob, two for an existing one"
        assert all(sent.headers["If-Match"] or sent.headers["If-None-Match"] == "*" for sent in commits)

    def test_writers_without_conditions_do_not_stop_each_other(self, blobs, open_blobs):
        other = open_blobs()
        for _ in range(3):
            with blobs.writing("batch", "a") as file, other.writing("batch", "a") as others:
                file.write(b"mine")
                others.write(b"others")
        assert blobs.read("batch", "a") == b"mine"

    def test_a_blob_that_changes_all_the_time_raises_a_conflict(self, blobs, proxy):
        blobs.write("batch", "a", b"0")
        proxy.answer_next(100, 412, method="PUT")
        with pytest.raises(Conflict, match="keep changing this blob"):
            blobs.write("batch", "a", b"1")
