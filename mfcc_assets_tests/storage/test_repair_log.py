"""The record of what was damaged and repaired."""

from datetime import UTC, datetime

from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets.storage.repair_log import RepairLog


def test_repairs_are_told_from_a_moment_on_in_their_order_and_each_once(local_blobs: LocalBlobs) -> None:
    log = RepairLog(local_blobs)
    log.record("The first file was damaged.")
    moment = datetime.now(UTC)
    assert log.since(moment) == []
    for sentence in ("A second file was damaged.", "A “third” file was damaged.", "A second file was damaged."):
        log.record(sentence)
    assert log.since(moment) == ["A second file was damaged.", "A “third” file was damaged."]


def test_a_damaged_record_is_told_by_its_name(local_blobs: LocalBlobs) -> None:
    log = RepairLog(local_blobs)
    log.record("A file was damaged.")
    (record,) = local_blobs.list(CEPSTRA, "repairs/")
    local_blobs.write(CEPSTRA, record.name, b"{")
    (sentence,) = log.since(datetime(2000, 1, 1, tzinfo=UTC))
    assert sentence.startswith(f"{CEPSTRA}/{record.name}: ")
