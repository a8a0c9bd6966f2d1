"""Files and folders in a local folder that holds blobs."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mfcc_assets.errors import BlobNameError, BlobNotFound
from mfcc_assets.storage.blobs.names import RESERVED_SEGMENT, check_name, file_of_name, name_of_file
from mfcc_assets.storage.blobs.port import (
    BROKEN_LINKS,
    LINKED_FOLDERS,
    NO_FILES,
    REFUSED_NAMES,
    TAKEN_ALREADY,
    Blob,
    OnSkipped,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def children_of(top: Path, folder: str, on_skipped: OnSkipped, *, listed: Sequence[Path] | None) -> Iterator[str]:
    """Yield the names of the blobs and folders in a folder of a container. Those of folders end in a slash.

    Parameters
    ----------
    top
        Folder of the container, without links in its path.
    folder
        Name of the folder, with a slash at its end, or empty.
    on_skipped
        Is told the name and the kind of each entry that is neither a blob nor a folder.
    listed
        Folders that are listed anyway, without links in their paths. A linked folder counts as a folder unless it lies
        in one of them or above the link. None if no linked folder counts.

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
                elif listed is None:
                    on_skipped(name, LINKED_FOLDERS)
                elif _is_listed_elsewhere(listed, Path(entry.path)):
                    on_skipped(name, TAKEN_ALREADY)
                else:
                    yield f"{name}/"
            except BlobNameError as error:
                on_skipped(str(error), REFUSED_NAMES)
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise
                on_skipped(name, BROKEN_LINKS)


def _is_listed_elsewhere(listed: Sequence[Path], link: Path) -> bool:
    """Return True if a linked folder lies in a folder that is listed, or above the link: then the link leads back."""
    target = Path(os.path.realpath(link))
    is_above = Path(os.path.realpath(link.parent)).is_relative_to(target)
    return is_above or any(target.is_relative_to(folder) for folder in listed)


def blob_of_file(top: Path, name: str, *, keeps_etag: bool) -> Blob:
    """Return the properties of the blob of that name in a folder.

    Parameters
    ----------
    top
        The folder.
    name
        Name of the blob.
    keeps_etag
        Whether the ETag stays the same if the file is copied with its time.

    Raises
    ------
    BlobNotFound
        If there is no file of that name.
    OSError
        If the file system does not say.
    """
    path = f"{top}/{file_of_name(name)}"  # making a `Path` would double the time of a listing
    try:
        link_status = os.lstat(path)
        status = os.stat(path) if stat.S_ISLNK(link_status.st_mode) else link_status  # noqa: PTH116
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            raise not_found(top, name) from None
        raise
    if not stat.S_ISREG(status.st_mode):
        raise not_found(top, name)
    # A file that is moved or copied here with an old modification time must still come after the cursor, and a file
    # from a clock that runs ahead must not move the cursor into the future. So `modified` is the change time (ctime),
    # which only the kernel sets, when a file gets its name; for a link it is the later one of the link and its target.
    # Moving a whole folder does not change the times of its files: only a full sweep finds those.
    changed = max(status.st_ctime_ns, link_status.st_ctime_ns)
    # Music keeps its ETag if it is copied or linked with its time. Otherwise a copied library would look changed.
    version = f"{os.access(path, os.R_OK):x}" if keeps_etag else f"{changed:x}"
    return Blob(
        name=name,
        size=status.st_size,
        etag=f"{status.st_mtime_ns:x}-{version}-{status.st_size:x}",
        modified=_EPOCH + timedelta(microseconds=changed // 1000),
        # Writing sets both times alike. Renaming, which this class and careful tools do at the end, sets only one.
        whole=status.st_mtime_ns != status.st_ctime_ns,
    )


def not_found(top: Path, name: str) -> BlobNotFound:
    """Return the error for a blob that is not in a folder."""
    return BlobNotFound("there is no such blob", subject=f"{top.name}/{name}", remedy="List the container")
