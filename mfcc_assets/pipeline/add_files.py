"""Copy files of this machine into the library's container."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.filesize import decimal

from mfcc_assets.errors import BlobNameError, BlobNotFound, Conflict, StoreError
from mfcc_assets.ids import digest_of_file
from mfcc_assets.library import Library
from mfcc_assets.pipeline.added_sources import SourceAddresses
from mfcc_assets.pipeline.local_files import find_music
from mfcc_assets.pipeline.names_in_library import NamesInLibrary
from mfcc_assets.storage.blobs.found_files import FoundFile
from mfcc_assets.storage.blobs.names import name_of_file
from mfcc_assets.storage.blobs.port import SOUNDTRACKS
from mfcc_assets.storage.disk_space import free_bytes
from mfcc_assets.storage.sql.added_files import AddedFile

_CLOCK_STEPS_SECONDS = 2.0
"""File systems of removable disks keep times in steps of this size."""


@dataclass
class Addition:
    """The result of adding files.

    Attributes
    ----------
    added
        Blob names of new files.
    replaced
        Blob names whose former content was replaced.
    already_there
        Blob names of files that were there already.
    skipped
        Files that are not music, and folders that were not entered, by kind.
    unreadable
        Files and folders that could not be read, with the reason that the system gives.
    bytes_needed
        Bytes of the files that are copied under new names. It is known before the first of them is copied.
    bytes_free
        Free bytes on the disk of the library, or None if the library lies on Azure.
    """

    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    already_there: list[str] = field(default_factory=list)
    skipped: dict[str, list[Path]] = field(default_factory=dict)
    unreadable: dict[Path, str] = field(default_factory=dict)
    bytes_needed: int = 0
    bytes_free: int | None = None

    @property
    def names(self) -> set[str]:
        """Blob names of all files that are in the library now."""
        return {*self.added, *self.replaced, *self.already_there}


def add_files(library: Library, paths: Iterable[Path]) -> Iterator[Addition]:
    """Copy files and folders into `soundtracks`, and yield the result so far after each file.

    It is also yielded before the first file is copied, when the space that the new files need is known.

    The library remembers the file that each blob was copied from. The same file is never stored twice, by whatever
    path it is added, and only this file replaces its blob. If another file would get the same name, both stay: the
    name of the new one gets more of its folders, or a number. The names are those of `NamesInLibrary`.

    A file with the same bytes as a file from another place is stored, too. Its owner has it twice and may tag or delete
    one of the two, and recommendations list each recording only once. But if the other file has this name already and
    is gone from its place, or nobody knows where it came from, then the file was moved, and it is there already.

    A blob that was changed in the library itself is not replaced by the file that it was copied from. Neither is one
    whose file is not the same any more, although it has the same path: another disc may be mounted there. The system
    gives a file a new change time (ctime) whenever it is written or moved. So a file with other bytes that has not
    changed since the first one was added is another file, and both stay.

    Parameters
    ----------
    library
        The library.
    paths
        Files and folders. What is no music is skipped: see `mfcc_assets.pipeline.local_files.find_music`.

    Raises
    ------
    StoreError
        If the new files need more space than the disk has. Then none of them is copied.
    """
    found = find_music(list(paths), without=[library.settings.folder, library.settings.blobs])
    addition = Addition(skipped=found.skipped, unreadable=found.unreadable)
    adding = _Adding(library, addition)
    new: list[FoundFile] = []
    for file in found.music:
        # Files that are there already tell which places the folders of new files have. So they come first.
        if adding.is_done_without_storing(file):
            yield addition
        else:
            new.append(file)
    if new:
        adding.check_space(new)
    if new or not found.music:
        yield addition
    for file in new:
        adding.store(file)
        yield addition


class _Adding:
    def __init__(self, library: Library, addition: Addition) -> None:
        self._library, self._addition = library, addition
        self._addresses = SourceAddresses(library)
        blobs = library.blobs.list(SOUNDTRACKS, on_skipped=lambda *_: None)
        self._sizes = {blob.name: blob.size for blob in blobs}
        self._names = NamesInLibrary(self._sizes)
        self._by_name: dict[str, AddedFile] = {}
        self._by_source: dict[str, list[AddedFile]] = {}
        for added in library.added_files.every():
            if added.blob_name in self._sizes:
                self._remember(added)

    def is_done_without_storing(self, file: FoundFile) -> bool:
        """Return False if a file has to be stored under a new name."""
        if (name := self._name_in_container(file.source)) is not None:
            self._addition.already_there.append(name)
            return True
        known = self._by_source.get(self._addresses.of(file.source))
        try:
            if known:
                return self._is_brought_up_to_date(file, known)
            return self._is_moved(file)
        except OSError as error:
            self._addition.unreadable[file.path] = error.strerror or str(error)
            return True

    def check_space(self, files: Sequence[FoundFile]) -> None:
        """Note how many bytes files need that are copied. Raises `StoreError` if the disk has fewer."""
        addition = self._addition
        for file in files:
            with suppress(OSError):  # copying the file says why it cannot be read
                addition.bytes_needed += file.source.stat().st_size
        if self._library.settings.profile != "local":
            return
        folder = self._library.settings.blobs
        addition.bytes_free = free_bytes(folder)
        if addition.bytes_needed > addition.bytes_free:
            needed, free = decimal(addition.bytes_needed), decimal(addition.bytes_free)
            raise StoreError(
                f"copying {len(files):,} files needs {needed}, and its disk has {free} free",
                subject=str(folder),
                remedy="Free some space, or use the music where it lies with `mfcc add --in-place`",
            )

    def store(self, file: FoundFile) -> None:
        """Store a file under a new name."""
        while True:
            name = self._names.free_name(_absolute(file.path), file.root)
            now = time.time()
            try:
                digest = digest_of_file(file.source)
                with file.source.open("rb") as opened:
                    self._library.blobs.create(SOUNDTRACKS, name, opened)
            except Conflict:
                self._names.take(name)  # Somebody else stored this blob since the names were listed.
            except BlobNameError:
                self._names.refuse(name)
            except OSError as error:
                self._addition.unreadable[file.path] = error.strerror or str(error)
                return
            else:
                self._record(file, name, digest, now)
                self._addition.added.append(name)
                return

    def _is_brought_up_to_date(self, file: FoundFile, known: Sequence[AddedFile]) -> bool:
        """Replace the blob that was last copied from a path, if only the file there has changed since.

        Returns
        -------
        bool
            False if both have changed since, or another file has this path now. Then both have to stay.
        """
        now, digest, blobs = time.time(), digest_of_file(file.source), self._library.blobs
        for added in known:
            if added.content_digest == digest:
                self._addition.already_there.append(added.blob_name)
                return True
        last = max(known, key=lambda added: added.added_at)
        name = last.blob_name
        try:
            etag = blobs.stat(SOUNDTRACKS, name).etag
            stored = self._digest_of_blob(name)
            if stored == digest:
                self._addition.already_there.append(name)
            elif stored == last.content_digest and _has_changed_since(last.added_at, file.source):
                with file.source.open("rb") as opened:
                    blobs.write(SOUNDTRACKS, name, opened, if_match=etag)
                self._addition.replaced.append(name)
            else:
                return False
        except (BlobNameError, BlobNotFound, Conflict):
            return False
        self._record(file, name, digest, now)
        return True

    def _is_moved(self, file: FoundFile) -> bool:
        """Return True if the file is there under one of its usual names, and came from a place where it is no more."""
        for name in self._names.usual_names(_absolute(file.path)):
            taken = self._names.taken(name)
            if taken is None or self._sizes.get(taken) != file.source.stat().st_size or self._has_source(taken):
                continue
            now, digest = time.time(), digest_of_file(file.source)
            if self._digest_of_blob(taken) == digest:
                self._record(file, taken, digest, now)
                self._addition.already_there.append(taken)
                return True
        return False

    def _name_in_container(self, source: Path) -> str | None:
        """Return the name of the blob if a file is a blob itself, and None otherwise."""
        if self._library.settings.profile != "local":
            return None
        tops = {"": self._library.settings.blobs / SOUNDTRACKS, **self._library.music_folders.every()}
        for label, folder in tops.items():
            top = os.path.realpath(folder)
            if source.is_relative_to(top):
                name = "/".join(filter(None, (label, name_of_file(str(source.relative_to(top))))))
                return name if name in self._sizes else None
        return None

    def _has_source(self, name: str) -> bool:
        """Return True if the file that a blob was copied from is still where it was."""
        added = self._by_name.get(name)
        path = self._addresses.path(added.source) if added else None
        return path is not None and path.exists()

    def _digest_of_blob(self, name: str) -> str | None:
        try:
            with self._library.blobs.as_file(SOUNDTRACKS, name) as path:
                return digest_of_file(path)
        except BlobNotFound:
            return None

    def _record(self, file: FoundFile, name: str, digest: str, added_at: float) -> None:
        added = AddedFile(name, self._addresses.of(file.source), digest, added_at)
        self._library.added_files.record(added)
        self._remember(added)
        self._names.take(name, _absolute(file.path))

    def _remember(self, added: AddedFile) -> None:
        former = self._by_name.get(added.blob_name)
        if former is not None:
            self._by_source[former.source].remove(former)
        self._by_name[added.blob_name] = added
        self._by_source.setdefault(added.source, []).append(added)
        self._names.take(added.blob_name, self._addresses.path(added.source))


def _has_changed_since(moment: float, path: Path) -> bool:
    return path.stat().st_ctime > moment - _CLOCK_STEPS_SECONDS


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  `absolute` keeps "..", `resolve` follows links
