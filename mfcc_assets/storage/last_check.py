"""How far stored files were checked for damage, as a small JSON file in the container `cepstra`.

checked/<what was checked>.json        a time, and the name of a file

A run checks all files that were written or changed since the last run, and some of the others in turn. A disk that
fails may leave the time of a file as it was. Reading all files of a large library would take long.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.storage.blobs.json_blobs import read_json, write_json
from mfcc_assets.storage.blobs.port import CEPSTRA, Blob, BlobStore

CHECKED_IN_TURN = 2_000
"""Number of unchanged files that each run checks. Reading them takes about two seconds on a local disk."""


@dataclass(frozen=True)
class LastCheck:
    """How far files were checked.

    Attributes
    ----------
    until
        Time up to which every change of a file was checked.
    name
        Name of the file that was checked last of those that had not changed.
    """

    until: datetime = datetime(1, 1, 1, tzinfo=UTC)
    name: str = ""

    def due(self, stored: Iterable[Blob], in_turn: int) -> "tuple[list[Blob], LastCheck]":
        """Choose the files to check now.

        Parameters
        ----------
        stored
            All files.
        in_turn
            Largest number of unchanged files to check.

        Returns
        -------
        list of Blob
            The files that changed since this check, and then the next unchanged ones.
        LastCheck
            This check with the name of the last of these unchanged ones.
        """
        by_name = sorted(stored, key=lambda blob: blob.name)
        changed = [blob for blob in by_name if blob.modified >= self.until]
        unchanged = [blob for blob in by_name if blob.modified < self.until]
        first = bisect_right(unchanged, self.name, key=lambda blob: blob.name)
        following = [*unchanged[first:], *unchanged[:first]][:in_turn]
        return [*changed, *following], replace(self, name=following[-1].name) if following else self

    def advanced(self, checked: Iterable[Blob], unchecked: Iterable[Blob] = ()) -> "LastCheck":
        """Return this check with the last change of the files that were checked as its time.

        Parameters
        ----------
        checked
            Files that were checked.
        unchecked
            Files that could not be checked now. Those of them that changed since this check stay due.
        """
        newest = max((blob.modified for blob in checked), default=self.until)
        waiting = (blob.modified - timedelta.resolution for blob in unchecked if blob.modified > self.until)
        return replace(self, until=max(self.until, min([newest, *waiting])))


def read_last_check(blobs: BlobStore, checked: str) -> LastCheck:
    """Return what `write_last_check` stored, or a check of nothing if nothing is stored or it is damaged."""

    def parse(record: dict[str, str]) -> LastCheck:
        return LastCheck(datetime.fromisoformat(record["until"]), record.get("name", ""))

    try:
        found = read_json(blobs, CEPSTRA, _name(checked), parse, damaged="it is not what was written", remedy="")
    except CorruptIndex:
        found = None  # then all files are checked again
    return found or LastCheck()


def write_last_check(blobs: BlobStore, checked: str, check: LastCheck) -> None:
    """Store how far files were checked.

    Parameters
    ----------
    blobs
        Store of the blobs.
    checked
        What was checked, such as ``artworks``.
    check
        How far it was checked.
    """
    write_json(blobs, CEPSTRA, _name(checked), {"until": check.until.isoformat(), "name": check.name})


def _name(checked: str) -> str:
    return f"checked/{checked}.json"
