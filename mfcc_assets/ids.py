"""Track ids, digests, shards, and what is new, changed or gone in a library."""

import hashlib
import hmac
from typing import BinaryIO

SHARD_DIGITS = (1, 2)
"""16 shards, or 256 for libraries over 50,000 tracks."""

NO_CONTENT = ""
"""In the place of the digest of a file whose bytes may not be read."""

_READ_BYTES = 1 << 20
_UPLOAD_ID_DIGITS = 32


def track_id(blob_name: str) -> str:
    """16 hex digits that stand for a soundtrack's name, whatever its tags or audio become."""
    return hashlib.blake2b(blob_name.encode(), digest_size=8).hexdigest()


def shard_of(track: str, digits: int) -> str:
    """The shard of a track id: its first hex digits, one of `shard_names`."""
    return track[:digits]


def shard_names(digits: int) -> list[str]:
    """Every shard of a library, in order.

    Raises
    ------
    ValueError
        `digits` is neither 1 nor 2.
    """
    if digits not in SHARD_DIGITS:
        raise ValueError(f"a library has shards of 1 or 2 hex digits, not of {digits}")
    return [f"{number:0{digits}x}" for number in range(16**digits)]


def content_digest(file: BinaryIO) -> str:
    """32 hex digits of a file's bytes, read from where it stands."""
    digest = hashlib.blake2b(digest_size=16)
    while block := file.read(_READ_BYTES):
        digest.update(block)
    return digest.hexdigest()


def upload_id(blob_name: str, etag: str, key: bytes) -> str:
    """The id of an upload: 128 bits that nobody can guess.

    A blob named ``<upload id>/<file name>`` carries its id. Any other was dropped by some other tool and gets one made
    of its name, its version and a secret: the same for every process that sees the blob, without anything to remember.
    """
    folder, slash, _ = blob_name.partition("/")
    if slash and len(folder) == _UPLOAD_ID_DIGITS and set(folder) <= set("0123456789abcdef"):
        return folder
    return hmac.new(key, f"{blob_name}\n{etag}".encode(), "blake2b").hexdigest()[:_UPLOAD_ID_DIGITS]
