"""What SQLAlchemy would send to SQL Server, without one: a driver that writes down what it is given.

As a plugin of pytest it asks SQL Server all that tests of the tables ask SQLite, and prints what was sent at the end.
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
from mfcc_assets.storage.sql.tables import Tables
from mssql_python.parameter_helper import detect_and_convert_parameters

ANSWERS = {"@@version": "Microsoft SQL Azure (RTM) - 12.0.2000.8", "schema_name": "dbo"}
MARK = "Recorded: "
RECORD = pytest.StashKey[str]()


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
    """Takes any statement of SQLAlchemy, and has an answer to none but to what it is asked first.

    Attributes
    ----------
    recorded
        Every statement as the driver sends it, with the most parameters it had.
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
        # It was sent before SQLAlchemy finds that rows are missing in the answer.
        with suppress(sa.exc.ResourceClosedError), self.engine.begin() as connection:
            connection.execute(statement, parameters)


@pytest.fixture(scope="session", autouse=True)
def _recorded_sql_server(pytestconfig: pytest.Config) -> Any:
    server = RecordedSqlServer()

    @sa.event.listens_for(sa.Engine, "before_execute")
    def ask_it_too(connection: sa.Connection, statement: Any, many: Any, one: Any, _: object) -> None:
        is_written_for_sqlite = isinstance(statement, sa.TextClause)
        if connection.dialect.name == "sqlite" and not is_written_for_sqlite:
            server.take(statement, many or one)

    called: set[str] = set()
    with pytest.MonkeyPatch.context() as patches:
        for name, method in public_methods(Tables).items():
            patches.setattr(Tables, name, _noting(called, method))
        yield
    sa.event.remove(sa.Engine, "before_execute", ask_it_too)
    pytestconfig.stash[RECORD] = json.dumps([server.recorded, sorted(called)])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.write_line(f"{MARK}{config.stash[RECORD]}")


def public_methods(of: type) -> dict[str, Callable[..., Any]]:
    return {name: member for name, member in vars(of).items() if not name.startswith("_")}


def _noting(called: set[str], method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def noted(*arguments: Any, **options: Any) -> Any:
        called.add(method.__name__)
        return method(*arguments, **options)

    return noted
