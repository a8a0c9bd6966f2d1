"""Records the statements that SQLAlchemy would send to SQL Server, with a driver that needs no server.

As a plugin of pytest it compiles each statement that a test sends to SQLite for SQL Server too, and prints all of them
at the end.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from types import SimpleNamespace
from typing import Any

import mssql_python
import pytest
import sqlalchemy as sa
from mssql_python.parameter_helper import detect_and_convert_parameters

from mfcc_assets.storage.sql.added_files import AddedFiles
from mfcc_assets.storage.sql.api_keys import ApiKeys
from mfcc_assets.storage.sql.browsing import Browsing
from mfcc_assets.storage.sql.catalogue import Catalogue
from mfcc_assets.storage.sql.player_lists import PlayerLists
from mfcc_assets.storage.sql.recommendations import Recommendations

ANSWERS = {"@@version": "Microsoft SQL Azure (RTM) - 12.0.2000.8", "schema_name": "dbo"}
MARK = "Recorded: "
RECORD = pytest.StashKey[str]()
STORES = (AddedFiles, ApiKeys, Browsing, Catalogue, PlayerLists, Recommendations)


class _Cursor:
    rowcount = 1
    lastrowid = None
    description: list[tuple[Any, ...]] | None = None

    def __init__(self, server: "RecordedSqlServer") -> None:
        self._server = server
        self._answers: list[tuple[str]] = []

    def execute(self, statement: str, parameters: Any = ()) -> None:
        if self._server.is_introducing_itself:
            self.description = [("ANSWER", *[None] * 6)]
            self._answers = [(next((answer for part, answer in ANSWERS.items() if part in statement), ""),)]
        else:
            sent, values = detect_and_convert_parameters(statement, parameters)
            recorded = self._server.recorded
            recorded[sent] = max(recorded.get(sent, 0), len(values or ()))

    def executemany(self, statement: str, rows: Any) -> None:
        self.execute(statement, rows[0])

    def fetchone(self) -> Any:
        return self._answers.pop() if self._answers else None

    def fetchall(self) -> list[tuple[str]]:
        return self._answers

    def close(self) -> None:
        pass


class _Connection:
    autocommit = False

    def __init__(self, server: "RecordedSqlServer") -> None:
        self._server = server

    def cursor(self) -> _Cursor:
        return _Cursor(self._server)

    def rollback(self) -> None:
        pass

    commit = close = rollback


class RecordedSqlServer:
    """Accepts every statement of SQLAlchemy. It answers only the questions that SQLAlchemy asks on connecting.

    Attributes
    ----------
    recorded
        The largest number of parameters of each statement, by the text that the driver sends.
    """

    def __init__(self) -> None:
        self.recorded: dict[str, int] = {}
        driver = SimpleNamespace(
            **{name: getattr(mssql_python, name) for name in dir(mssql_python) if name.endswith("Error")},
            connect=lambda *_, **__: _Connection(self),
            paramstyle=mssql_python.paramstyle,
            pooling=lambda **_: None,
            __version__=mssql_python.__version__,
        )
        self.engine = sa.create_engine("mssql+mssqlpython://server/mfcc", module=driver)
        self.is_introducing_itself = True
        self.engine.connect().close()
        self.is_introducing_itself = False

    def take(self, statement: sa.Executable, parameters: Any) -> None:
        # SQLAlchemy finds that the answer has no rows only after it sent the statement.
        with suppress(sa.exc.ResourceClosedError), self.engine.begin() as connection:
            connection.execute(statement, parameters)


@pytest.fixture(scope="session", autouse=True)
def _recorded_sql_server(pytestconfig: pytest.Config) -> Any:
    server = RecordedSqlServer()

    @sa.event.listens_for(sa.Engine, "before_execute")
    def record(connection: sa.Connection, statement: Any, many: Any, one: Any, _: object) -> None:
        is_written_for_sqlite = isinstance(statement, sa.TextClause)
        if connection.dialect.name == "sqlite" and not is_written_for_sqlite:
            server.take(statement, many or one)

    called: set[str] = set()
    with pytest.MonkeyPatch.context() as patches:
        for store in STORES:
            for name, method in public_methods(store).items():
                patches.setattr(store, name, _noting(called, method))
        yield
    sa.event.remove(sa.Engine, "before_execute", record)
    pytestconfig.stash[RECORD] = json.dumps([server.recorded, sorted(called)])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.write_line(f"{MARK}{config.stash[RECORD]}")


def public_methods(store: type) -> dict[str, Callable[..., Any]]:
    return {name: member for name, member in vars(store).items() if not name.startswith("_")}


def _noting(called: set[str], method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def noted(*arguments: Any, **options: Any) -> Any:
        called.add(method.__qualname__)
        return method(*arguments, **options)

    return noted
