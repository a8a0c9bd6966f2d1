"""How the library's database is reached: SQLAlchemy, SQLite by default, Azure SQL and PostgreSQL."""

import inspect
import logging
import sqlite3
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import sqlalchemy as sa
import tenacity
from sqlalchemy.engine import Connection, Engine

from mfcc_assets.errors import ConnectionLost, StoreError
from mfcc_assets.storage import sqlite_files
from mfcc_assets.storage.sql.sql_server_rows import send_rows

CONNECT_SECONDS = 30
"""How long one attempt to connect may take. Azure SQL asks for no less."""

RECONNECT_SECONDS = 90
"""How long a lost connection is tried again. A serverless Azure SQL that sleeps takes up to a minute to wake."""

_LONGEST_PAUSE_SECONDS = 10

# Azure's gateways drop connections that were idle for 30 minutes.
_RECYCLE_SECONDS = 1200
_Work = TypeVar("_Work", bound=Callable[..., Any])


class Database:
    """A database that SQLAlchemy speaks to; it is connected to when it is used.

    Parameters
    ----------
    url
        SQLAlchemy address. The folder of a file of SQLite is made where it is missing. PostgreSQL is
        ``postgresql+psycopg2://USER:PASSWORD@HOST/DATABASE``; Azure SQL, as the managed identity of the machine,
        ``mssql+mssqlpython://@NAME.database.windows.net/DATABASE?authentication=ActiveDirectoryMSI``.
        The client id of an identity that was assigned stands before the ``@``.
    password
        Asked at each new connection, so that a secret may be rotated under a running process. By default what the
        address says.

    Raises
    ------
    StoreError
        Here: the address cannot be used. In a transaction: the database is locked for too long, or refuses.
    ConnectionLost
        In a transaction: the database cannot be reached, or went away. See `reconnecting`.
    """

    def __init__(self, url: str, password: Callable[[], str] | None = None) -> None:
        self._engine = _engine(url, password)
        # Nobody who forgets to close leaves connections behind, of which Python 3.13 warns.
        weakref.finalize(self, self._engine.dispose)
        # Writers of SQLite take the lock when they begin: one that first read and then wrote would be refused at once.
        self._writer = self._engine.execution_options(writes=True)

    @property
    def name(self) -> str:
        """The address as it may be shown, without what could be secret."""
        return _name(self._engine)

    def close(self) -> None:
        """Give the connections back; it opens again when it is used again."""
        self._engine.dispose()

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that only reads."""
        return _transaction(self._engine)

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction that may write, done when the ``with`` ends, undone when it fails."""
        return _transaction(self._writer)


def reconnecting(work: _Work) -> _Work:
    """Let a function begin anew when it loses its connection; of a class, every public method.

    The pauses grow, and are drawn by chance, so that the processes that lost one server do not return all at once.
    After 90 seconds the last `ConnectionLost` is raised.

    It is for work that is one transaction and sets a state rather than adding to it. Where the answer to a COMMIT is
    lost, nobody knows whether the transaction is done: done again, such work leaves the same rows.
    """
    if isinstance(work, type):
        for name, method in list(vars(work).items()):
            if inspect.isfunction(method) and not name.startswith("_"):
                setattr(work, name, reconnecting(method))
        return work
    repeat = tenacity.retry(
        retry=tenacity.retry_if_exception_type(ConnectionLost),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=_LONGEST_PAUSE_SECONDS),
        stop=lambda attempts: (attempts.seconds_since_start or 0) >= RECONNECT_SECONDS,
        before_sleep=tenacity.before_sleep_log(logging.getLogger(__name__), logging.WARNING),
        reraise=True,
    )
    return cast(_Work, repeat(work))


def _engine(url: str, password: Callable[[], str] | None) -> Engine:
    try:
        address = sa.make_url(url)
        if address.get_backend_name() == "sqlite":
            return _sqlite_engine(address)
        return _server_engine(address, password)
    except (sa.exc.ArgumentError, ImportError) as error:
        # The address itself may hold a password.
        raise StoreError(
            f"the address of the database cannot be used ({type(error).__name__})",
            remedy="Write it as dialect+driver://user:password@host/database, and install that driver",
        ) from error


