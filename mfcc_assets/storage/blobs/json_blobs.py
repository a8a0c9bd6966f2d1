"""Reads and writes small records as JSON objects, one per blob.

Each blob holds a CRC-32 of its record under the key ``crc32``. A blob of an older version has none, and is read as it
is.
"""

import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mfcc_assets.errors import BlobNotFound, CorruptIndex
from mfcc_assets.storage.blobs.port import BlobStore

_Record = TypeVar("_Record")

_CHECKSUM = "crc32"


def write_json(blobs: BlobStore, container: str, name: str, record: Mapping[str, Any]) -> None:
    """Write a record, replacing the one that is there."""
    blobs.write(container, name, _json(record))


def write_short_json(blobs: BlobStore, container: str, name: str, record: Mapping[str, Any]) -> None:
    """Write a record as `write_json` does, in one line. This is for records of which a run writes very many."""
    blobs.write(container, name, json.dumps({**record, _CHECKSUM: _checksum(record)}, separators=(",", ":")).encode())


def replace_json(blobs: BlobStore, container: str, name: str, record: Mapping[str, Any], *, seen: str | None) -> None:
    """Replace a record that was read before, unless somebody else wrote it since.

    Parameters
    ----------
    seen
        Result of `etag_of` from before the record was read. None if there was no record.

    Raises
    ------
    Conflict
        If another record was written since.
    """
    if seen is None:
        blobs.create(container, name, _json(record))
    else:
        blobs.write(container, name, _json(record), if_match=seen)


def etag_of(blobs: BlobStore, container: str, name: str) -> str | None:
    """Return the ETag of a blob, for `replace_json`; None if there is no such blob."""
    try:
        return blobs.stat(container, name).etag
    except BlobNotFound:
        return None


def read_json(
    blobs: BlobStore, container: str, name: str, parse: Callable[[Any], _Record], *, damaged: str, remedy: str
) -> _Record | None:
    """Read and parse a record; return None if there is no such blob.

    Parameters
    ----------
    parse
        Function that turns the JSON into the result. It raises KeyError, TypeError or ValueError for other JSON.
    damaged, remedy
        Message and remedy of the error for a damaged record.

    Raises
    ------
    CorruptIndex
        If the blob is not JSON or not what was written, or `parse` raises one of those errors.
    """
    try:
        return parse(_checked(json.loads(blobs.read(container, name))))
    except BlobNotFound:
        return None
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptIndex(damaged, subject=f"{container}/{name}", remedy=remedy) from error


def _json(record: Mapping[str, Any]) -> bytes:
    return json.dumps({**record, _CHECKSUM: _checksum(record)}, indent=1).encode()


def _checked(record: Any) -> Any:
    if not isinstance(record, dict) or _CHECKSUM not in record:
        return record
    written = record.pop(_CHECKSUM)
    if written != _checksum(record):
        raise ValueError("the record is not what was written")
    return record


def _checksum(record: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(record, sort_keys=True).encode())
