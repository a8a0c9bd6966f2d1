"""Which sessions have ended before their time, because their listeners have logged out.

A session lies in a cookie, so whoever has a copy of the cookie has the session. A log-out ends it for all copies.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from mfcc_assets.errors import StoreError
from mfcc_assets.storage.sqlite_files import LOCK_SECONDS, WRITABLE

_TABLES = (
    "CREATE TABLE IF NOT EXISTS ended (session TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS began (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL)",
)


class EndedSessions:
    """The list of the sessions that have ended. It is a file, so it outlives the process that serves the pages.

    The list knows nothing of sessions that were made before it began. They may have ended, so they do not count. Where
    the file is lost, for example with the disk of a container, everybody has to log in again.

    Parameters
    ----------
    path
        Path of the file. It is made if it is missing.
    seconds
        Longest life of a session. Older ones need not be remembered.
    clock
        Returns the time in seconds since 1970.

    Raises
    ------
    StoreError
        If the file cannot be made, read or written. The methods raise it too.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     sessions = EndedSessions(Path(folder) / "sessions.sqlite", seconds=3600)
    ...     sessions.end("a")
    ...     sessions.is_open("a", time.time()), sessions.is_open("b", time.time())
    (False, True)
    """

    def __init__(self, path: Path, *, seconds: int, clock: Callable[[], float] = time.time) -> None:
        self._path, self._seconds, self._clock = path, seconds, clock
        with self._connection() as connection:
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute("INSERT OR IGNORE INTO began VALUES (1, ?)", (int(clock()),))

    def is_open(self, session: str, begun: float) -> bool:
        """Return whether a session that was made at a time, in seconds since 1970, still counts."""
        with self._connection() as connection:
            (began,) = connection.execute("SELECT at FROM began").fetchone()
            ended = connection.execute("SELECT 1 FROM ended WHERE session = ?", (session,)).fetchone()
        return ended is None and int(began) <= int(begun) <= self._clock() < begun + self._seconds

    def end(self, session: str) -> None:
        """End a session for all copies of its cookie."""
        now = int(self._clock())
        with self._connection() as connection:
            connection.execute("INSERT OR IGNORE INTO ended VALUES (?, ?)", (session, now))
            connection.execute("DELETE FROM ended WHERE at < ?", (now - self._seconds,))

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=LOCK_SECONDS)) as connection, connection:
                yield connection
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"the list of ended sessions cannot be used ({error})", subject=str(self._path), remedy=WRITABLE
            ) from error
