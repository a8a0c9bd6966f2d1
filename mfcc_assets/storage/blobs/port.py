"""The port `BlobStore`, which every store of blobs implements, and the record `Blob`."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from mfcc_assets.errors import BlobNotFound

CEPSTRA = "cepstra"
"""Container of everything that is computed: features, indexes, candidates and rankings."""

SOUNDTRACKS = "soundtracks"
"""Container of the music. Its owner may link folders into it."""

ARTWORKS = "artworks"
"""Container of the pictures of the soundtracks."""

UPLOADS, BATCH = "uploads", "batch"
"""Containers of the files that listeners sent, and of the copies that runs work on."""

OF_LISTENERS = (UPLOADS, BATCH)
CONTAINERS = (*OF_LISTENERS, CEPSTRA, SOUNDTRACKS, ARTWORKS)

BROKEN_LINKS = "broken links"
TAKEN_ALREADY = "links that lead back, or to what is taken already"
LINKED_FOLDERS = "linked folders"
NO_FILES = "neither files nor folders"
OF_THE_LIBRARY = "folders of the library itself"
SHADOWED = "files in a folder that has the name of a folder in place"
AWAY = "folders in place that are away or cannot be read"
"""What is there, or was there, and cannot be listed now. It is not deleted."""
REFUSED_NAMES = "names that no blob can have"

OnSkipped = Callable[[str, str], None]
"""Is told the name and the kind of each entry of a container that is no blob, such as ``broken links``."""

LONGEST_LINK_SECONDS = 3600
"""Longest lifetime of a link: one that is passed on or logged is useless within the hour."""


_logger = logging.getLogger(__name__)
_said: set[str] = set()


@dataclass(frozen=True)
class Blob:
    """Properties of one blob. Blobs sort by `modified`, then by `name`: the order in which a cursor moves.

    Attributes
    ----------
    name
        Name of the blob: segments joined by ``/``, as `check_name` accepts them.
    size
        Size in bytes.
    etag
        Tag that changes whenever the content may have changed. Compare it, and do not interpret it.
    modified
        Time in UTC at which the store last saw the blob change.
    whole
        Whether the blob is known to be complete, so that nobody is still writing it.
    """

    name: str
    size: int
    etag: str
    modified: datetime
    whole: bool = False

    def __lt__(self, other: "Blob") -> bool:
        return (self.modified, self.name) < (other.modified, other.name)


class BlobStore(ABC):
    """Five `CONTAINERS` of blobs. A blob is replaced as a whole: a reader sees the old one or the new one.

    Every method raises `BlobNameError` for a name that `check_name` refuses, ValueError for a container that is not
    one of `CONTAINERS`, and `StoreError` if the storage itself fails.
    """

    @abstractmethod
    def list(self, container: str, prefix: str = "", on_skipped: OnSkipped | None = None) -> Iterator[Blob]:
        """Yield the blobs whose names begin with `prefix`, in the order of the store.

        Parameters
        ----------
        container, prefix
            Container, and the beginning of the names.
        on_skipped
            Is told the name and the kind of each entry that is no blob. By default, a warning is logged once for each.

        Raises
        ------
        StoreError
            If the container cannot be listed: a failed listing never looks like an empty one.
        """

    @abstractmethod
    def folders(self, container: str, folder: str) -> set[str]:
        """Return the names of the folders directly in a folder. The blobs in them are not listed.

        A store on a disk also returns folders from which every blob was deleted.

        Raises
        ------
        ValueError
            For the container of the music, which holds folders that lie elsewhere.
        """

    @abstractmethod
    def stat(self, container: str, name: str) -> Blob:
        """Return the properties of a blob. Raises `BlobNotFound` if there is no such blob."""

    def exists(self, container: str, name: str) -> bool:
        """Return whether there is such a blob."""
        try:
            self.stat(container, name)
        except BlobNotFound:
            return False
        return True

    @abstractmethod
    def read(self, container: str, name: str) -> bytes:
        """Return the content of a blob. Raises `BlobNotFound` if there is no such blob."""

    @abstractmethod
    def open(self, container: str, name: str) -> AbstractContextManager[BinaryIO]:
        """Open a blob for reading and seeking. Little more is fetched than the ranges that are read.

        All reads return bytes of one version of the blob.

        Raises
        ------
        BlobNotFound
            If there is no such blob.
        Conflict
            From a read, if the blob was replaced since it was opened and the store no longer has the opened version.
        """

    @abstractmethod
    def writing(self, container: str, name: str) -> AbstractContextManager[BinaryIO]:
        """Open a file for writing that becomes the blob at the end of the ``with``, unless the body raises.

        Raises
        ------
        Conflict
            At the end, if other writers keep changing the blob.
        """

    @abstractmethod
    def create(self, container: str, name: str, data: bytes | BinaryIO) -> Blob:
        """Write a blob that must not exist yet. Raises `Conflict` if it does."""

    @abstractmethod
    def write(self, container: str, name: str, data: bytes | BinaryIO, *, if_match: str | None = None) -> Blob:
        """Write a blob, replacing the one that is there.

        Parameters
        ----------
        container, name
            Container and name of the blob.
        data
            Content as bytes, or a file open for reading, which is read to its end.
        if_match
            ETag that the blob must still have.

        Raises
        ------
        Conflict
            If `if_match` is given and the blob has another ETag or is gone. Without `if_match`, if other writers keep
            changing the blob.
        """

    def upload_file(self, container: str, name: str, path: Path) -> Blob:
        """Write the content of a local file, of any size."""
        with path.open("rb") as file:
            return self.write(container, name, file)

    def copy(self, source_container: str, source_name: str, container: str, name: str) -> Blob:
        """Write the content of another blob. Raises `BlobNotFound` if there is no such source."""
        with self.as_file(source_container, source_name) as path:
            return self.upload_file(container, name, path)

    @abstractmethod
    def delete(self, container: str, name: str) -> None:
        """Delete a blob, if there is one."""

    @abstractmethod
    def as_file(self, container: str, name: str) -> AbstractContextManager[Path]:
        """Return the path of a local file with the content of a blob, to be read only inside the ``with``.

        Raises
        ------
        BlobNotFound
            If there is no such blob.
        """

    def path(self, container: str, name: str) -> Path | None:  # noqa: ARG002  a store elsewhere has no paths
        """Return the path of the blob if the store keeps it as a local file, else None: use `link` then."""
        return None

    @abstractmethod
    def link(self, container: str, name: str, *, seconds: int) -> str:
        """Return an address with which anybody can read this one blob for some time. The blob need not exist yet.

        Raises
        ------
        ValueError
            If `seconds` is not from 1 to `LONGEST_LINK_SECONDS`.
        """

    def close(self) -> None:  # noqa: B027  not every store has connections
        """Close the connections. The store must not be used afterwards."""


def warn_once(container: str) -> OnSkipped:
    """Return a function that logs each skipped entry of a container once in the life of the process.

    Sensors list a container every few seconds.
    """

    def warn(name: str, kind: str) -> None:
        message = f"Skipping an entry of {container} ({kind}): {name}"
        if message not in _said:
            _said.add(message)
            _logger.warning("%s", message)

    return warn


def check_container(container: str) -> None:
    """Raise ValueError if this is not one of `CONTAINERS`."""
    if container not in CONTAINERS:
        raise ValueError(f"{container!r} is not one of the containers {', '.join(CONTAINERS)}")


def check_own_folders(container: str) -> None:
    """Raise ValueError if the folders of a container may lie elsewhere."""
    check_container(container)
    if container == SOUNDTRACKS:
        raise ValueError(f"folders of {container} may lie elsewhere")


def check_link_seconds(seconds: int) -> None:
    """Raise ValueError if a link cannot live that long."""
    if not 1 <= seconds <= LONGEST_LINK_SECONDS:
        raise ValueError(f"a link lives from 1 to {LONGEST_LINK_SECONDS} seconds, not {seconds}")
