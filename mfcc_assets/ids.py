"""Ids of tracks, audio and uploads, digests of files, and the shards of a library."""

import hashlib
import hmac
from collections.abc import Container
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import BinaryIO, NewType, TypeAlias

AudioId = NewType("AudioId", str)
"""Digest of decoded samples, 32 hex digits: two files with the same samples have the same audio id."""

TrackId = NewType("TrackId", str)
"""Id of a soundtrack, 16 hex digits, which stays the same when its tags, its audio or its name change."""

UploadId = NewType("UploadId", str)
"""Id of an upload, 32 hex digits (128 bits), which nobody can guess."""

QueryId: TypeAlias = TrackId | UploadId
"""Id of a query, which is a soundtrack or an upload."""

SHARD_DIGITS = (1, 2)
"""Allowed numbers of hex digits of a shard: 1 for 16 shards, or 2 for 256, for libraries of over 50,000 tracks."""

NO_CONTENT = ""
"""Stored instead of a content digest if the bytes of a file may not be read."""

UNREAD = "unread"
"""Beginning of what is stored instead of the content digest of a file that nobody has read: see `unread_digest`."""

_READ_BYTES = 1 << 20
_UPLOAD_ID_DIGITS = 32


def track_id(blob_name: str) -> TrackId:
    """Return the id that a new soundtrack of that name gets, unless another one has it: see `free_track_id`.

    The catalogue knows the ids of all others. They stay when the files are renamed.

    Examples
    --------
    >>> track_id("album/song.flac")
    '28ff32e22751aab5'
    """
    return TrackId(hashlib.blake2b(blob_name.encode(), digest_size=8).hexdigest())


def free_track_id(blob_name: str, taken: Container[TrackId]) -> TrackId:
    """Return the id for a new soundtrack of that name.

    Parameters
    ----------
    blob_name
        Name of the soundtrack.
    taken
        Ids of other soundtracks. One of them may have had this name before it was renamed.

    Examples
    --------
    >>> free_track_id("song.flac", set()) == track_id("song.flac")
    True
    >>> free_track_id("song.flac", {track_id("song.flac")})
    '753d07ebe18d912f'
    """
    # No name of a blob has a line feed, so no other name has these ids.
    names = (f"{blob_name}\n{number}" if number else blob_name for number in count())
    return next(track for name in names if (track := track_id(name)) not in taken)


def shard_of(track: TrackId, digits: int) -> str:
    """Return the shard of a track, which is one of `shard_names`: the first digits of its id."""
    return track[:digits]


def shard_names(digits: int) -> list[str]:
    """List all shards of a library in order.

    Raises
    ------
    ValueError
        If `digits` is neither 1 nor 2.

    Examples
    --------
    >>> shard_names(1)[-3:]
    ['d', 'e', 'f']
    """
    if digits not in SHARD_DIGITS:
        raise ValueError(f"a shard is named by 1 or 2 hex digits, not by {digits}")
    return [f"{number:0{digits}x}" for number in range(16**digits)]


def content_digest(file: BinaryIO) -> str:
    """Return the digest of a file's bytes from its current position on, 32 hex digits.

    Examples
    --------
    >>> import io
    >>> content_digest(io.BytesIO(b""))
    'cae66941d9efbd404e4d88758ea67670'
    """
    digest = hashlib.blake2b(digest_size=16)
    while block := file.read(_READ_BYTES):
        digest.update(block)
    return digest.hexdigest()


def digest_of_file(path: Path) -> str:
    """Return the content digest of a whole file. Raises OSError if it cannot be read."""
    with path.open("rb") as file:
        return content_digest(file)


def unread_digest(blob_name: str, etag: str, modified: datetime) -> str:
    """Return what is stored instead of the content digest of a file until its bytes are read, 32 characters.

    No other file has the same, and no other version of this file. So a file whose bytes nobody has read is told from
    all others, and it is seen whether it is still the version that was found.

    Parameters
    ----------
    blob_name
        Name of the file.
    etag, modified
        Version of the file, and the time of its last change, as the store of blobs says.

    Examples
    --------
    >>> unread_digest("song.flac", "1-1-1", datetime(2026, 1, 1))
    'unread19cb043eb074bf974cb2d25d26'
    """
    version = f"{blob_name}\n{etag}\n{modified.isoformat()}".encode()
    return UNREAD + hashlib.blake2b(version, digest_size=13).hexdigest()


def is_unread(digest: str) -> bool:
    """Return True if a text is no content digest, but stands for one of a file that nobody has read.

    Examples
    --------
    >>> is_unread("cae66941d9efbd404e4d88758ea67670")
    False
    """
    return digest.startswith(UNREAD)


def is_upload_id(text: str) -> bool:
    """Return True if a text has the form of an upload id.

    Examples
    --------
    >>> is_upload_id("0f" * 16), is_upload_id("indexes"), is_upload_id("0F" * 16)
    (True, False, False)
    """
    return len(text) == _UPLOAD_ID_DIGITS and set(text) <= set("0123456789abcdef")


def upload_id_in(blob_name: str) -> UploadId | None:
    """Return the upload id that a blob carries in its name, ``<upload id>/<file name>``; None if it carries none.

    Examples
    --------
    >>> upload_id_in("0123456789abcdef0123456789abcdef/song.mp3")
    '0123456789abcdef0123456789abcdef'
    >>> upload_id_in("album/song.mp3") is None
    True
    """
    folder, slash, _ = blob_name.partition("/")
    return UploadId(folder) if slash and is_upload_id(folder) else None


def upload_id(blob_name: str, content: str, key: bytes) -> UploadId:
    """Return the id of an upload whose name carries none.

    The id is made from the name, the content and a secret key, so that every process that sees the blob gets the same
    id. A copied, touched or linked file keeps its id, because neither its times nor its place on the disk matter.

    Parameters
    ----------
    blob_name
        Name of the blob in the container ``uploads``.
    content
        Content digest of the blob.
    key
        Secret key of the library.
    """
    return UploadId(hmac.new(key, f"{blob_name}\n{content}".encode(), "blake2b").hexdigest()[:_UPLOAD_ID_DIGITS])
