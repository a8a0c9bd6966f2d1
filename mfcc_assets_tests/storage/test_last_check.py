"""How far files were checked: what changed is due at once, and everything else in turn."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import Blob
from mfcc_assets.storage.last_check import LastCheck, read_last_check, write_last_check

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STORED = [Blob(name, 1, "etag", NOON) for name in "abcde"]


def names(blobs: list[Blob]) -> str:
    return "".join(blob.name for blob in blobs)


def test_before_the_first_check_every_file_is_due() -> None:
    assert names(LastCheck().due(STORED, 2)[0]) == "abcde"


def test_unchanged_files_are_due_in_turn_and_the_first_follows_the_last() -> None:
    check, turns = LastCheck(until=NOON + timedelta(seconds=1)), []
    for _ in range(4):
        due, check = check.due(STORED, 2)
        turns.append(names(due))
    assert turns == ["ab", "cd", "ea", "bc"]


def test_a_changed_file_is_due_beside_those_whose_turn_it_is() -> None:
    changed = Blob("d", 1, "another etag", NOON + timedelta(minutes=1))
    due, _ = LastCheck(until=NOON + timedelta(seconds=1)).due([*STORED[:3], changed], 1)
    assert names(due) == "da"


def test_a_check_advances_to_the_last_change_that_was_checked_but_not_past_a_changed_file_that_was_not() -> None:
    minutes = [Blob("a", 1, "etag", NOON + timedelta(minutes=minute)) for minute in range(5)]
    check = LastCheck(until=NOON + timedelta(minutes=1))
    assert check.advanced(minutes[1:4]).until == minutes[3].modified
    partial = check.advanced(minutes[1:4], unchecked=[minutes[0], minutes[2]])
    assert minutes[1].modified < partial.until < minutes[2].modified
    assert partial.advanced([minutes[3]], unchecked=[minutes[2]]) == partial
    assert partial.advanced(minutes[2:4]).until == minutes[3].modified
    assert check.advanced([minutes[0]]) == check.advanced([]) == check


def test_a_check_is_read_as_it_was_written_and_a_damaged_one_is_a_check_of_nothing(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path, lambda: bytes(32))
    write_last_check(blobs, "artworks", LastCheck(NOON, "a"))
    assert read_last_check(blobs, "artworks") == LastCheck(NOON, "a")
    assert read_last_check(blobs, "others") == LastCheck()

    blobs.write("cepstra", "checked/artworks.json", b"no JSON")
    assert read_last_check(blobs, "artworks") == LastCheck()
