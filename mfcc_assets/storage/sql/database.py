"""Connections to the database of a library through SQLAlchemy: SQLite by default, PostgreSQL or Azure SQL."""

import inspect
import logging
import sqlite3
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import sqlalchemy as sa
import tenacity
from sqlalchemy.engine import Connection, Engine

from mfcc_assets.errors import ConnectionLost, RightMissing, StoreError
from mfcc_assets.extras import needs_extra
from mfcc_assets.storage import disk_space, sqlite_files
from mfcc_assets.storage.sql.sql_server_rows import send_rows

CONNECT_SECONDS = 30
"""Time-out of one attempt to connect. Azure SQL needs this much."""

_LONGEST_PAUSE_SECONDS = 10

# Azure's gateways drop connections that were idle for 30 minutes.
_RECYCLE_SECONDS = 1200
KEPT_CONNECTIONS, MOST_CONNECTIONS = 8, 40
"""Connections that a process keeps open, and that it may have open. Most servers allow one user about a hundred."""

WAIT_SECONDS = 10
"""Time for which a thread waits for a connection while all are in use."""

_Work = TypeVar("_Work", bound=Callable[..., Any])


class Database:
    """A database that is connected on its first use.

    Parameters
    ----------
    url
        Address as SQLAlchemy writes it. For SQLite, the folder of the file is made if it is missing. For PostgreSQL it
        is ``postgresql+psycopg2://USER:PASSWORD@HOST/DATABASE``. For Azure SQL with the managed identity of the machine
        it is ``mssql+mssqlpython://@NAME.database.windows.net/DATABASE?authentication=ActiveDirectoryMSI``, with the
        client id before the ``@`` if the identity is user-assigned.
    password
        Function that returns the password. It is called for each new connection, so that a secret can be rotated
        while the process runs. By default the password in the address is used.

    Raises
    ------
    StoreError
        From the constructor, if the address cannot be used. From a transaction, if the database is locked for too long
        or refuses.
    ConnectionLost
        From a transaction, if the database cannot be reached or the connection ends. See `reconnecting`.
    """

    def __init__(self, url: str, password: Callable[[], str] | None = None) -> None:
        self._engine = _engine(url, password)
        # Connections end even if `close` is never called. Python 3.13 would warn about open ones.
        weakref.finalize(self, self._engine.dispose)
        # A transaction in SQLite that first read and then wrote could be refused at once. So writers take the lock when
        # they begin.
        self._writer = self._engine.execution_options(writes=True)

    @property
    def name(self) -> str:
        """The address without passwords, for messages."""
        return _name(self._engine)

    def close(self) -> None:
        """Close the connections. They are opened again on the next use."""
        self._engine.dispose()

    def check(self) -> None:
        """Check the file of a database in SQLite. Raises `StoreError` if it is damaged."""
        if self._engine.dialect.name != "sqlite":
            return  # a server checks its own files
        with self.reading() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if found != "ok":
            raise _damaged(self._engine, str(found))

    def empty_log(self) -> None:
        """Remove what was deleted from the write-ahead log of SQLite too, unless another process is reading it."""
        if self._engine.dialect.name == "sqlite":
            with closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute(sqlite_files.EMPTY_LOG).fetchall()

    def reading(self) -> AbstractContextManager[Connection]:
        """Begin a transaction that only reads."""
        return _transaction(self._engine)

    def writing(self) -> AbstractContextManager[Connection]:
        """Begin a transaction that may write. The end of the ``with`` commits it, and an error rolls it back."""
        return _transaction(self._writer)


def reconnecting(work: _Work, *, seconds: float = 90) -> _Work:
    """Decorate a function, or every public method of a class, to start again when the connection is lost.

    The pauses are random and grow, so that many processes that lost one server do not all return at once.

    Decorate only functions that consist of one transaction and set a state rather than adding to it. If the answer to a
    COMMIT is lost, nobody knows whether the transaction was done, and repeating such a function leaves the same rows.

    Parameters
    ----------
    work
        The function or the class.
    seconds
        Time after which the last `ConnectionLost` is raised. A paused serverless Azure SQL takes up to a minute to
        resume.
    """
    if isinstance(work, type):
        for name, method in list(vars(work).items()):
            if inspect.isfunction(method) and not name.startswith("_"):
                setattr(work, name, reconnecting(method, seconds=seconds))
        return work
    repeat = tenacity.retry(
        retry=tenacity.retry_if_exception_type(ConnectionLost),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=_LONGEST_PAUSE_SECONDS),
        stop=lambda attempts: (attempts.seconds_since_start or 0) >= seconds,
        before_sleep=tenacity.before_sleep_log(logging.getLogger(__name__), logging.WARNING),
        reraise=True,
    )
    return cast("_Work", repeat(work))


