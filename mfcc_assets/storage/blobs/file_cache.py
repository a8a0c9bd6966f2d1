"""A cache of remote files on the local disk that keeps the most recently used copies within a size limit."""

import fcntl
import hashlib
import os
import secrets
import shutil
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from mfcc_assets.errors import StoreError

_ABANDONED_SECONDS = 3600.0
_BLOCK = 1 << 20


class FileCache:
    """A folder of copies that any number of threads and processes share.

        copies/<2 digits>/<digest of the key>-<CRC-32><suffix>
                                       a complete copy; its modification time is the time of its last use
        used/<random>/copy<suffix>     a reader's hard link to a copy, or a copy that is being fetched
        locks/<3 digits>               an empty file, which is locked while such a copy is fetched

    Many readers that want a copy at once wait for the first of them to fetch it.

    Each reader has a hard link of its own, so that a copy stays while it is read even if the cache drops it. A copy
    that is not what was fetched, because this disk damaged it, is fetched again.

    Parameters
    ----------
    folder
        Folder of the cache. It is made if it is missing.
    most_bytes
        Largest size of all copies together. Copies in use may exceed it for a while.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._copies, self._used, self._locks = (folder / part for part in ("copies", "used", "locks"))
        self._most_bytes = most_bytes
        with _disk_errors(folder):
            for part in (self._copies, self._used, self._locks):
                part.mkdir(parents=True, exist_ok=True)
            _remove_abandoned(self._used)

    @contextmanager
    def file(
        self, key: str, *, suffix: str, size: int, fetch: Callable[[Path], None], is_kept: bool = True
    ) -> Iterator[Path]:
        """Return a copy that can be read inside the ``with``.

        Parameters
        ----------
        key
            Key that identifies the content: different content has a different key.
        suffix
            Suffix of the copy's name. Decoders need it.
        size
            Size of the content in bytes.
        fetch
            Function that writes the content to a new file. It is called if there is no copy yet.
        is_kept
            Whether the copy stays for other readers.

        Raises
        ------
        StoreError
            If the folder cannot be written, or another number of bytes was fetched.
        """
        digest = hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
        own = self._used / secrets.token_hex(8)
        path = own / f"copy{suffix}"
        try:
            with _disk_errors(own):
                own.mkdir()
                if not self._found(path, digest, size):
                    is_kept &= size <= self._most_bytes
                    # Who fetches a copy that nobody keeps has nothing that others could wait for.
                    with self._lock(digest) if is_kept else nullcontext():
                        if not (is_kept and self._found(path, digest, size)):
                            fetch(path)
                            _check_size(path, size)
                            if is_kept:
                                self._keep(path, digest, size)
            yield path
        finally:
            shutil.rmtree(own, ignore_errors=True)

    def _found(self, path: Path, digest: str, size: int) -> bool:
        return any(_linked(path, copy, size) for copy in (self._copies / digest[:2]).glob(f"{digest}-*"))

    @contextmanager
    def _lock(self, digest: str) -> Iterator[None]:
        with (self._locks / digest[:3]).open("wb") as file:
            # Closing the file unlocks it, and so does the end of a process that is killed.
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _keep(self, path: Path, digest: str, size: int) -> None:
        with path.open("rb+") as file:
            # A power cut must not leave half of the content under the name of a complete copy.
            os.fsync(file.fileno())
        self._make_room(size)
        folder = self._copies / digest[:2]
        folder.mkdir(exist_ok=True)
        try:
            (folder / f"{digest}-{_checksum(path)}{path.suffix}").hardlink_to(path)
        except FileExistsError:
            return  # another reader made the copy first

    def _make_room(self, size: int) -> None:
        found = []
        for copy in self._copies.rglob("*"):
            if copy.is_dir():
                continue
            try:
                status = copy.stat()
            except FileNotFoundError:
                continue  # another process removed it
            found.append((status.st_mtime_ns, status.st_size, copy))
        left = self._most_bytes - size - sum(taken for _, taken, _ in found)
        for _, taken, copy in sorted(found):
            if left >= 0:
                return
            copy.unlink(missing_ok=True)
            left += taken


def _check_size(path: Path, size: int) -> None:
    fetched = path.stat().st_size
    if fetched != size:
        raise StoreError(f"{fetched} of {size} bytes were fetched", subject=path.name, remedy="Try again")


def _checksum(path: Path) -> str:
    checksum = 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            checksum = zlib.crc32(block, checksum)
    return f"{checksum:08x}"


def _linked(path: Path, copy: Path, size: int) -> bool:
    try:
        path.hardlink_to(copy)
    except FileNotFoundError:
        return False
    if path.stat().st_size != size or not copy.stem.endswith(f"-{_checksum(path)}"):
        path.unlink()
        copy.unlink(missing_ok=True)
        return False
    os.utime(path)
    return True


def _remove_abandoned(used: Path) -> None:
    """Remove the copies that killed processes left behind."""
    oldest = time.time() - _ABANDONED_SECONDS
    for own in used.iterdir():
        try:
            # A copy that is still being fetched has a recent modification time.
            newest = max(path.stat().st_mtime for path in (own, *own.iterdir()))
        except FileNotFoundError:
            continue
        if newest < oldest:
            shutil.rmtree(own, ignore_errors=True)


@contextmanager
def _disk_errors(subject: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"the copy cannot be written to this disk ({error.strerror or error})",
            subject=str(subject),
            remedy="Check the disk's space and permissions, or lower MFCC_CACHE_GIGABYTES",
        ) from error
