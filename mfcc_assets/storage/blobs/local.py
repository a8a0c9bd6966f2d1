"""The adapter of `BlobStore` that keeps blobs in local folders."""

import errno
import fcntl
import hashlib
import hmac
import logging
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlencode

from mfcc_assets.errors import BlobNameError, BlobNotFound, Conflict, LinkRefused, StoreError
from mfcc_assets.storage.blobs.names import RESERVED_SEGMENT, check_name
from mfcc_assets.storage.blobs.port import (
    CONTAINERS,
    Blob,
    BlobStore,
    check_container,
    check_link_seconds,
    check_range,
)

_SHORTEST_KEY = 32
_BLOCK = 1 << 20
_ABANDONED_SECONDS = 3600.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_logger = logging.getLogger(__name__)


class LocalBlobs(BlobStore):
    """Blobs as files: a folder a container, made if missing.

    Writes of several threads and processes through this class are serialised by a lock a container. The owner may put
    files there with any other tool. Files that are symbolic links are followed; folders that are, never.

    Parameters
    ----------
    root
        The folder of the containers.
    signing_key
        Signs links; 32 bytes or more. See `mfcc_assets.storage.secrets.signing_key.signing_key`.
    """

    def __init__(self, root: Path, signing_key: bytes) -> None:
        if len(signing_key) < _SHORTEST_KEY:
            raise ValueError(f"a signing key has at least {_SHORTEST_KEY} bytes")
        self._signing_key = signing_key
        self._tops: dict[str, Path] = {}
        for container in CONTAINERS:
            folder = root / container
            try:
                folder.mkdir(parents=True, exist_ok=True)
                self._tops[container] = folder.resolve(strict=True)
            except OSError as error:
                raise StoreError(
                    f"The folder cannot be made ({error.strerror})",
                    subject=str(folder),
                    remedy="Check its permissions, and that the disk it leads to is mounted",
                ) from error
            _remove_abandoned(self._tops[container])

    def list(self, container: str, prefix: str = "") -> Iterator[Blob]:
        top = self._top(container)
        parent, slash, _ = prefix.rpartition("/")
        if slash:
            check_name(parent)
            _refuse_linked_folder(top / parent)
        return _walk(top, f"{parent}{slash}", prefix)

    def stat(self, container: str, name: str) -> Blob:
        self._path(container, name)
        with _storage_errors(f"{container}/{name}"):
            return _blob(self._top(container), name)

    def read(self, container: str, name: str) -> bytes:
        with self.open(container, name) as file:
            return file.read()

    def read_range(self, container: str, name: str, start: int, stop: int) -> bytes:
        check_range(start, stop)
        with self.open(container, name) as file:
            file.seek(start)
            # Python allocates what is asked for, not what is there.
            return file.read(max(0, min(stop, os.fstat(file.fileno()).st_size) - start))

    @contextmanager
    def open(self, container: str, name: str) -> Iterator[BinaryIO]:
        path = self._path(container, name)
        with _storage_errors(f"{container}/{name}"):
            _blob(self._top(container), name)  # opening a FIFO would wait for a writer
            try:
                # Unbuffered: who reads a few ranges, or all of it, only copies once more through a buffer.
                file = path.open("rb", buffering=0)
            except FileNotFoundError:
                raise _not_found(self._top(container), name) from None
        with file:
            try:
                yield file
            except OSError as error:
                # An error without a number is not the disk's: libraries raise it of what the file holds.
                if error.errno is None:
                    raise
                with _storage_errors(f"{container}/{name}"):
                    raise

    @contextmanager
    def writing(self, container: str, name: str) -> Iterator[BinaryIO]:
        self._path(container, name)
        with _storage_errors(f"{container}/{name}"), self._staged(container) as staged:
            yield staged
            self._publish(container, name, staged, lambda _: None)

    def create(self, container: str, name: str, data: bytes | BinaryIO) -> Blob:
        def require(found: Blob | None) -> None:
            if found is not None:
                raise Conflict("The blob is there already", subject=f"{container}/{name}", remedy="Choose another name")

        return self._replace(container, name, data, require)

    def write(self, container: str, name: str, data: bytes | BinaryIO, *, if_match: str | None = None) -> Blob:
        def require(found: Blob | None) -> None:
            if if_match is not None and (found is None or found.etag != if_match):
                raise Conflict(
                    "The blob changed since it was read", subject=f"{container}/{name}", remedy="Read it again"
                )

        return self._replace(container, name, data, require)

    def delete(self, container: str, name: str) -> None:
        path = self._path(container, name)
        with _storage_errors(f"{container}/{name}"), self._locked(container):
            try:
                path.unlink()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                return
            # A store of blobs has no empty folders; every upload would leave one.
            for folder in path.relative_to(self._top(container)).parents[:-1]:
                try:
                    (self._top(container) / folder).rmdir()
                except OSError:
                    return

    @contextmanager
    def as_file(self, container: str, name: str) -> Iterator[Path]:
        self.stat(container, name)
        yield self._path(container, name)

    def path(self, container: str, name: str) -> Path:
        return self._path(container, name)

    def link(self, container: str, name: str, *, seconds: int) -> str:
        """A path with a signed query: ``/blobs/<container>/<name>?expires=…&signature=…``; see `open_link`."""
        self._path(container, name)
        check_link_seconds(seconds)
        expires = str(int(time.time()) + seconds)
        query = urlencode({"expires": expires, "signature": self._signature(container, name, expires)})
        return f"/blobs/{container}/{quote(name)}?{query}"

    def open_link(
        self, container: str, name: str, *, expires: str, signature: str, now: datetime | None = None
    ) -> Blob:
        """The blob that a link from `link` lets its holder read.

        Parameters
        ----------
        container, name
            From the link's path, unquoted.
        expires, signature
            From the link's query, as they came.
        now
            The time to judge by; the present if None.

        Raises
        ------
        LinkRefused
            If the link is expired, altered or was signed for another blob.
        BlobNotFound
            If the blob is gone.
        """
        subject = f"Link to {container}/{name}"
        expected = self._signature(container, name, expires)
        if not hmac.compare_digest(expected.encode(), signature.encode(errors="surrogatepass")):
            raise LinkRefused("The signature is not ours", subject=subject, remedy="Reload the page that gave the link")
        # The signature holds, so this is the number that `link` wrote.
        if (now or datetime.now(UTC)).timestamp() >= int(expires):
            raise LinkRefused("It has expired", subject=subject, remedy="Reload the page that gave the link")
        return self.stat(container, name)

    def _signature(self, container: str, name: str, expires: str) -> str:
        # No name holds a line feed, so two different links never sign the same message.
        message = f"{container}\n{name}\n{expires}".encode(errors="surrogatepass")
        return hmac.new(self._signing_key, message, hashlib.sha256).hexdigest()

    def _top(self, container: str) -> Path:
        check_container(container)
        return self._tops[container]

    def _path(self, container: str, name: str) -> Path:
        path = self._top(container) / name
        check_name(name)
        _refuse_linked_folder(path.parent)
        return path

    def _replace(
        self, container: str, name: str, data: bytes | BinaryIO, require: Callable[[Blob | None], None]
    ) -> Blob:
        self._path(container, name)
        with _storage_errors(f"{container}/{name}"), self._staged(container) as staged:
            shutil.copyfileobj(BytesIO(data) if isinstance(data, bytes) else data, staged, _BLOCK)
            return self._publish(container, name, staged, require)

    @contextmanager
    def _staged(self, container: str) -> Iterator[BinaryIO]:
        # Inside the container, which may be another file system than its neighbours, and under a short name of its own:
        # the blob's may have as many bytes as a file's name can have.
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
        # Without it a power cut can leave a name with no content. It costs 4 ms on a virtual disk, where a track's
        # features take a second. To sync the folder too would double that, to save at most the last few names; what is
        # missing is computed again.
        os.fsync(staged.fileno())
        path = self._path(container, name)
        with self._locked(container):
            try:
                found = _blob(self._top(container), name)
            except BlobNotFound:
                found = None
            require(found)
            path.parent.mkdir(parents=True, exist_ok=True)
            # Linux before 6.13 stamps files every 4 ms: two writes of one size within that time would share their ETag.
            os.utime(staged.name, ns=(time.time_ns(), time.time_ns()))
            Path(staged.name).replace(path)
            return _blob(self._top(container), name)

    @contextmanager
    def _locked(self, container: str) -> Iterator[None]:
        area = self._top(container) / RESERVED_SEGMENT
        area.mkdir(exist_ok=True)
        with (area / "lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                # Closing alone would leave it locked while a process forked meanwhile lives.
                fcntl.flock(file, fcntl.LOCK_UN)


def _blob(top: Path, name: str) -> Blob:
    path = f"{top}/{name}"  # a `Path` takes as long to make as all the rest: 12 µs of 24 a blob of a listing
    try:
        link_status = os.lstat(path)
        status = os.stat(path) if stat.S_ISLNK(link_status.st_mode) else link_status  # noqa: PTH116
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            raise _not_found(top, name) from None
        raise
    if not stat.S_ISREG(status.st_mode):
        raise _not_found(top, name)
    # A file that is moved or copied in with its old time of modification must still pass a cursor, and one from a
    # clock that runs ahead must not carry the cursor into the future. So `modified` is the time of change, which the
    # kernel sets when a file arrives under its name and nobody can choose; of a link, the later of its and its
    # target's. Moving a whole folder in does not touch the files' own times: only a full sweep finds those.
    changed = max(status.st_ctime_ns, link_status.st_ctime_ns)
    return Blob(
        name=name,
        size=status.st_size,
        etag=f"{status.st_mtime_ns:x}-{changed:x}-{status.st_size:x}",
        modified=_EPOCH + timedelta(microseconds=changed // 1000),
        # Writing sets both times to the same; renaming, as this class and careful tools do at the end, one of them.
        whole=status.st_mtime_ns != status.st_ctime_ns,
    )


def _not_found(top: Path, name: str) -> BlobNotFound:
    return BlobNotFound("There is no such blob", subject=f"{top.name}/{name}", remedy="List the container")


def _refuse_linked_folder(folder: Path) -> None:
    # Through a linked folder a name could lead anywhere on the machine.
    if os.path.realpath(folder) != str(folder):
        raise BlobNameError(
            "A symbolic link stands for a folder",
            subject=str(folder),
            remedy="Link the files, or move the folder into the container",
        )


def _walk(top: Path, first_folder: str, prefix: str) -> Iterator[Blob]:
    with _storage_errors(str(top)):
        os.scandir(top).close()
    # Names of folders end in a slash, so that sorting each folder by itself puts the whole names in order.
    pending = [first_folder]
    while pending:
        name = pending.pop()
        try:
            if not name or name.endswith("/"):
                children = (child for child in _children(top, name) if _may_begin(child, prefix))
                pending.extend(sorted(children, reverse=True))
                continue
            blob = _blob(top, name)
        except (FileNotFoundError, NotADirectoryError, BlobNotFound):
            continue  # deleted since its folder was read, or the prefix leads nowhere
        except OSError as error:
            # Left out, the blobs would look deleted, and with them would go whatever was made of them.
            raise StoreError(
                f"It cannot be listed ({error.strerror or error})",
                subject=f"{top.name}/{name}",
                remedy="Check its permissions and the disk, or move it out of the container",
            ) from error
        yield blob


def _may_begin(child: str, prefix: str) -> bool:
    return child.startswith(prefix) or (child.endswith("/") and prefix.startswith(child))


def _children(top: Path, folder: str) -> Iterator[str]:
    with os.scandir(top / folder) as entries:
        for entry in entries:
            name = f"{folder}{entry.name}"
            if name == RESERVED_SEGMENT:
                continue
            try:
                check_name(name)
                if entry.is_dir(follow_symlinks=False):
                    yield f"{name}/"
                elif entry.is_file():
                    yield name
                else:
                    _logger.warning("%s/%s is left out: it is neither a file nor a folder", top.name, name)
            except BlobNameError as error:
                _logger.warning("%s is left out: %s", top.name, error)
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise
                _logger.warning("%s/%s is left out: %s", top.name, name, error.strerror)


def _remove_abandoned(top: Path) -> None:
    """Remove what killed writers left behind. A process that starts is the moment: one was killed before it."""
    oldest = time.time() - _ABANDONED_SECONDS
    for staged in (top / RESERVED_SEGMENT).glob("*.part"):
        try:
            if staged.stat().st_mtime < oldest:
                staged.unlink()
        except OSError as error:
            _logger.info("%s stays: %s", staged, error.strerror)


@contextmanager
def _storage_errors(subject: str) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise BlobNameError(
            "A local name cannot be a blob and a folder at once", subject=subject, remedy="Choose another name"
        ) from error
    except OSError as error:
        raise StoreError(
            f"It cannot be read or written ({error.strerror or error})",
            subject=subject,
            remedy="Check the disk's space and permissions",
        ) from error
