"""Stored versions of the index, and the history of their publications."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.errors import Conflict, CorruptIndex
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.index_history import (
    BY_HAND,
    BY_RUN,
    ROLLBACK,
    IndexHistory,
    Publication,
    StoredVersion,
    answered_before,
    withdrawn,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAMAGED = [b"", b"{}x", b"[{}]", b"[1]", b"\xff", b"null"]


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path, lambda: bytes(32))


@pytest.fixture
def index_history(blobs: LocalBlobs) -> IndexHistory:
    return IndexHistory(blobs)


def history(*published: tuple[str, str]) -> list[Publication]:
    """Return publications of versions with a cause each. A rollback withdraws the former version."""
    former = [None, *(version for version, _ in published)]
    return [
        Publication(version, NOON, by, before, withdraws_former=by == ROLLBACK)
        for (version, by), before in zip(published, former, strict=False)
    ]


class TestAnsweredBefore:
    def test_rollbacks_lead_from_version_to_version_to_the_first(self):
        runs = [("a", BY_RUN), ("b", BY_RUN), ("c", BY_RUN)]
        assert answered_before(history(*runs)) == ["b", "a"]
        assert answered_before(history(*runs, ("b", ROLLBACK))) == ["a"]
        assert answered_before(history(*runs, ("b", ROLLBACK), ("a", ROLLBACK))) == []

    def test_rollbacks_never_lead_to_a_version_that_was_rolled_back(self):
        assert answered_before(history(("a", BY_RUN), ("b", BY_RUN), ("a", ROLLBACK), ("c", BY_RUN))) == ["a"]

    def test_a_version_published_by_hand_can_be_rolled_back(self):
        assert answered_before(history(("a", BY_RUN), ("b", BY_RUN), ("a", BY_HAND))) == ["b", "a"]

    def test_deleted_versions_are_skipped(self):
        assert answered_before(history(("a", BY_RUN), ("gone", BY_RUN), ("c", BY_RUN), ("a", ROLLBACK))) == []

    @given(st.lists(st.sampled_from(["a", "b", "c", None])))
    def test_every_rollback_undoes_one_publication(self, steps):
        stack: list[str] = []
        published: list[tuple[str, str]] = []
        for version in steps:
            if version is None and len(stack) > 1:
                stack.pop()
                published.append((stack[-1], ROLLBACK))
            elif version is not None and stack[-1:] != [version]:
                stack.append(version)
                published.append((version, BY_RUN))
        assert answered_before(history(*published)) == stack[-2::-1]


class TestWithdrawal:
    def test_only_a_version_that_was_rolled_back_is_withdrawn(self):
        assert withdrawn(history(("a", BY_RUN), ("b", BY_RUN))) == []
        assert withdrawn(history(("a", BY_RUN), ("b", BY_RUN), ("a", ROLLBACK), ("c", BY_RUN))) == ["b"]

    def test_a_withdrawal_lasts_until_the_version_is_published_again(self):
        published = [("a", BY_RUN), ("b", BY_RUN), ("a", ROLLBACK), ("c", BY_RUN), ("b", BY_HAND)]
        assert withdrawn(history(*published)) == []


class TestHistory:
    def test_the_history_is_empty_before_the_first_publication(self, index_history):
        assert index_history.published() is None
        assert index_history.history() == []

    def test_the_history_has_the_time_and_the_former_version_of_each_publication(self, index_history):
        index_history.publish("a")
        index_history.publish("b", by=BY_HAND)
        index_history.publish("a", by=ROLLBACK, withdraws_former=True)
        told = index_history.history()
        assert [(one.version, one.by, one.former, one.withdraws_former) for one in told] == [
            ("a", BY_RUN, None, False),
            ("b", BY_HAND, "a", False),
            ("a", ROLLBACK, "b", True),
        ]
        assert told[-1] == index_history.published()
        assert [one.published_at for one in told] == sorted(one.published_at for one in told)

    def test_a_pointer_without_a_history_is_the_beginning_of_the_history(self, index_history, blobs):
        written = {"version": "a", "published_at": NOON.isoformat()}
        blobs.write("cepstra", "indexes/published.json", json.dumps(written).encode())
        index_history.publish("b")
        assert index_history.history()[0] == Publication("a", NOON)
        assert index_history.history()[1].former == "a"

    def test_a_publication_that_was_killed_half_way_did_not_happen(self, index_history, blobs):
        index_history.publish("a")
        pointer = blobs.read("cepstra", "indexes/published.json")
        index_history.publish("b")
        blobs.write("cepstra", "indexes/published.json", pointer)
        assert [one.version for one in index_history.history()] == ["a"]
        index_history.publish("c")
        assert [one.version for one in index_history.history()] == ["a", "c"]

    def test_withdrawals_survive_a_damaged_pointer(self, index_history, blobs):
        for version in ("a", "b"):
            index_history.publish(version)
        index_history.publish("a", by=ROLLBACK, withdraws_former=True)
        index_history.publish("c")
        blobs.write("cepstra", "indexes/published.json", b"{")
        assert index_history.published().version == "c"
        assert withdrawn(index_history.history()) == ["b"]
        index_history.publish("d")
        assert [one.version for one in index_history.history()] == ["a", "b", "a", "c", "d"]

    def test_no_publication_is_lost_between_concurrent_publishers(self, blobs):
        start = threading.Barrier(4)

        def publish(who: str) -> list[str]:
            published, index_history = [], IndexHistory(blobs)
            start.wait()
            for number in range(8):
                try:
                    index_history.publish(f"{who}{number}")
                except Conflict:
                    continue
                published.append(f"{who}{number}")
            return published

        with ThreadPoolExecutor(4) as pool:
            published = [version for each in pool.map(publish, "abcd") for version in each]
        history = IndexHistory(blobs).history()
        assert sorted(one.version for one in history) == sorted(published)
        assert [one.former for one in history] == [None, *(one.version for one in history[:-1])]

    @pytest.mark.parametrize("record", ["publications", "published"])
    def test_the_slower_of_two_publishers_raises_a_conflict(self, index_history, blobs, monkeypatch, record):
        index_history.publish("a")
        write = blobs.write

        def outrun(container: str, name: str, data: bytes, *, if_match: str | None = None):
            if name == f"indexes/{record}.json":
                monkeypatch.undo()
                IndexHistory(blobs).publish("another")
            return write(container, name, data, if_match=if_match)

        index_history.publish("b")
        monkeypatch.setattr(blobs, "write", outrun)
        with pytest.raises(Conflict, match=r"index c: somebody else published meanwhile\. Check which version"):
            index_history.publish("c")
        assert [one.version for one in index_history.history()] == ["a", "b", "another"]

    @pytest.mark.parametrize("written", DAMAGED)
    def test_a_damaged_history_keeps_the_present_and_the_former_publication(
        self, index_history, blobs, caplog, written
    ):
        for version in ("a", "b", "c"):
            index_history.publish(version)
        blobs.write("cepstra", "indexes/publications.json", written)
        assert [one.version for one in index_history.history()] == ["b", "c"]
        assert "cepstra/indexes/publications.json: it is not what was written" in caplog.text
        index_history.publish("d")
        assert [one.version for one in IndexHistory(blobs).history()] == ["b", "c", "d"]
        assert index_history.faults() == []


class TestADamagedPointer:
    @pytest.mark.parametrize("written", [*DAMAGED, None])
    def test_a_damaged_or_lost_pointer_is_restored_from_the_history(self, index_history, blobs, written):
        for version in ("a", "b"):
            index_history.publish(version)
        published = index_history.published()
        spoil(blobs, "indexes/published.json", written)
        assert index_history.published() == published
        (fault,) = index_history.faults()
        assert fault.startswith("cepstra/indexes/published.json: ")
        assert index_history.repair() == [fault]
        assert index_history.faults() == index_history.repair() == []
        assert [one.version for one in index_history.history()] == ["a", "b"]

    def test_the_pointer_of_an_older_home_is_restored_from_the_recommendations(self, blobs):
        write_version(blobs, "b", NOON)
        former = Publication("a", NOON).record()
        blobs.write("cepstra", "indexes/publications.json", json.dumps([former]).encode())
        blobs.write("cepstra", "indexes/published.json", b"{")
        index_history = IndexHistory(blobs, lambda: ["deleted", "b", "a"])
        assert [(one.version, one.former) for one in index_history.history()] == [("a", None), ("b", "a")]

    def test_if_nothing_tells_what_answered_a_repair_begins_anew(self, index_history, blobs):
        index_history.publish("a")
        for name in ("published", "publications"):
            spoil(blobs, f"indexes/{name}.json", b"")
        with pytest.raises(CorruptIndex, match="is not what was written"):
            index_history.published()
        assert len(index_history.repair()) == 1
        assert index_history.published() is None

    def test_every_single_changed_bit_of_a_record_is_noticed_or_changes_nothing(self, index_history, blobs):
        for version in ("a", "b"):
            index_history.publish(version)
        history = index_history.history()
        for name in ("published", "publications"):
            stored = blobs.read("cepstra", f"indexes/{name}.json")
            for bit in range(8 * len(stored)):
                changed = bytearray(stored)
                changed[bit // 8] ^= 1 << bit % 8
                blobs.write("cepstra", f"indexes/{name}.json", bytes(changed))
                assert [one.version for one in index_history.history()] == ["a", "b"]
                assert index_history.history() == history or index_history.faults()
            blobs.write("cepstra", f"indexes/{name}.json", stored)


def spoil(blobs: LocalBlobs, name: str, written: bytes | None) -> None:
    """Replace the content of a blob, or delete the blob."""
    if written is None:
        blobs.delete("cepstra", name)
    else:
        blobs.write("cepstra", name, written)


def write_version(blobs: LocalBlobs, version: str, built_at: datetime) -> None:
    """Write a few files of a version of the index."""
    record = {
        "parameters": {"ranking": "dtw"},
        "features_version": "f",
        "tracks": 3,
        "created_at": built_at.isoformat(),
    }
    blobs.write("cepstra", f"indexes/{version}/means.npy", b"means")
    blobs.write("cepstra", f"indexes/{version}/rankings/0.parquet", b"rankings")
    blobs.write("cepstra", f"indexes/{version}/index.json", json.dumps(record).encode())


class TestStoredVersions:
    def test_versions_are_listed_in_the_order_in_which_they_were_built(self, index_history, blobs):
        write_version(blobs, "a", NOON.replace(hour=14))
        write_version(blobs, "b", NOON)
        index_history.publish("a")
        blobs.write("cepstra", "indexes/unfinished/means.npy", b"means")
        blobs.write("cepstra", "indexes/damaged/index.json", b"{")
        assert index_history.stored() == [
            StoredVersion("b", NOON, 3, "dtw", "f"),
            StoredVersion("a", NOON.replace(hour=14), 3, "dtw", "f"),
        ]
        assert index_history.damaged() == ["damaged"]
        assert index_history.exists("a")
        assert not index_history.exists("unfinished")

    def test_a_version_that_was_used_is_damaged_without_its_description(self, index_history, blobs):
        write_version(blobs, "ranked", NOON)
        write_version(blobs, "published", NOON)
        index_history.publish("published")
        for version in ("published", "built", "unfinished"):
            blobs.write("cepstra", f"indexes/{version}/means.npy", b"means")
        index_history.set_built("built")
        blobs.delete("cepstra", "indexes/published/rankings/0.parquet")
        for version in ("ranked", "published"):
            blobs.delete("cepstra", f"indexes/{version}/index.json")
        assert index_history.damaged() == ["built", "published", "ranked"]

    def test_a_deleted_version_leaves_no_blob(self, index_history, blobs):
        for version in ("a", "ab"):
            write_version(blobs, version, NOON)
        index_history.delete("a")
        index_history.delete("not there")
        assert [stored.version for stored in index_history.stored()] == ["ab"]
        assert len(list(blobs.list("cepstra", "indexes/"))) == 3

    def test_a_half_deleted_version_is_still_listed(self, index_history, blobs, monkeypatch):
        write_version(blobs, "a", NOON)
        delete, left = blobs.delete, 2

        def killed(container: str, name: str) -> None:
            nonlocal left
            if not left:
                raise KeyboardInterrupt
            left -= 1
            delete(container, name)

        monkeypatch.setattr(blobs, "delete", killed)
        with pytest.raises(KeyboardInterrupt):
            index_history.delete("a")
        assert index_history.exists("a")
