"""Small records that are kept as JSON, each in a blob of its own."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from mfcc_assets.errors import BlobNotFound, CorruptIndex
from mfcc_assets.storage.blobs.port import BlobStore

_Record = TypeVar("_Record")


def write_json(blobs: BlobStore, container: str, name: str, record: object) -> None:
    blobs.write(container, name, _json(record))


def replace_json(blobs: BlobStore, container: str, name: str, record: object, *, seen: str | None) -> None:
    """Write what was made of the record that was there.

    Parameters
    ----------
    seen
        What `etag_of` said before that record was read: where another one was written since, this one lacks it.

    Raises
    ------
    Conflict
        Another one was written since.
    """
    if seen is None:
        blobs.create(container, name, _json(record))
    else:
        blobs.write(container, name, _json(record), if_match=seen)


def etag_of(blobs: BlobStore, container: str, name: str) -> str | None:
    """For `replace_json`; None where there is no such blob."""
    try:
        return blobs.stat(container, name).etag
    except BlobNotFound:
        return None


def read_json(
    blobs: BlobStore, container: str, name: str, parse: Callable[[Any], _Record], *, damaged: str, remedy: str
) -> _Record | None:
    """What a blob holds, parsed; None where there is no such blob.

    Parameters
    ----------
    parse
        Makes of the JSON what is wanted; raises KeyError, TypeError or ValueError of JSON that is something else.
    damaged, remedy
        What to say where the blob holds something else.

    Raises
    ------
    CorruptIndex
        It holds something else.
    """
    try:
        return parse(json.loads(blobs.read(container, name)))
    except BlobNotFound:
        return None
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptIndex(damaged, subject=f"{container}/{name}", remedy=remedy) from error


def _json(record: object) -> bytes:
    return json.dumps(record, indent=1).encode()
