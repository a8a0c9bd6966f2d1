"""Find the files below folders of this machine. Links are followed, and every folder is entered once."""

import errno
import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mfcc_assets.music_names import NO_AUDIO, kind_of_name
from mfcc_assets.storage.blobs.port import BROKEN_LINKS, NO_FILES, OF_THE_LIBRARY, TAKEN_ALREADY

_NOWHERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
"""Errors of a link that leads to nothing. After any other one, there may be music at its end."""


@dataclass(frozen=True)
class FoundFile:
    """A file that is tried as music.

    Attributes
    ----------
    path
        Path by which it was found.
    source
        The same file without links: absolute, and the same by whatever path it was found.
    root
        Absolute path of the folder that the user named, or None if the user named the file.
    """

    path: Path
    source: Path
    root: Path | None


@dataclass
class FoundFiles:
    """The files below some folders.

    Attributes
    ----------
    music
        Files that are tried as music.
    skipped
        All other files, and folders that were not entered, by kind.
    unreadable
        Files and folders that cannot be read, with the reason that the system gives.
    """

    music: list[FoundFile] = field(default_factory=list)
    skipped: dict[str, list[Path]] = field(default_factory=dict)
    unreadable: dict[Path, str] = field(default_factory=dict)

    def skip(self, path: Path, kind: str) -> None:
        """Add a file or folder that is no music."""
        self.skipped.setdefault(kind, []).append(path)


def find_files(
    paths: Sequence[Path],
    *,
    without: Collection[Path] = (),
    is_music: Callable[[Path, str], bool] = lambda *_: True,
) -> FoundFiles:
    """Find files among files and below folders. What is no music by its name is skipped.

    Links to folders and files are followed after everything that is there without a link, so that a file is found by
    its own path if both lead to it. No folder is entered twice, and no link leads back to a folder above it.

    Parameters
    ----------
    paths
        Files and folders that the user named. They are taken even if their names look hidden or unfinished: only what
        lies below a folder is judged by its name.
    without
        Folders that are not entered unless they are named: those of the library itself.
    is_music
        Tells from the path and the name of a file whether it is tried as music. By default, every file is.
    """
    return _Search(paths, without, is_music).found


class _Search:
    def __init__(self, paths: Sequence[Path], without: Collection[Path], is_music: Callable[[Path, str], bool]) -> None:
        self.found = FoundFiles()
        self._is_music = is_music
        self._without = {os.path.realpath(folder) for folder in without}
        self._entered: set[tuple[int, int]] = set()
        self._sources: set[Path] = set()
        self._links: deque[tuple[Path, Path]] = deque()
        for path in paths:
            # The name of the folder is that by which the user named it, also if that is a link.
            absolute = Path(os.path.abspath(path))  # noqa: PTH100  `absolute` keeps "..", `resolve` follows links
            with self._noting_errors(path):
                if path.is_dir():
                    self._enter(absolute, absolute, is_link=False)
                else:
                    self._take(path, None, Path(os.path.realpath(path)), is_link=False)
        while self._links:
            self._follow(*self._links.popleft())

    @contextmanager
    def _noting_errors(self, path: Path) -> Iterator[None]:
        """Note that something cannot be read, and go on with the rest."""
        try:
            yield
        except OSError as error:
            self.found.unreadable[path] = error.strerror or str(error)

    def _enter(self, folder: Path, root: Path, *, is_link: bool) -> None:
        """Take everything in a folder and below it, apart from what is linked there."""
        pending = [folder]
        while pending:
            here = pending.pop()
            with self._noting_errors(here):
                status = here.stat()
                with os.scandir(here) as listed:
                    entries = sorted(listed, key=lambda entry: entry.name)
                if (status.st_dev, status.st_ino) in self._entered:
                    if is_link:
                        self.found.skip(here, TAKEN_ALREADY)
                    continue
                self._entered.add((status.st_dev, status.st_ino))
                below = [here / entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
                pending += reversed([inner for inner in below if self._is_wanted(inner)])
                real = Path(os.path.realpath(here))  # once for all files, since a library has many
                for entry in entries:
                    path = here / entry.name
                    if entry.is_symlink():
                        self._links.append((path, root))
                    elif not entry.is_dir(follow_symlinks=False):
                        self._take(path, root, real / entry.name, is_link=False)

    def _is_wanted(self, folder: Path) -> bool:
        kind = kind_of_name(f"{folder.name}/song")
        if os.path.realpath(folder) in self._without:
            kind = OF_THE_LIBRARY
        if kind:
            self.found.skip(folder, kind)
        return kind is None

    def _follow(self, link: Path, root: Path) -> None:
        with self._noting_errors(link):
            try:
                target = os.path.realpath(link, strict=True)
            except OSError as error:
                if error.errno not in _NOWHERE:
                    raise
                self.found.skip(link, BROKEN_LINKS)
                return
            if not Path(target).is_dir():
                self._take(link, root, Path(target), is_link=True)
            elif self._is_wanted(link):
                if Path(os.path.realpath(link.parent)).is_relative_to(target):
                    self.found.skip(link, TAKEN_ALREADY)
                else:
                    self._enter(link, root, is_link=True)

    def _take(self, path: Path, root: Path | None, source: Path, *, is_link: bool) -> None:
        name = path.name
        with self._noting_errors(path):
            kind = kind_of_name(name) if root else None
            if kind is None and not path.is_file():
                kind = NO_FILES
            if kind:
                self.found.skip(path, kind)
            elif source in self._sources:
                if is_link:
                    self.found.skip(path, TAKEN_ALREADY)
            elif self._is_music(path, name):
                self._sources.add(source)
                self.found.music.append(FoundFile(path, source, root))
            else:
                self.found.skip(path, kind_of_name(name) or NO_AUDIO)
