"""Entries of a local folder that holds blobs."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from mfcc_assets.errors import BlobNameError
from mfcc_assets.storage.blobs.names import RESERVED_SEGMENT, check_name, file_of_name, name_of_file
from mfcc_assets.storage.blobs.port import (
    BROKEN_LINKS,
    LINKED_FOLDERS,
    NO_FILES,
    REFUSED_NAMES,
    TAKEN_ALREADY,
    OnSkipped,
)


def children_of(top: Path, folder: str, on_skipped: OnSkipped, *, follow_links: bool) -> Iterator[str]:
    """Yield the names of the blobs and folders in a folder of a container. Those of folders end in a slash.

    Parameters
    ----------
    top
        Folder of the container, without links in its path.
    folder
        Name of the folder, with a slash at its end, or empty.
    on_skipped
        Is told the name and the kind of each entry that is neither a blob nor a folder.
    follow_links
        Whether a linked folder counts as a folder, unless it lies in the container itself or above the link.

    Raises
    ------
    OSError
        If the folder cannot be read.
    """
    with os.scandir(top / file_of_name(folder)) as entries:
        for entry in entries:
            name = f"{folder}{name_of_file(entry.name)}"
            if name == RESERVED_SEGMENT:
                continue
            try:
                check_name(name)
                if entry.is_dir(follow_symlinks=False):
                    yield f"{name}/"
                elif entry.is_file():
                    yield name
                elif not entry.is_dir():
                    on_skipped(name, BROKEN_LINKS if entry.is_symlink() else NO_FILES)
                elif not follow_links:
                    on_skipped(name, LINKED_FOLDERS)
                elif _is_listed_elsewhere(top, Path(entry.path)):
                    on_skipped(name, TAKEN_ALREADY)
                else:
                    yield f"{name}/"
            except BlobNameError as error:
                on_skipped(str(error), REFUSED_NAMES)
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise
                on_skipped(name, BROKEN_LINKS)


def _is_listed_elsewhere(top: Path, link: Path) -> bool:
    """Return True if a linked folder lies in the container itself, or above the link: then the link leads back."""
    target = Path(os.path.realpath(link))
    return target.is_relative_to(top) or Path(os.path.realpath(link.parent)).is_relative_to(target)
