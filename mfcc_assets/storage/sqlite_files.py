"""Settings for every SQLite file, as several processes may open one at once."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

LOCK_SECONDS = 30.0
"""Time for which a writer waits for another one. A nightly backup may hold the lock for several seconds."""

OVERWRITE_DELETED = "PRAGMA secure_delete=ON"
"""Statement for each connection. Otherwise what is deleted could still be read in the free parts of the file."""

EMPTY_LOG = "PRAGMA wal_checkpoint(TRUNCATE)"
"""Statement that moves the write-ahead log into the file. The log still holds what was deleted."""

WRITABLE = "Allow this user to write this file and its folder, or name another folder in MFCC_HOME"
"""Remedy for a file that cannot be written."""


def switch_to_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch a file to the write-ahead log, so that readers and a writer do not block each other."""
    # When several processes open a new file at once, SQLite may refuse one of them without the configured wait.
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def address_of_unchanging(path: Path) -> str | None:
    """Return the address at which a file in a read-only folder can be read; None if it is read like every other file.

    A file with a write-ahead log needs a writable folder even for reading, unless SQLite is told that nobody changes
    it. That is only true if no log is beside it, or an empty one.
    """
    if os.access(path.parent, os.W_OK) or not path.is_file() or _size_of(path.with_name(f"{path.name}-wal")):
        return None
    return f"{path.absolute().as_uri()}?mode=ro&immutable=1"


def _size_of(log: Path) -> int:
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0  # whoever closes the file last removes its log, at any moment


def means_read_only(error: BaseException | None, path: Path) -> bool:
    """Return whether an error of SQLite means that its file, or the folder of this file, cannot be written."""
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
    cannot_make_files = path.parent.is_dir() and not os.access(path.parent, os.W_OK)
    return kind == sqlite3.SQLITE_READONLY or (kind == sqlite3.SQLITE_CANTOPEN and cannot_make_files)


def is_damage(error: BaseException | None) -> bool:
    """Return whether an error of SQLite means that the file is damaged, or is no database."""
    # An extended code holds the kind of the error in its last byte.
    return isinstance(error, sqlite3.DatabaseError) and (getattr(error, "sqlite_errorcode", 0) & 0xFF) in (
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    )


def damage_of(path: Path) -> str:
    """Return what is wrong with a file of SQLite, as far as a quick check finds it.

    Returns
    -------
    str
        Description of the damage. It is empty if there is none, and if there is no file or it cannot be opened.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=LOCK_SECONDS)) as file:
            (found,) = file.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return str(error) if is_damage(error) else ""
    return "" if found == "ok" else " ".join(str(found).split())
