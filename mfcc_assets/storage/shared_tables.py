"""Stores tables with a row for each audio id, which versions of the index share.

version_tables/<digest>.npz             a whole table, with which several versions begin; it never changes
indexes/<version>/attachments/<name>    the digest of that table, and the rows by which the version differs from it

The name of a table of a version ends in `.table`. A version that differs from a former one in a few rows writes these
rows, so one more track costs as much as the rows that it changes, however large the library is.
"""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import BlobNotFound
from mfcc_assets.ids import AudioId
from mfcc_assets.search.id_arrays import IdArray, rows_of_ids
from mfcc_assets.storage.blobs.port import CEPSTRA, BlobStore
from mfcc_assets.storage.index_parts import part_name
from mfcc_assets.storage.packed_arrays import packed, unpacked
from mfcc_assets.storage.short_ids import lengthened, shortened

MOST_CHANGES = 2_000
"""Largest number of rows by which a version differs from the table that it begins with. Beyond it, the version gets a
whole table of its own. A version writes all rows that changed since the whole table, so with a larger number each
version would write more, and with a smaller one whole tables would be written more often."""

_logger = logging.getLogger(__name__)

_WHOLE, _SUFFIX = "version_tables", ".table"

_BEING_WRITTEN = timedelta(hours=1)
"""Time for which no whole table is deleted because no version uses it. The version that will may not be written yet."""


@dataclass(frozen=True, eq=False)
class Table:
    """Values of some audio ids.

    Attributes
    ----------
    audio_ids : (rows,)
        The audio ids, ascending.
    values : (rows, columns)
        Their values.
    """

    audio_ids: IdArray[AudioId]
    values: NDArray[Any]

    def __len__(self) -> int:
        return len(self.audio_ids)


@dataclass(frozen=True, eq=False)
class _Version:
    """The stored table of a version.

    Attributes
    ----------
    whole
        Digest of the whole table that it begins with.
    changed
        Rows that this table does not have, or has with other values.
    gone : (n,)
        Audio ids of this table that the version does not have, ascending.
    """

    whole: str
    changed: Table
    gone: NDArray[np.bytes_]


class SharedTables:
    """Reads and writes tables of versions."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def write(self, version: str, name: str, table: Table, *, former: str | None = None) -> None:
        """Write a table of a version of the index.

        Parameters
        ----------
        version
            Version of the index.
        name
            Name of the table, which ends in ``.table``.
        table
            The table.
        former
            Version whose table differs little, if there is one.
        """
        begun_with = self._intact(former, name) if former is not None else None
        difference = begun_with and _difference(begun_with[0].whole, begun_with[1], table)
        if difference is None:
            content = packed(_arrays(table))
            difference = _Version(_digest(content), _selected(table, np.zeros(len(table), np.bool_)), _no_ids())
            self._blobs.write(CEPSTRA, _whole_name(difference.whole), content)
        arrays = {"whole": np.array(difference.whole.encode()), "gone": shortened(difference.gone)}
        self._blobs.write(CEPSTRA, _name(version, name), packed({**arrays, **_arrays(difference.changed)}))

    def read(self, version: str, name: str) -> Table | None:
        """Return a table of a version; None if there is none, or it is damaged, which the log then tells."""
        found = self._intact(version, name)
        return None if found is None else _changed(found[1], found[0])

    def delete_unused(self) -> None:
        """Delete the whole tables that no version uses. A version whose table is damaged uses none."""
        used = {stored.whole for stored in self._stored()}
        for blob in list(self._blobs.list(CEPSTRA, f"{_WHOLE}/")):
            digest = blob.name.removeprefix(f"{_WHOLE}/").removesuffix(".npz")
            if digest not in used and datetime.now(UTC) - blob.modified > _BEING_WRITTEN:
                self._blobs.delete(CEPSTRA, blob.name)

    def _stored(self) -> Iterator[_Version]:
        for blob in self._blobs.list(CEPSTRA, "indexes/"):
            _, version, *rest = blob.name.split("/")
            if rest[:-1] == ["attachments"] and rest[-1].endswith(_SUFFIX):
                stored = self._of_version(version, rest[-1])
                if stored is not None:
                    yield stored

    def _intact(self, version: str, name: str) -> tuple[_Version, Table] | None:
        """Return what is stored of a version, and the whole table that it begins with."""
        stored = self._of_version(version, name)
        if stored is None:
            return None
        try:
            return stored, self._whole(stored.whole)
        except (BlobNotFound, KeyError, ValueError) as error:
            _logger.warning("%s of index %s is damaged: %s", name, version, error)
            return None

    def _whole(self, digest: str) -> Table:
        content = self._blobs.read(CEPSTRA, _whole_name(digest))
        if _digest(content) != digest:
            raise ValueError("the whole table is not what was written")
        return _table(unpacked(content))

    def _of_version(self, version: str, name: str) -> _Version | None:
        try:
            arrays = unpacked(self._blobs.read(CEPSTRA, _name(version, name)))
            return _Version(bytes(arrays["whole"]).decode(), _table(arrays), lengthened(arrays["gone"]))
        except BlobNotFound:
            return None
        except (KeyError, ValueError) as error:
            _logger.warning("%s of index %s is damaged: %s", name, version, error)
            return None


def _difference(digest: str, whole: Table, table: Table) -> _Version | None:
    """Return how a table differs from a whole one; None if it differs too much."""
    if whole.values.dtype != table.values.dtype or whole.values.shape[1:] != table.values.shape[1:]:
        return None
    rows = rows_of_ids(whole.audio_ids.array, table.audio_ids.array)
    is_changed = rows < 0
    is_changed[~is_changed] = (whole.values[rows[~is_changed]] != table.values[~is_changed]).any(axis=1)
    is_gone = np.ones(len(whole), np.bool_)
    is_gone[rows[rows >= 0]] = False
    if is_changed.sum() + is_gone.sum() > MOST_CHANGES:
        return None
    return _Version(digest, _selected(table, is_changed), whole.audio_ids.array[is_gone])


def _changed(whole: Table, version: _Version) -> Table:
    """Return the table of a version, given the whole one that it begins with."""
    others = [version.gone, version.changed.audio_ids.array]
    is_left = np.ones(len(whole), np.bool_)
    for ids in others:
        rows = rows_of_ids(whole.audio_ids.array, ids)
        is_left[rows[rows >= 0]] = False
    ids = np.concatenate([whole.audio_ids.array[is_left], version.changed.audio_ids.array])
    values = np.concatenate([whole.values[is_left], version.changed.values])
    order = np.argsort(ids, kind="stable")
    return Table(IdArray(ids[order]), values[order])


def _selected(table: Table, wanted: NDArray[np.bool_]) -> Table:
    return Table(IdArray(table.audio_ids.array[wanted]), table.values[wanted])


def _arrays(table: Table) -> dict[str, NDArray[Any]]:
    return {"audio_ids": shortened(table.audio_ids.array), "values": table.values}


def _table(arrays: dict[str, NDArray[Any]]) -> Table:
    table = Table(IdArray(lengthened(arrays["audio_ids"])), arrays["values"])
    if len(table.audio_ids) != len(table.values):
        raise ValueError("the table does not have a row for each audio id")
    return table


def _no_ids() -> NDArray[np.bytes_]:
    return np.empty(0, "S1")


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _whole_name(digest: str) -> str:
    return f"{_WHOLE}/{digest}.npz"


def _name(version: str, name: str) -> str:
    return part_name(version, f"attachments/{name}")
