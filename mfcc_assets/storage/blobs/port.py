"""Where bytes live: the port `BlobStore`, and what it says of a `Blob`."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from mfcc_assets.errors import BlobNotFound

CONTAINERS = ("uploads", "batch", "cepstra", "soundtracks", "artworks")

LONGEST_LINK_SECONDS = 3600
"""A link that is passed on, or that a log keeps, is worthless within the hour."""


@dataclass(frozen=True)
class Blob:
    """What a container says of one blob. Blobs sort by `modified`, then by `name`: the order a cursor moves in.

    Attributes
    ----------
    name
        Segments joined by ``/``, as `check_name` allows them.
    size
        Bytes.
    etag
        Changes whenever the content may have changed. Compare it; do not read it.
    modified
        When the store last saw the blob change, in UTC.
    whole
        Whether it is known to have come as a whole: nobody is still writing it.
    """

    name: str
    size: int
    etag: str
    modified: datetime
    whole: bool = False

    def __lt__(self, other: "Blob") -> bool:
        return (self.modified, self.name) < (other.modified, other.name)


class BlobStore(ABC):
    """The five `CONTAINERS` of blobs. A blob is replaced as a whole: a reader sees the old one or the new one.

    Every method raises `BlobNameError` for a name that `check_name` refuses, ValueError for a container that is not
    one of `CONTAINERS`, and `StoreError` where the storage itself fails.
    """

    @abstractmethod
    def list(self, container: str, prefix: str = "") -> Iterator[Blob]:
        """Blobs whose names begin with `prefix`, in an order that the store has, read as the caller goes.

        Raises
        ------
        StoreError
            If the container cannot be listed: a failed listing is never an empty one.
        """

    @abstractmethod
    def stat(self, container: str, name: str) -> Blob:
        """Raises `BlobNotFound` if there is no such blob."""

    def exists(self, container: str, name: str) -> bool:
        try:
            self.stat(container, name)
        except BlobNotFound:
            return False
        return True

    @abstractmethod
    def read(self, container: str, name: str) -> bytes:
        """Raises `BlobNotFound` if there is no such blob."""

    @abstractmethod
    def read_range(self, container: str, name: str, start: int, stop: int) -> bytes:
        """Bytes from `start` up to, not including, `stop`; fewer where the blob ends before that.

        Raises
        ------
        BlobNotFound
            If there is no such blob.
        ValueError
            Unless 0 <= start <= stop.
        """

    @abstractmethod
    def open(self, container: str, name: str) -> AbstractContextManager[BinaryIO]:
        """The blob as a file open for reading and seeking, of which no more is fetched than what is read, and a little.

        What is read belongs to one version of the blob.

        Raises
        ------
        BlobNotFound
            If there is no such blob.
        Conflict
            By a read, if the blob was replaced since it was opened and what was opened is no longer there.
        """

    @abstractmethod
    def writing(self, container: str, name: str) -> AbstractContextManager[BinaryIO]:
        """A file open for writing that becomes the blob at the end of the ``with``, and nothing if that fails.

        Raises
        ------
        Conflict
            At the end, if others write the blob without a pause.
        """

    @abstractmethod
    def create(self, container: str, name: str, data: bytes | BinaryIO) -> Blob:
        """Write a blob that must not be there yet. Raises `Conflict` if it is."""

    @abstractmethod
    def write(self, container: str, name: str, data: bytes | BinaryIO, *, if_match: str | None = None) -> Blob:
        """Write a blob, replacing the one that is there.

        Parameters
        ----------
        container, name
            The blob.
        data
            Its bytes, or a file open for reading, which is read to its end.
        if_match
            The ETag that the blob must still have.

        Raises
        ------
        Conflict
            If `if_match` is given and the blob has another ETag or is gone; without it, if others write the blob
            without a pause.
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
        """Remove a blob; it may be gone already."""

    @abstractmethod
    def as_file(self, container: str, name: str) -> AbstractContextManager[Path]:
        """The blob as a local file for readers that need one. It is only for reading, and only inside the ``with``.

        Raises
        ------
        BlobNotFound
            If there is no such blob.
        """

    def path(self, container: str, name: str) -> Path | None:  # noqa: ARG002  a store elsewhere has no paths
        """Where the blob lies as a file of this machine; None where it lies elsewhere, and a link leads to it."""
        return None

    @abstractmethod
    def link(self, container: str, name: str, *, seconds: int) -> str:
        """An address that lets its holder read this one blob for so many seconds. The blob need not exist yet.

        Raises
        ------
        ValueError
            Unless `seconds` is from 1 to `LONGEST_LINK_SECONDS`.
        """

    def close(self) -> None:  # noqa: B027  a store without connections has none to give back
        """Give connections back. The store is not used again."""


def check_container(container: str) -> None:
    """Raises ValueError unless it is one of `CONTAINERS`."""
    if container not in CONTAINERS:
        raise ValueError(f"{container!r} is not one of the containers {', '.join(CONTAINERS)}")


def check_range(start: int, stop: int) -> None:
    """Raises ValueError unless 0 <= start <= stop."""
    if not 0 <= start <= stop:
        raise ValueError(f"a range goes from 0 <= start to stop >= start, not from {start} to {stop}")


def check_link_seconds(seconds: int) -> None:
    """Raises ValueError unless it is from 1 to `LONGEST_LINK_SECONDS`."""
    if not 1 <= seconds <= LONGEST_LINK_SECONDS:
        raise ValueError(f"a link lives from 1 to {LONGEST_LINK_SECONDS} seconds, not {seconds}")