_EXTRAS = {"mssql+mssqlpython": "sqlserver", "postgresql+psycopg2": "postgresql"}
"""Extra that brings each supported driver, by the dialect and the driver."""


def _engine(url: str, password: Callable[[], str] | None) -> Engine:
    engine = _engine_for(url, password)

    # This listener is the last one, so the others have completed the arguments.
    @sa.event.listens_for(engine, "do_connect")
    def connect(dialect: sa.Dialect, _: object, arguments: list[Any], options: dict[str, Any]) -> Any:
        drivers_own = dialect.loaded_dbapi.Error if dialect.loaded_dbapi else sa.exc.DBAPIError
        try:
            return dialect.connect(*arguments, **options)
        except (drivers_own, OSError):
            raise
        except Exception as error:  # drivers raise errors of any kind for options that they do not know
            raise _unusable(error) from error

    return engine


def _engine_for(url: str, password: Callable[[], str] | None) -> Engine:
    try:
        address = _parsed(url)
        driver = f"{address.get_backend_name()}+{address.get_driver_name()}"
        if driver == "sqlite+pysqlite":
            return _sqlite_engine(address)
        if driver not in _EXTRAS:
            raise StoreError(
                f"the address of the database names the driver {driver}, which is not supported",
                remedy=f"Use one of: sqlite, {', '.join(_EXTRAS)}",
            )
        with needs_extra(_EXTRAS[driver], f"Tables over {driver}"):
            return _server_engine(address, password)
    except (sa.exc.ArgumentError, TypeError, ValueError) as error:
        raise _unusable(error) from error


def _unusable(error: Exception) -> StoreError:
    # The message does not contain the address, which may hold a password.
    return StoreError(
        f"the address of the database cannot be used ({type(error).__name__})",
        remedy="Write it as dialect+driver://user:password@host/database?option=value, with options that the driver "
        "knows, and install that driver",
    )


def _parsed(url: str) -> sa.URL:
    try:
        return sa.make_url(url)
    except ValueError:
        # The message of SQLAlchemy's error contains a part of the address, which may belong to a password.
        raise StoreError(
            "the port in the address of the database is not a number",
            remedy="Write it as dialect+driver://user:password@host:port/database",
        ) from None


def _server_engine(address: sa.URL, password: Callable[[], str] | None) -> Engine:
    engine = sa.create_engine(
        address,
        connect_args=_connection_limits(address),
        hide_parameters=True,  # errors are shown, and names of listeners' files are private
        pool_pre_ping=True,
        pool_recycle=_RECYCLE_SECONDS,
        **_pool(),
    )
    if address.get_driver_name() == "mssqlpython":
        sa.event.listen(engine, "do_executemany", send_rows)
    if password is None:
        return engine

    @sa.event.listens_for(engine, "do_connect")
    def add_password(dialect: sa.Dialect, _: object, arguments: list[Any], options: dict[str, Any]) -> None:
        # The arguments are made anew for each connection, so that nothing keeps the password.
        arguments[:], new_options = dialect.create_connect_args(address.set(password=password()))
        options.update(new_options)

    return engine


def _pool() -> dict[str, Any]:
    # The pages have a hundred threads and more. Each holds a connection for the moment of one transaction.
    others = MOST_CONNECTIONS - KEPT_CONNECTIONS
    return {"pool_size": KEPT_CONNECTIONS, "max_overflow": others, "pool_timeout": WAIT_SECONDS}


def _connection_limits(address: sa.URL) -> dict[str, Any]:
    """Return options with which a driver gives up on a silent server. By default most drivers wait for ever."""
    if address.get_driver_name() == "mssqlpython":
        return {"timeout": CONNECT_SECONDS}
    if address.get_driver_name() == "psycopg2":
        probes = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
        return {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": 1000 * CONNECT_SECONDS, **probes}
    return {}


def _sqlite_engine(address: sa.URL) -> Engine:
    is_in_memory = address.database in (None, "", ":memory:") or address.query.get("mode") == "memory"
    file = None if is_in_memory else Path(address.database or "")
    engine = sa.create_engine(
        address,
        connect_args={"timeout": sqlite_files.LOCK_SECONDS, "isolation_level": None},
        hide_parameters=True,
        # A database in memory has one connection for each thread.
        **({"poolclass": sa.pool.SingletonThreadPool} if file is None else _pool()),
    )
    if file is not None:
        _make_folder(file.parent)

    @sa.event.listens_for(engine, "do_connect")
    def read_in_a_read_only_folder(_: sa.Dialect, __: object, arguments: list[Any], options: dict[str, Any]) -> None:
        unchanging = None if file is None else sqlite_files.address_of_unchanging(file)
        if unchanging is not None:
            arguments[:] = [unchanging]
            options["uri"] = True

    @sa.event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        sqlite_files.switch_to_write_ahead_log(connection)
        # With NORMAL a power cut may lose the last transactions, which are recomputed, but never consistency.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
        # Otherwise every list of a large library that is in order passes through a temporary file.
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute(sqlite_files.OVERWRITE_DELETED)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")

    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the folder of the database cannot be made ({error.strerror})",
            subject=str(folder),
            remedy="Check its permissions",
        ) from error


