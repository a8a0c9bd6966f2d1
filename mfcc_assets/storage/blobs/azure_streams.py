"""File objects over blobs on Azure: one fetches the ranges that are read, the other sends blocks as they fill."""

import io
import mimetypes
import secrets
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from azure.storage.blob import BlobBlock, BlobClient, ContentSettings

from mfcc_assets.storage.blobs.azure_policy import azure_errors

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

BLOCK = 2 << 20
"""Bytes per request. With `CONNECTIONS` requests at once, a blob of any size needs 16 MB of memory."""

CONNECTIONS = 3

READ_AHEAD = 64 << 10
"""Smallest fetch in bytes: enough for the footer of a Parquet file or for a whole small blob."""

# Python knows only some of these, depending on what is installed on the machine.
_MEDIA_TYPES = {
    ".aac": "audio/aac",
    ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".mka": "audio/x-matroska",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".webm": "audio/webm",
    ".wma": "audio/x-ms-wma",
}

WRITER = "writer"
"""Key in the metadata of a blob. Its value is the random id of the write that made the blob."""


class RangeReader(io.RawIOBase):
    """A blob open for reading that fetches little more than the ranges that are read.

    Parameters
    ----------
    fetch
        Function that returns the bytes from a start up to a stop.
    size
        Size of the blob in bytes.
    beginning
        The first bytes of the blob, if they are known already.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int, beginning: bytes) -> None:
        self._fetch, self._size, self._position = fetch, size, 0
        self._beginning, self._fetched = (0, beginning), (0, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if position < 0:
            raise ValueError(f"cannot seek to {position}, before the beginning")
        self._position = position
        return position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        target = memoryview(buffer).cast("B")
        start, stop = self._position, min(self._position + len(target), self._size)
        if stop <= start:
            return 0
        for first, known in (self._beginning, self._fetched):
            if first <= start and stop <= first + len(known):
                break
        else:
            # A read near the end fetches the last `READ_AHEAD` bytes, as the next read may go backwards.
            first = max(0, min(start, self._size - READ_AHEAD))
            known = self._fetch(first, min(max(stop, start + READ_AHEAD), self._size))
            self._fetched = first, known
        target[: stop - start] = memoryview(known)[start - first : stop - first]
        self._position = stop
        return stop - start


class BlockSink(io.RawIOBase):
    """A file open for writing that `put` turns into a blob. Small blobs take one request, others are sent in blocks."""

    def __init__(self, client: BlobClient, subject: str) -> None:
        self.writer = secrets.token_hex(16)
        self.size = 0
        self._client, self._subject = client, subject
        self._block = bytearray()
        self._block_ids: list[BlobBlock] = []
        self._sending: set[Future[Any]] = set()
        self._connections: ThreadPoolExecutor | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer") -> int:
        written = memoryview(data).cast("B")
        taken = 0
        while taken < len(written):
            # A full block is sent only when more data follows, so that one block alone needs one request.
            if len(self._block) == BLOCK:
                with azure_errors(self._subject):
                    self._stage()
            portion = written[taken : taken + BLOCK - len(self._block)]
            self._block += portion
            taken += len(portion)
        self.size += taken
        return taken

    def put(self, **condition: Any) -> dict[str, Any]:
        """Create or replace the blob under a condition. May be called again with another condition."""
        kept: dict[str, Any] = {
            "metadata": {WRITER: self.writer},
            # A browser that follows a link needs the content type to play or show the blob.
            "content_settings": ContentSettings(content_type=_media_type(self._client.blob_name)),
        }
        if not self._block_ids:
            return self._client.upload_blob(bytes(self._block), overwrite=True, **kept, **condition)
        if self._block:
            self._stage()
        self._wait_for(0)
        return self._client.commit_block_list(self._block_ids, **kept, **condition)

    def close(self) -> None:
        if self._connections is not None:
            self._connections.shutdown(cancel_futures=True)
        super().close()

    def _stage(self) -> None:
        self._wait_for(CONNECTIONS - 1)
        block, self._block = bytes(self._block), bytearray()
        self._connections = self._connections or ThreadPoolExecutor(CONNECTIONS, "blocks")
        # The id is random, because writers of one blob must not commit each other's blocks.
        block_id = secrets.token_hex(16)
        self._block_ids.append(BlobBlock(block_id))
        self._sending.add(self._connections.submit(self._client.stage_block, block_id, block, len(block)))

    def _wait_for(self, left: int) -> None:
        while len(self._sending) > left:
            done, self._sending = wait(self._sending, return_when=FIRST_COMPLETED)
            for sent in done:
                sent.result()


def _media_type(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    return _MEDIA_TYPES.get(suffix) or mimetypes.guess_type(f"file{suffix}")[0] or "application/octet-stream"
