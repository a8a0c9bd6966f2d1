"""Copy files of this machine into the library's container."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mfcc_assets.ids import content_digest
from mfcc_assets.library import Library
from mfcc_assets.pipeline.music_files import is_companion
from mfcc_assets.storage.blobs.names import clean_name


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
        Blob names that already had the same content.
    skipped
        Files that are not music, such as covers and playlists.
    unreadable
        Files that could not be read.
    """

    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    already_there: list[str] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)


def add_files(library: Library, paths: Iterable[Path]) -> Iterator[Addition]:
    """Copy files and folders into `soundtracks`, and yield the result so far after each file.

    The blob name of a file in a folder is its path, beginning with the name of the folder. The blob name of a single
    file is the name of the file. Covers, playlists and hidden files are skipped. A file replaces a blob with the same
    name, but never another file of the same call.
    """
    addition = Addition()
    sources: dict[str, Path] = {}
    for file, name in _named(paths):
        if is_companion(name):
            addition.skipped.append(file)
        else:
            sources[_free_name(name, file, sources)] = file
    for name, file in sources.items():
        try:
            _add(library, name, file, addition)
        except (FileNotFoundError, PermissionError):
            addition.unreadable.append(file)
        yield addition
    if not sources:
        yield addition


def _add(library: Library, name: str, file: Path, addition: Addition) -> None:
    exists = library.blobs.exists("soundtracks", name)
    if exists and _is_stored(library, name, file):
        addition.already_there.append(name)
        return
    library.blobs.upload_file("soundtracks", name, file)
    (addition.replaced if exists else addition.added).append(name)


def _named(paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Yield every file with the name that it should have in the library."""
    for path in paths:
        if path.is_dir():
            folder = path.resolve()
            files = sorted(Path(root, name) for root, _, names in os.walk(folder) for name in names)
            yield from (
                (file, str(file.relative_to(folder.parent))) for file in files if file.is_file() or file.is_symlink()
            )
        else:
            yield path, path.name


def _free_name(name: str, file: Path, sources: dict[str, Path]) -> str:
    """Return a blob name that no other file of the call has. Parent folders are put before it until it is unique."""
    folders = list(file.resolve().parents)
    candidate = clean_name(name)
    while candidate in sources and folders:
        name = f"{folders.pop(0).name}/{name}"
        candidate = clean_name(name)
    return candidate


def _is_stored(library: Library, name: str, file: Path) -> bool:
    """Return True if a blob has the same content as a file."""
    with library.blobs.as_file("soundtracks", name) as stored, stored.open("rb") as ours, file.open("rb") as theirs:
        return content_digest(ours) == content_digest(theirs)
