"""How the library's database is reached: SQLAlchemy, SQLite by default."""

import sqlite3
import time
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from mfcc_assets.core.errors import StoreError

LOCK_SECONDS = 30
"""How long a writer waits for another writer of SQLite. A nightly backup held the lock for 5 s."""


class Database:
    """A database that SQLAlchemy speaks to; it is connected to when it is used.

    Parameters
    ----------
    url
        SQLAlchemy address. The folder of a file of SQLite is made where it is missing.

    Raises
    ------
    StoreError
        Here: the address cannot be used. In a transaction: the database cannot be reached, is locked for too long, or
        refuses.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        # Nobody who forgets to close leaves connections behind, of which Python 3.13 warns.
        weakref.finalize(self, self._engine.dispose)
        # Writers of SQLite take the lock when they begin: one that first read and then wrote would be refused at once.
        self._writer = self._engine.execution_options(writes=True)

    def close(self) -> None:
        """Give the connections back; it opens again when it is used again."""
        self._engine.dispose()

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that only reads."""
        return _transaction(self._engine)

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction that may write, done when the ``with`` ends, undone when it fails."""
        return _transaction(self._writer)


def _engine(url: str) -> Engine:
    try:
        address = sa.make_url(url)
        return _sqlite_engine(address) if address.get_backend_name() == "sqlite" else sa.create_engine(address)
    except (sa.exc.ArgumentError, ImportError) as error:
        # The address itself may hold a password.
        raise StoreError(
            f"the address of the database cannot be used ({type(error).__name__})",
            remedy="Write it as dialect+driver://user:password@host/database, and install that driver",
        ) from error


def _sqlite_engine(address: sa.URL) -> Engine:
    engine = sa.create_engine(address, connect_args={"timeout": LOCK_SECONDS, "isolation_level": None})
    if address.database:
        folder = Path(address.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the folder of the database cannot be made ({error.strerror})",
                subject=str(folder),
                remedy="Check its permissions",
            ) from error

    @sa.event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        _switch_to_write_ahead_log(connection)
        # NORMAL may lose the last transactions in a power cut, never consistency; what is lost is recomputed.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")

    return engine


def _switch_to_write_ahead_log(connection: sqlite3.Connection) -> None:
    # Where several processes open a new file at once, SQLite refuses some without waiting as it was told.
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


@contextmanager
def _transaction(engine: Engine) -> Iterator[Connection]:
    try:
        with engine.begin() as connection:
            yield connection
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        reason = getattr(error, "orig", None) or error
        raise StoreError(
            f"the database refuses ({reason})",
            subject=engine.url.render_as_string(hide_password=True),
            remedy="Check that it is there, its permissions, the disk's space, and who else holds a lock on it",
        ) from error
