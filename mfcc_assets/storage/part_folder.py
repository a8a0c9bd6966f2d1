"""Folders of large files with a description of each: the parts of an index, of a segment and of a calibration.

The description holds the size and checksum of each part. It is written last, so a folder without it does not exist.
"""

import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import BlobNotFound, CorruptIndex
from mfcc_assets.storage.blobs.json_blobs import read_json, write_json
from mfcc_assets.storage.blobs.port import CEPSTRA, BlobStore
from mfcc_assets.storage.verified_parts import VerifiedParts

REBUILD = "The next run over the library builds it again: `mfcc sync` starts one"
"""Remedy for an index that is missing or damaged."""

_BLOCK = 1 << 20

LARGE_PART = 4 << 20
"""Bytes from which a part is not verified again by every process."""

Writer = Callable[[BinaryIO], None]
"""Writes a part to a file that need not be able to seek."""


@dataclass(frozen=True)
class StoredPart:
    """Size and checksum of a stored file, as the description holds them."""

    bytes: int
    crc32: int


class PartFolder:
    """One folder in the container `cepstra`.

    Parameters
    ----------
    blobs
        Store of the folder.
    folder
        Name of the folder.
    description
        Name of the file with the description.
    subject
        Name of the whole in messages, such as ``index 12ab``.
    known
        Which large parts were verified on this machine. By default, this process verifies each part that it reads.
    """

    def __init__(
        self, blobs: BlobStore, folder: str, description: str, subject: str, known: VerifiedParts | None = None
    ) -> None:
        self._blobs, self._folder, self._description, self.subject = blobs, folder, description, subject
        self._known = known

    def write(self, writers: Mapping[str, Writer], record: Mapping[str, Any]) -> None:
        """Write all parts, and then the description, which also holds a record."""
        parts = {name: asdict(self._written(name, write)) for name, write in writers.items()}
        write_json(self._blobs, CEPSTRA, self._path(self._description), {**record, "parts": parts})

    def state(self) -> tuple[str, ...] | None:
        """Return a value that changes whenever a file may have changed; None if there is no description."""
        files = {blob.name: blob.etag for blob in self._blobs.list(CEPSTRA, f"{self._folder}/")}
        return tuple(sorted(files.values())) if self._path(self._description) in files else None

    def record(self, names: Collection[str]) -> tuple[dict[str, Any], dict[str, StoredPart]]:
        """Read the description: its record, and size and checksum of some parts. All these parts have their size.

        Raises
        ------
        BlobNotFound
            If there is no description.
        CorruptIndex
            If the description is damaged, or a part is missing or has another size.
        """

        def parse(record: dict[str, Any]) -> tuple[dict[str, Any], dict[str, StoredPart]]:
            return record, {name: StoredPart(**record["parts"][name]) for name in names}

        unusable = corrupt_index(self.subject, f"{self._description} does not describe it")
        try:
            found = read_json(
                self._blobs, CEPSTRA, self._path(self._description), parse, damaged=unusable.what, remedy=REBUILD
            )
        except CorruptIndex as error:
            raise unusable from error
        if found is None:
            raise BlobNotFound("there is no description", subject=self.subject)
        sizes = {blob.name: blob.size for blob in self._blobs.list(CEPSTRA, f"{self._folder}/")}
        for name, part in found[1].items():
            if self._path(name) not in sizes:
                raise corrupt_index(self.subject, f"{name} is missing")
            if sizes[self._path(name)] != part.bytes:
                raise corrupt_index(self.subject, f"{name} is not what was written")
        return found

    @contextmanager
    def verified(self, name: str, part: StoredPart) -> Iterator[Path]:
        """Give a part as a file. A memory map of it stays valid after the ``with``, even if the file is deleted.

        A large part is read whole only if it changed since this machine verified it, or if that was long ago.

        Raises
        ------
        CorruptIndex
            If the part is missing or not what was written.
        """
        known = self._known if part.bytes >= LARGE_PART else None
        try:
            identity = self._identity(name, part) if known else ()
            with self._blobs.as_file(CEPSTRA, self._path(name)) as path:
                if known is None or not known.has(*identity) or path.stat().st_size != part.bytes:
                    if _stored_part(path) != part:
                        raise corrupt_index(self.subject, f"{name} is not what was written")
                    if known:
                        known.add(*identity)
                yield path
        except BlobNotFound as error:
            raise corrupt_index(self.subject, f"{name} is missing") from error

    def array(self, name: str, part: StoredPart) -> NDArray[Any]:
        """Return a part that is an array, mapped into memory. Raises `CorruptIndex` as `verified` does."""
        with self.verified(name, part) as path:
            try:
                mapped: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
            except (EOFError, OSError, ValueError) as error:
                # It became shorter after it was verified.
                raise corrupt_index(self.subject, f"{name} is not what was written") from error
        return mapped.view(np.ndarray)

    def delete(self) -> None:
        """Delete all files, if there are any."""
        names = [blob.name for blob in self._blobs.list(CEPSTRA, f"{self._folder}/")]
        # The description is deleted first: a folder without it does not exist.
        for name in sorted(names, key=lambda name: name != self._path(self._description)):
            self._blobs.delete(CEPSTRA, name)

    def _identity(self, name: str, part: StoredPart) -> tuple[str, ...]:
        blob = self._blobs.stat(CEPSTRA, self._path(name))
        return blob.name, blob.etag, str(part.bytes), str(part.crc32)

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _written(self, name: str, write: Writer) -> StoredPart:
        with self._blobs.writing(CEPSTRA, self._path(name)) as file:
            measured = _Measured(file)
            write(cast("BinaryIO", measured))
        return StoredPart(measured.size, measured.checksum)


class _Measured:
    """A file for writing that measures what is written. So a large part is neither copied nor read again."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.size, self.checksum = file, 0, 0

    def write(self, content: bytes) -> int:
        self.size, self.checksum = self.size + len(content), zlib.crc32(content, self.checksum)
        return self._file.write(content)

    def flush(self) -> None:
        """Do nothing: the file becomes a blob at the end."""


def corrupt_index(subject: str, what: str) -> CorruptIndex:
    """Make the error for a damaged index, segment or calibration."""
    return CorruptIndex(f"the stored index is corrupt: {what}", subject=subject, remedy=REBUILD)


def _stored_part(path: Path) -> StoredPart:
    # CRC-32 detects damage, which is enough here, and is much faster than a cryptographic digest. The file is not
    # mapped into memory: if it became shorter meanwhile, the process would be killed.
    size = checksum = 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            size, checksum = size + len(block), zlib.crc32(block, checksum)
    return StoredPart(bytes=size, crc32=checksum)
