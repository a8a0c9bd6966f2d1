"""Copies of remote files on this machine's disk, the ones used last, up to a number of bytes."""

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mfcc_assets.errors import StoreError

_ABANDONED_SECONDS = 3600.0


class FileCache:
    """A folder of copies that any number of threads and processes share.

        copies/<digest of the key><suffix>     a whole copy; its time of modification is when it was last used
        used/<random>/copy<suffix>             a reader's own name for a copy, or a copy that is being fetched

    Readers have hard links of their own, so that nothing is taken away from one while it reads.

    Parameters
    ----------
    folder
        Made if missing.
    most_bytes
        What copies may take. Those that are in use may take more for a while.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._copies, self._used, self._most_bytes = folder / "copies", folder / "used", most_bytes
        with _disk_errors(folder):
            for part in (self._copies, self._used):
                part.mkdir(parents=True, exist_ok=True)
            _remove_abandoned(self._used)

    @contextmanager
    def file(self, key: str, *, suffix: str, size: int, fetch: Callable[[Path], None]) -> Iterator[Path]:
        """A copy to read, inside the ``with``.

        Parameters
        ----------
        key
            Names the content: another content has another key.
        suffix
            Of the file's name: decoders look at it.
        size
            Bytes of the content.
        fetch
            Writes the content to a new file where there is no copy yet.

        Raises
        ------
        StoreError
            The folder cannot be written.
        """
        copy = self._copies / f"{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}{suffix}"
        own = self._used / secrets.token_hex(8)
        path = own / f"copy{suffix}"
        try:
            with _disk_errors(own):
                own.mkdir()
                if not _linked(path, copy, size):
                    fetch(path)
                    self._keep(path, copy, size)
            yield path
        finally:
            shutil.rmtree(own, ignore_errors=True)

    def _keep(self, path: Path, copy: Path, size: int) -> None:
        if size > self._most_bytes:
            return
        with path.open("rb+") as file:
            # A power cut must not leave a whole copy's name with half of its content.
            os.fsync(file.fileno())
        self._make_room(size)
        try:
            copy.hardlink_to(path)
        except FileExistsError:
            return  # another reader was faster

    def _make_room(self, size: int) -> None:
        found = []
        for copy in self._copies.iterdir():
            try:
                status = copy.stat()
            except FileNotFoundError:
                continue  # another process makes room too
            found.append((status.st_mtime_ns, status.st_size, copy))
        left = self._most_bytes - size - sum(taken for _, taken, _ in found)
        for _, taken, copy in sorted(found):
            if left >= 0:
                return
            copy.unlink(missing_ok=True)
            left += taken


def _linked(path: Path, copy: Path, size: int) -> bool:
    try:
        path.hardlink_to(copy)
    except FileNotFoundError:
        return False
    if path.stat().st_size != size:
        path.unlink()
        copy.unlink(missing_ok=True)
        return False
    os.utime(path)
    return True


def _remove_abandoned(used: Path) -> None:
    """Remove what killed processes left behind. A process that starts is the moment: one was killed before it."""
    oldest = time.time() - _ABANDONED_SECONDS
    for own in used.iterdir():
        try:
            # A copy that is still being fetched is as new as its last byte.
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
            f"The copy cannot be kept on this disk ({error.strerror or error})",
            subject=str(subject),
            remedy="Check the disk's space and permissions, or lower MFCC_CACHE_GIGABYTES",
        ) from error