@contextmanager
def _transaction(engine: Engine) -> Iterator[Connection]:
    is_connecting = True
    try:
        with engine.connect() as connection, connection.begin():
            is_connecting = False
            yield connection
    except sa.exc.TimeoutError as error:
        raise StoreError(
            f"all {MOST_CONNECTIONS} connections to the database are in use",
            subject=_name(engine),
            remedy="Try again in a few seconds",
        ) from error
    except sa.exc.DBAPIError as error:
        raise _error_of_transaction(engine, error, is_connecting=is_connecting) from error


def _error_of_transaction(engine: Engine, error: sa.exc.DBAPIError, *, is_connecting: bool) -> StoreError:
    # The text of SQLAlchemy's own errors ends with the address of a page about them.
    reason, file = " ".join(str(error.orig or error.args[0]).split()), Path(engine.url.database or "")
    if is_transient(error, is_connecting=is_connecting):
        return ConnectionLost(
            f"the connection to the database is lost ({reason})",
            subject=_name(engine),
            remedy="Check that it runs, and can be reached from here",
        )
    if sqlite_files.is_damage(error.orig):
        return _damaged(engine, reason)
    if disk_space.means_full(error.orig):
        return disk_space.full_disk(file.parent)
    if sqlite_files.means_read_only(error.orig, file):
        return StoreError(
            f"the database cannot be written ({reason})", subject=_name(engine), remedy=sqlite_files.WRITABLE
        )
    return (RightMissing if lacks_rights(error) else StoreError)(
        f"the database refuses ({reason})",
        subject=_name(engine),
        remedy="Check that it exists, its permissions, the disk's space, and who else holds a lock on it",
    )


def _damaged(engine: Engine, reason: str) -> StoreError:
    return StoreError(
        f"the file of the database is damaged ({reason})",
        subject=_name(engine),
        remedy="Move it away, and run `mfcc sync`, which reads all soundtracks in again",
    )


def _name(engine: Engine) -> str:
    # The options may also contain a password.
    return engine.url.set(query={}).render_as_string(hide_password=True)


_TRANSIENT_STATES = ("08", "40001", "40P01", "57P01", "57P02", "57P03")
"""Prefixes of SQLSTATE in PostgreSQL: connection lost, serialization, deadlock, server stopped, crashed, starting."""

_TRANSIENT_MESSAGES = (
    "is not currently available",  # 40613: the database moves or resumes
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
"""Parts of messages of SQL Server. Its driver does not pass on the error numbers."""

_REFUSALS = (
    "Failed to load the driver",
    "invalid port number",
    "Login failed for user",
    "authentication failed",
    "does not exist",
    "no pg_hba.conf entry",
    "permission denied",
)
"""Parts of messages that refuse a connection for a lasting reason."""

_MISSING_RIGHTS = ("permission", "must be owner")


def is_transient(error: sa.exc.DBAPIError, *, is_connecting: bool) -> bool:
    """Return whether the same work may succeed a moment later.

    Parameters
    ----------
    error
        Error of the database.
    is_connecting
        Whether the error answers an attempt to connect.
    """
    if _is_of_sqlite(error):
        return False  # there is no server that could come back, and the time-out of a lock is long enough
    message = str(error.orig)
    state = getattr(error.orig, "pgcode", None) or ""
    if error.connection_invalidated or state.startswith(_TRANSIENT_STATES):
        return True
    if any(part in message for part in _TRANSIENT_MESSAGES):
        return True
    is_refusal = any(part in message for part in _REFUSALS)
    return is_connecting and isinstance(error, sa.exc.OperationalError) and not is_refusal


def lacks_rights(error: BaseException | None) -> bool:
    """Return whether an error of a database means that the user lacks a right."""
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    return getattr(error.orig, "pgcode", None) == "42501" or any(part in str(error.orig) for part in _MISSING_RIGHTS)


def _is_of_sqlite(error: sa.exc.DBAPIError) -> bool:
    return type(error.orig).__module__ == "sqlite3"
