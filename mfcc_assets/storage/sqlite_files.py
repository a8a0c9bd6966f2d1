"""What all files of SQLite here share: they may be opened by many processes, and at once."""

import sqlite3
import time

LOCK_SECONDS = 30.0
"""How long a writer waits for another. A nightly backup held the lock for 5 s."""


def switch_to_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Let readers and a writer of a file leave each other alone."""
    # Of six processes that opened a new file at once, SQLite refused one in 90 here without waiting as it was told.
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
