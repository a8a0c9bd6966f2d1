"""Keeps a record of each damage that was found and repaired, as a small JSON file in the container `cepstra`.

repairs/<time>-<digest>.json        the time of the repair, and a sentence about the damage
"""

import hashlib
from datetime import UTC, datetime
from typing import Any

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.storage.blobs.json_blobs import read_json, write_json
from mfcc_assets.storage.blobs.port import CEPSTRA, BlobStore

_FOLDER = "repairs/"
_TIME = "%Y%m%dT%H%M%S.%fZ"


class RepairLog:
    """What was damaged and repaired in a library, for its owner.

    Parameters
    ----------
    blobs
        Store of the blobs.
    """

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def record(self, damage: str) -> None:
        """Store a sentence about damage that is repaired now."""
        digest = hashlib.sha256(damage.encode()).hexdigest()[:16]
        write_json(self._blobs, CEPSTRA, f"{_FOLDER}{_name_of(datetime.now(UTC))}-{digest}.json", {"damage": damage})

    def since(self, moment: datetime) -> list[str]:
        """Return the sentences that were stored at this time or later, oldest first and each once.

        Parameters
        ----------
        moment
            Time with a time zone, of the clock of the machines that repair.
        """
        first = f"{_FOLDER}{_name_of(moment)}"
        names = sorted(blob.name for blob in self._blobs.list(CEPSTRA, _FOLDER) if blob.name >= first)
        return list(dict.fromkeys(self._read(name) for name in names))

    def _read(self, name: str) -> str:
        try:
            damage = read_json(self._blobs, CEPSTRA, name, _parsed, damaged="it is not what was written", remedy="")
        except CorruptIndex:
            damage = None
        return damage or f"{CEPSTRA}/{name}: what was repaired is not known, because this record is damaged."


def _parsed(record: dict[str, Any]) -> str:
    return str(record["damage"])


def _name_of(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_TIME)
