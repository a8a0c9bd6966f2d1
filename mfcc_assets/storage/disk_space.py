"""A disk without space, as errors, logs and the file system tell of it."""

import errno
import os
import shutil
import sqlite3
from pathlib import Path

from mfcc_assets.errors import StoreError

_ERRORS = (errno.ENOSPC, errno.EDQUOT)
_MESSAGES = (*(os.strerror(number) for number in _ERRORS), "database or disk is full")
_LEAST_BYTES = 1 << 20


def means_full(error: BaseException | None) -> bool:
    """Return whether an error of the system or of SQLite means that the disk, or the user's share of it, is full."""
    if isinstance(error, sqlite3.Error):
        return (getattr(error, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in _ERRORS


def tells_of_full(text: str) -> bool:
    """Return whether a message or a log tells of a full disk.

    Examples
    --------
    >>> tells_of_full("OSError: [Errno 28] No space left on device: 'song.mp3'")
    True
    """
    return any(message in text for message in _MESSAGES)


def is_full(folder: Path) -> bool:
    """Return whether the disk of a folder has less than a megabyte left for this user."""
    return free_bytes(folder) < _LEAST_BYTES


def free_bytes(folder: Path) -> int:
    """Return how many bytes this user can still write to the disk of a folder, which need not exist yet."""
    present = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(present).free


def full_disk(folder: Path) -> StoreError:
    """Make the error for a disk without space.

    Parameters
    ----------
    folder
        The folder on this disk that was written to.
    """
    return StoreError(
        "the disk is full",
        subject=str(folder),
        remedy="Free some space on this disk, and run the command again",
    )