def _server_engine(address: sa.URL, password: Callable[[], str] | None) -> Engine:
    engine = sa.create_engine(
        address,
        connect_args=_connection_limits(address),
        hide_parameters=True,  # an error is shown with its causes, and a listener's file name is nobody's business
        pool_pre_ping=True,
        pool_recycle=_RECYCLE_SECONDS,
    )
    if address.get_driver_name() == "mssqlpython":
        sa.event.listen(engine, "do_executemany", send_rows)
    if password is None:
        return engine

    @sa.event.listens_for(engine, "do_connect")
    def add_password(dialect: sa.Dialect, _: object, arguments: list[Any], options: dict[str, Any]) -> None:
        # Both are made anew for each connection: nothing keeps the password.
        arguments[:], said = dialect.create_connect_args(address.set(password=password()))
        options.update(said)

    return engine


def _connection_limits(address: sa.URL) -> dict[str, Any]:
    """What lets a driver give up a server that is silent: as they come, most wait for it for ever."""
    if address.get_driver_name() == "mssqlpython":
        return {"timeout": CONNECT_SECONDS}
    if address.get_driver_name() == "psycopg2":
        probes = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
        return {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": 1000 * CONNECT_SECONDS, **probes}
    return {}


def _sqlite_engine(address: sa.URL) -> Engine:
    engine = sa.create_engine(
        address, connect_args={"timeout": sqlite_files.LOCK_SECONDS, "isolation_level": None}, hide_parameters=True
    )
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
        sqlite_files.switch_to_write_ahead_log(connection)
        # NORMAL may lose the last transactions in a power cut, never consistency; what is lost is recomputed.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")

    return engine


@contextmanager
def _transaction(engine: Engine) -> Iterator[Connection]:
    is_connecting = True
    try:
        with engine.connect() as connection, connection.begin():
            is_connecting = False
            yield connection
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        if isinstance(error, sa.exc.DBAPIError) and is_passing(error, is_connecting=is_connecting):
            raise ConnectionLost(
                f"the connection to the database is lost ({reason})",
                subject=_name(engine),
                remedy="Check that it runs, and can be reached from here",
            ) from error
        raise StoreError(
            f"the database refuses ({reason})",
            subject=_name(engine),
            remedy="Check that it is there, its permissions, the disk's space, and who else holds a lock on it",
        ) from error


def _name(engine: Engine) -> str:
    # Drivers take passwords among the options too.
    return engine.url.set(query={}).render_as_string(hide_password=True)


_PASSING_STATES = ("08", "40001", "40P01", "57P01", "57P02", "57P03")
"""Beginnings of SQLSTATE in PostgreSQL: connection, serialization, deadlock, server stopped, crashed, starting."""

_PASSING_MESSAGES = (
    "is not currently available",  # 40613: the database moves, or wakes
    "has encountered an error processing your request",  # 40197
    "service is currently busy",  # 40501
    "Not enough resources to process request",  # 49918
    "Too many create or update operations in progress",  # 49919
    "Too many operations in progress",  # 49920
    "requested by the login. The login failed",  # 4060: the database is not yet attached
    "limit for the database is",  # 10928: workers or sessions
    "is currently too busy to support requests",  # 10929
    "chosen as the deadlock victim",  # 1205
)
"""Parts of the messages of SQL Server; its driver keeps the numbers behind them to itself."""

_REFUSALS = (
    "Failed to load the driver",
    "Login failed for user",
    "authentication failed",
    "does not exist",
    "no pg_hba.conf entry",
    "permission denied",
)
"""Parts of the messages that answer an attempt to connect, and come again however often it is repeated."""

_MISSING_RIGHTS = ("permission", "must be owner", "readonly database")


def is_passing(error: sa.exc.DBAPIError, *, is_connecting: bool) -> bool:
    """Whether the same work may succeed when it is done again a moment later.

    Parameters
    ----------
    error
        What the database said.
    is_connecting
        Whether it said so to an attempt to connect.
    """
    if _is_of_sqlite(error):
        return False  # no server is there to come back, and its time-outs are long enough
    message = str(error.orig)
    state = getattr(error.orig, "pgcode", None) or ""
    if error.connection_invalidated or state.startswith(_PASSING_STATES):
        return True
    if any(part in message for part in _PASSING_MESSAGES):
        return True
    is_refusal = any(part in message for part in _REFUSALS)
    return is_connecting and isinstance(error, sa.exc.OperationalError) and not is_refusal


def lacks_rights(error: BaseException | None) -> bool:
    """Whether a database says that its user may not do what it was asked."""
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    return getattr(error.orig, "pgcode", None) == "42501" or any(part in str(error.orig) for part in _MISSING_RIGHTS)


def _is_of_sqlite(error: sa.exc.DBAPIError) -> bool:
    return type(error.orig).__module__ == "sqlite3"
