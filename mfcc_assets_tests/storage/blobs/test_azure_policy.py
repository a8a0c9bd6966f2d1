"""Requests to Azure are retried while the storage is away or throttled."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from mfcc_assets.errors import StoreError
from mfcc_assets.storage.blobs.azure import AzureBlobs
from mfcc_assets.storage.blobs.azure_streams import BLOCK
from mfcc_assets_tests.storage.blobs.samples import LARGE, content, generated


@pytest.fixture
def blobs(open_blobs: Callable[[], AzureBlobs]) -> AzureBlobs:
    return open_blobs()


class TestFaults:
    def test_an_upload_survives_storage_that_is_away_for_a_while(self, blobs, proxy):
        stream = generated(LARGE, lambda given: proxy.go_away(0.8) if given == BLOCK else None)
        assert blobs.write("batch", "a", stream).size == LARGE
        assert any(exchange.status == 0 for exchange in proxy.exchanges)
        assert blobs.read("batch", "a") == content(LARGE)

    @pytest.mark.parametrize("read", ["read", "as_file"])
    def test_a_download_survives_storage_that_is_away_for_a_while(self, blobs, proxy, read):
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
    def test_a_throttled_request_waits_as_long_as_the_server_asks(self, blobs, proxy, waits, status):
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

    def test_waits_grow_up_to_ten_seconds(self, blobs, proxy, waits):
        proxy.answer_next(12, 500)
        blobs.stat("batch", blobs.write("batch", "a", b"1").name)
        assert 0.25 <= waits[0] <= 0.5
        assert waits[3] > waits[0]
        assert 5 <= waits[-1] <= 10

    def test_a_request_is_given_up_if_the_storage_stays_away(self, open_blobs, proxy):
        blobs = open_blobs(patience_seconds=0.5)
        proxy.go_away(60)
        with pytest.raises(StoreError, match="cannot be reached"):
            blobs.read("batch", "a")
        proxy.go_away(0)
        proxy.answer_next(20, 503)
        with pytest.raises(StoreError, match="503"):
            blobs.read("batch", "a")
