"""Blobs in local folders: an adapter of `BlobStore`."""

import fcntl
import hashlib
import hmac
import logging
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlencode

from mfcc_assets.errors import BlobNameError, BlobNotFound, Conflict, LinkRefused, StoreError
from mfcc_assets.storage.blobs.local_entries import blob_of_file, children_of, not_found
from mfcc_assets.storage.blobs.names import RESERVED_SEGMENT, check_name, file_of_name
from mfcc_assets.storage.blobs.plain_path import plain_path
from mfcc_assets.storage.blobs.port import (
    CONTAINERS,
    SOUNDTRACKS,
    TAKEN_ALREADY,
    Blob,
    BlobStore,
    OnSkipped,
    check_container,
    check_link_seconds,
    check_own_folders,
    warn_once,
)
from mfcc_assets.storage.disk_space import full_disk, means_full

_SHORTEST_KEY = 32
_BLOCK = 1 << 20
_ABANDONED_SECONDS = 3600.0
_logger = logging.getLogger(__name__)


class LocalBlobs(BlobStore):
    """Blobs as files, with one folder per container. Missing folders are made.

    A lock per container serialises the writes of threads and processes that use this class. The owner may also put
    files there with any other tool, under any name. A symbolic link to a file is followed. A symbolic link to a folder
    is followed only in the container `soundtracks`, only to read, and only once: a folder that is listed already is not
    listed again. The ETag of a soundtrack rests on its size, its modification time, and on whether it may be read; the
    ETag of any other blob also rests on its change time (ctime), which a copy does not keep.

    Parameters
    ----------
    root
        Folder that holds the containers.
    signing_key
        Function that returns the key that signs links, of at least 32 bytes. It is called when a link is made or
        checked, because another user may read the blobs and not the key. See
        `mfcc_assets.storage.secrets.signing_key`.
    """

    def __init__(self, root: Path, signing_key: Callable[[], bytes]) -> None:
        self._signing_key = signing_key
        self._tops: dict[str, Path] = {}
        for container in CONTAINERS:
            folder = root / container
            try:
                folder.mkdir(parents=True, exist_ok=True)
                self._tops[container] = folder.resolve(strict=True)
            except OSError as error:
                raise StoreError(
                    f"the folder cannot be made ({error.strerror})",
                    subject=str(folder),
                    remedy="Check its permissions, and that its disk is mounted",
                ) from error
            _remove_abandoned(self._tops[container])

    def list(self, container: str, prefix: str = "", on_skipped: OnSkipped | None = None) -> Iterator[Blob]:
        top = self._top(container)
        parent, slash, _ = prefix.rpartition("/")
        if slash:
            check_name(parent)
            if container != SOUNDTRACKS:
                _refuse_linked_folder(top / file_of_name(parent))
        return _walk(
            top,
            f"{parent}{slash}",
            prefix,
            on_skipped or warn_once(container),
            listed=self._listed_folders() if container == SOUNDTRACKS else None,
        )

    def folders(self, container: str, folder: str) -> set[str]:
        check_own_folders(container)
        check_name(folder)
        top = self._top(container)
        _refuse_linked_folder(top / file_of_name(folder))
        with _storage_errors(f"{container}/{folder}", top):
            try:
                children = list(children_of(top, f"{folder}/", warn_once(container), listed=None))
            except (FileNotFoundError, NotADirectoryError):
                return set()
        return {child.split("/")[-2] for child in children if child.endswith("/")}

    def stat(self, container: str, name: str) -> Blob:
        self._path(container, name)
        with _storage_errors(f"{container}/{name}", self._top(container)):
            return self._blob(container, name)

    def read(self, container: str, name: str) -> bytes:
        with self.open(container, name) as file:
            content = file.read()
            size = os.fstat(file.fileno()).st_size
        if len(content) != size:
            raise StoreError(
                f"{len(content)} of {size} bytes were read",
                subject=f"{container}/{name}",
                remedy="Leave the file alone while it is read, or check the disk",
            )
        return content

    @contextmanager
    def open(self, container: str, name: str) -> Iterator[BinaryIO]:
        path = self._path(container, name)
        with _storage_errors(f"{container}/{name}", self._top(container)):
            self._blob(container, name)  # opening a FIFO would wait for a writer
            try:
                # No buffer: readers want a few ranges or the whole file, and a buffer would copy the bytes once more.
                file = path.open("rb", buffering=0)
            except FileNotFoundError:
                raise not_found(self._top(container), name) from None
        with file:
            try:
                yield file
            except OSError as error:
                # An error without a number comes from a library that does not accept the content, not from the disk.
                if error.errno is None:
                    raise
                with _storage_errors(f"{container}/{name}", self._top(container)):
                    raise

    @contextmanager
    def writing(self, container: str, name: str) -> Iterator[BinaryIO]:
        self._path_to_write(container, name)
        with _storage_errors(f"{container}/{name}", self._top(container)), self._staged(container) as staged:
            yield staged
            self._publish(container, name, staged, lambda _: None)

    def create(self, container: str, name: str, data: bytes | BinaryIO) -> Blob:
        def require(found: Blob | None) -> None:
            if found is not None:
                raise Conflict("the blob exists already", subject=f"{container}/{name}", remedy="Choose another name")

        return self._replace(container, name, data, require)

    def write(self, container: str, name: str, data: bytes | BinaryIO, *, if_match: str | None = None) -> Blob:
        def require(found: Blob | None) -> None:
            if if_match is not None and (found is None or found.etag != if_match):
                raise Conflict(
                    "the blob changed since it was read", subject=f"{container}/{name}", remedy="Read it again"
                )

        return self._replace(container, name, data, require)

    def delete(self, container: str, name: str) -> None:
        path = self._path_to_write(container, name)
        with _storage_errors(f"{container}/{name}", self._top(container)), self._locked(container):
            try:
                path.unlink()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                return
            # Every deleted upload would leave an empty folder behind.
            for folder in path.relative_to(self._top(container)).parents[:-1]:
                try:
                    (self._top(container) / folder).rmdir()
                except OSError:
                    return

    @contextmanager
    def as_file(self, container: str, name: str) -> Iterator[Path]:
        self.stat(container, name)
        with plain_path(self._path(container, name)) as path:
            yield path

    def path(self, container: str, name: str) -> Path:
        return self._path(container, name)

    def link(self, container: str, name: str, *, seconds: int) -> str:
        """Return a path with a signed query: ``/blobs/<container>/<name>?expires=…&signature=…``. See `open_link`."""
        self._path(container, name)
        check_link_seconds(seconds)
        expires = str(int(time.time()) + seconds)
        query = urlencode({"expires": expires, "signature": self._signature(container, name, expires)})
        return f"/blobs/{container}/{quote(name)}?{query}"

    def open_link(
        self, container: str, name: str, *, expires: str, signature: str, now: datetime | None = None
    ) -> Blob:
        """Check a link that `link` made, and return its blob.

        Parameters
        ----------
        container, name
            Container and name from the path of the link, unquoted.
        expires, signature
            Values from the query of the link, unchanged.
        now
            Time at which the link must still be valid. By default the present.

        Raises
        ------
        LinkRefused
            If the link has expired, was altered, or was signed for another blob.
        BlobNotFound
            If the blob is gone.
        """
        subject = f"Link to {container}/{name}"
        expected = self._signature(container, name, expires)
        if not hmac.compare_digest(expected.encode(), signature.encode(errors="surrogatepass")):
            raise LinkRefused("the signature is not ours", subject=subject, remedy="Reload the page that gave the link")
        # The signature is valid, so `link` wrote this number.
        if (now or datetime.now(UTC)).timestamp() >= int(expires):
            raise LinkRefused("it has expired", subject=subject, remedy="Reload the page that gave the link")
        return self.stat(container, name)

    def _signature(self, container: str, name: str, expires: str) -> str:
        # No name contains a line feed, so two different links never sign the same message.
        message = f"{container}\n{name}\n{expires}".encode(errors="surrogatepass")
        key = self._signing_key()
        if len(key) < _SHORTEST_KEY:
            raise ValueError(f"a signing key has at least {_SHORTEST_KEY} bytes")
        return hmac.new(key, message, hashlib.sha256).hexdigest()

    def _listed_folders(self) -> Sequence[Path]:
        """Return the folders whose files are listed in `soundtracks`, without links in their paths."""
        return [self._tops[SOUNDTRACKS]]

    def _top(self, container: str) -> Path:
        check_container(container)
        return self._tops[container]

    def _blob(self, container: str, name: str) -> Blob:
        return blob_of_file(self._top(container), name, keeps_etag=container == SOUNDTRACKS)

    def _path(self, container: str, name: str) -> Path:
        check_name(name)
        path = self._top(container) / file_of_name(name)
        if container != SOUNDTRACKS:
            _refuse_linked_folder(path.parent)
        return path

    def _path_to_write(self, container: str, name: str) -> Path:
        path = self._path(container, name)
        _refuse_linked_folder(path.parent)
        return path

    def _replace(
        self, container: str, name: str, data: bytes | BinaryIO, require: Callable[[Blob | None], None]
    ) -> Blob:
        self._path_to_write(container, name)
        with _storage_errors(f"{container}/{name}", self._top(container)), self._staged(container) as staged:
            shutil.copyfileobj(BytesIO(data) if isinstance(data, bytes) else data, staged, _BLOCK)
            return self._publish(container, name, staged, require)

    @contextmanager
    def _staged(self, container: str) -> Iterator[BinaryIO]:
        # The file is staged inside the container, as each container may be on a file system of its own. Its name is
        # short, as the name of the blob may be as long as the name of a file can be.
        area = self._top(container) / RESERVED_SEGMENT
        area.mkdir(exist_ok=True)
        path = area / f"{secrets.token_hex(8)}.part"
        try:
            with path.open("xb", buffering=_BLOCK) as file:
                yield file
        finally:
            path.unlink(missing_ok=True)

    def _publish(self, container: str, name: str, staged: BinaryIO, require: Callable[[Blob | None], None]) -> Blob:
        staged.flush()
        # Without this a power cut can leave a name without content. The folder is not synced: that would double the
        # cost to save only the last few names, and missing blobs are computed again.
        os.fsync(staged.fileno())
        path = self._path_to_write(container, name)
        with self._locked(container):
            try:
                found = self._blob(container, name)
            except BlobNotFound:
                found = None
            require(found)
            path.parent.mkdir(parents=True, exist_ok=True)
            # Linux before 6.13 has time stamps in steps of 4 ms. Two writes of one size within a step would otherwise
            # have the same ETag.
            os.utime(staged.name, ns=(time.time_ns(), time.time_ns()))
            Path(staged.name).replace(path)
            return self._blob(container, name)

    @contextmanager
    def _locked(self, container: str) -> Iterator[None]:
        area = self._top(container) / RESERVED_SEGMENT
        area.mkdir(exist_ok=True)
        with (area / "lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                # Closing alone would keep the lock as long as a process lives that was forked meanwhile.
                fcntl.flock(file, fcntl.LOCK_UN)


def _refuse_linked_folder(folder: Path) -> None:
    # A linked folder could lead anywhere on the machine.
    if os.path.realpath(folder) != str(folder):
        raise BlobNameError(
            "the folder is a symbolic link",
            subject=str(folder),
            remedy="Link the files, or move the folder into the container",
        )


def _walk(
    top: Path, first_folder: str, prefix: str, on_skipped: OnSkipped, *, listed: Sequence[Path] | None
) -> Iterator[Blob]:
    with _storage_errors(str(top), top):
        os.scandir(top).close()
    # Names of folders end in a slash, so that sorting each folder by itself sorts the whole names.
    pending = [first_folder]
    entered: set[tuple[int, int]] = set()
    while pending:
        name = pending.pop()
        try:
            if not name or name.endswith("/"):
                status = (top / file_of_name(name)).stat()
                if (status.st_dev, status.st_ino) in entered:
                    on_skipped(name, TAKEN_ALREADY)
                    continue
                entered.add((status.st_dev, status.st_ino))
                children = children_of(top, name, on_skipped, listed=listed)
                pending.extend(sorted((child for child in children if _may_begin(child, prefix)), reverse=True))
                continue
            blob = blob_of_file(top, name, keeps_etag=listed is not None)
        except (FileNotFoundError, NotADirectoryError, BlobNotFound):
            continue  # it was deleted since its folder was read, or no folder has that prefix
        except OSError as error:
            # If these blobs were skipped, they would look deleted, and their results would be deleted too.
            raise StoreError(
                f"it cannot be listed ({error.strerror or error})",
                subject=f"{top.name}/{name}",
                remedy="Check its permissions and the disk, or move it out of the container",
            ) from error
        yield blob


def _may_begin(child: str, prefix: str) -> bool:
    return child.startswith(prefix) or (child.endswith("/") and prefix.startswith(child))


def _remove_abandoned(top: Path) -> None:
    """Remove the unfinished files that killed writers left behind."""
    oldest = time.time() - _ABANDONED_SECONDS
    for staged in (top / RESERVED_SEGMENT).glob("*.part"):
        try:
            if staged.stat().st_mtime < oldest:
                staged.unlink()
        except OSError as error:
            _logger.info("%s cannot be removed: %s", staged, error.strerror)


@contextmanager
def _storage_errors(subject: str, top: Path) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise BlobNameError(
            "a local name cannot be both a blob and a folder", subject=subject, remedy="Choose another name"
        ) from error
    except OSError as error:
        if means_full(error):
            raise full_disk(top) from error
        raise StoreError(
            f"it cannot be read or written ({error.strerror or error})",
            subject=subject,
            remedy="Check the disk's space and permissions",
        ) from error
