"""Tests of opening a database, reconnecting to it, and the errors it raises."""

import logging
import secrets
import socket
import subprocess
import sys
from contextlib import ExitStack, closing

import mssql_python
import pytest
import sqlalchemy as sa
from mssql_python.connection_string_parser import _ConnectionStringParser
from mssql_python.exceptions import sqlstate_to_exception

from mfcc_assets.errors import ConnectionLost, StoreError
from mfcc_assets.storage.sql.catalogue import Catalogue
from mfcc_assets.storage.sql.database import MOST_CONNECTIONS, Database, is_transient, lacks_rights, reconnecting
from mfcc_assets.storage.sql.revisions import open_database
from mfcc_assets_tests.services.processes import free_port
from mfcc_assets_tests.storage.sql.table_rows import observe, observed, recommend

FORGETFUL = """
import sys
from mfcc_assets.storage.sql.database import Database

def use(database):
    with database.reading() as connection:
        connection.exec_driver_sql("SELECT 1")

use(Database(sys.argv[1]))
kept = Database(sys.argv[1])
use(kept)
"""
HOLDER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
time.sleep(2)
print("released", flush=True)
connection.execute("COMMIT")
connection.close()
"""
AZURE_SQL = "mssql+mssqlpython://{user}@mine.database.windows.net/mfcc"


def ask_once(database: Database, question: str = "SELECT 1") -> object:
    with database.reading() as connection:
        return connection.exec_driver_sql(question).scalar()


ask = reconnecting(ask_once)
ask_impatiently = reconnecting(ask_once, seconds=0.2)


def test_a_database_that_is_never_closed_gives_no_resource_warning(url):
    # Python 3.13 warns about connections to SQLite that are never closed.
    program = [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-c", FORGETFUL, url]
    assert subprocess.run(program, capture_output=True, text=True, check=True).stderr == ""


def test_a_file_that_is_not_a_database_is_a_store_error(tmp_path):
    (tmp_path / "file").write_bytes(b"music" * 1000)
    with pytest.raises(StoreError, match="not a database"), Database(f"sqlite:///{tmp_path / 'file'}").reading():
        pass
    with pytest.raises(StoreError, match="cannot be made"):
        Database(f"sqlite:///{tmp_path / 'file/folder/tables.sqlite'}")


@pytest.mark.parametrize(
    "address",
    [
        "no address",
        "nosuchdb://user:hunter2@host/db",
        "sqlite+nosuch:///file",
        "postgresql+psycopg2://user@host:hunter2/db",
    ],
)
def test_an_unusable_address_is_a_store_error_without_its_password(address):
    with pytest.raises(StoreError, match="address of the database") as raised:
        Database(address)
    assert "hunter2" not in str(raised.value)


class TestReconnecting:
    def test_an_address_where_nobody_listens_is_an_error_without_its_password(self, caplog):
        secret = secrets.token_hex(8)
        address = f"postgresql+psycopg2://clerk:{secret}@127.0.0.1:{free_port()}/tables?password={secret}"
        with (
            closing(Database(address)) as database,
            caplog.at_level(logging.WARNING),
            pytest.raises(ConnectionLost, match=r"clerk:\*\*\*@.*Check that it runs") as raised,
        ):
            ask_impatiently(database)
        assert "Retrying" in caplog.text
        assert secret not in f"{raised.value} {raised.value.__cause__} {caplog.text}"

    def test_connecting_to_a_silent_server_times_out(self, monkeypatch):
        monkeypatch.setattr("mfcc_assets.storage.sql.database.CONNECT_SECONDS", 2)  # the shortest time-out of libpq
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = f"postgresql+psycopg2://clerk@127.0.0.1:{silent.getsockname()[1]}/tables"
            with closing(Database(address)) as database, pytest.raises(ConnectionLost, match="timeout expired"):
                ask_impatiently(database)

    @pytest.mark.parametrize(
        ("wrong", "complaint"), [({"database": "nosuch"}, "does not exist"), ({"password": "wrong"}, "authentication")]
    )
    def test_a_refused_connection_is_not_retried(self, postgres, caplog, wrong, complaint):
        with closing(Database(postgres.url(**wrong))) as database, pytest.raises(StoreError, match=complaint) as raised:
            ask(database)
        assert not isinstance(raised.value, ConnectionLost)
        assert caplog.text == ""

    def test_a_refused_statement_is_not_retried(self, owner_url, caplog):
        with closing(Database(owner_url)) as database, pytest.raises(StoreError, match="syntax") as raised:
            ask(database, "SELEC")
        assert not isinstance(raised.value, ConnectionLost)
        assert caplog.text == ""

    @pytest.mark.parametrize(
        ("state", "message", "passes"),
        [
            ("42000", "Database 'mfcc' on server 'mine' is not currently available.  Please retry later.", True),
            ("HY000", "The service has encountered an error processing your request. Error code 1.", True),
            ("42000", "The service is currently busy. Retry the request after 10 seconds.", True),
            ("42000", 'Cannot open database "mfcc" requested by the login. The login failed.', True),
            ("42000", "Resource ID: 1. The request limit for the database is 30 and has been reached.", True),
            ("40001", "Transaction (Process ID 52) was deadlocked and has been chosen as the deadlock victim.", True),
            ("08001", "TCP Provider: Error code 0x2749", True),
            ("HYT00", "Login timeout expired", True),
            ("28000", "Login failed for user 'mfcc'.", False),
            ("42S02", "Invalid object name 'SOUNDTRACKS'.", False),
            ("23000", "Violation of PRIMARY KEY constraint.", False),
        ],
    )
    def test_transient_errors_of_azure_sql_are_recognised_by_their_messages(self, state, message, passes):
        said = sql_server_error(state, f"[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]{message}")
        error = sa.exc.DBAPIError.instance(None, None, said, mssql_python.Error)
        assert isinstance(error, sa.exc.DBAPIError)
        assert is_transient(error, is_connecting=True) == passes

    def test_missing_rights_in_sql_server_are_recognised_by_their_message(self):
        said = sql_server_error("42000", "[Microsoft][SQL Server]CREATE TABLE permission denied in database 'mfcc'.")
        assert lacks_rights(sa.exc.ProgrammingError(None, None, said))
        assert not lacks_rights(sa.exc.ProgrammingError(None, None, sql_server_error("42000", "[M][S]no")))
        assert not lacks_rights(None)


class TestSqlite:
    @pytest.fixture
    def url(self, sqlite_url: str) -> str:
        return sqlite_url

    def test_a_writer_waits_for_another_process_and_a_reader_does_not(self, catalogue, url):
        observe(catalogue, observed("a.mp3"))
        path = sa.make_url(url).database or ""
        with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            assert len(catalogue.soundtracks()) == 1
            assert holder.poll() is None
            observe(catalogue, observed("b.mp3"))
            assert holder.stdout.readline() == "released\n"
        assert len(catalogue.soundtracks()) == 2

    def test_a_lock_that_is_held_too_long_is_a_store_error_and_not_retried(self, url, monkeypatch):
        monkeypatch.setattr("mfcc_assets.storage.sqlite_files.LOCK_SECONDS", 0.1)
        with (
            closing(open_database(url)) as database,
            closing(Database(url)) as other,
            other.writing(),
            pytest.raises(StoreError, match=r"database is locked.*who else holds a lock") as raised,
        ):
            observe(Catalogue(database), observed("a.mp3"))
        assert not isinstance(raised.value, ConnectionLost)

    def test_deleting_a_soundtrack_deletes_its_recommendations(self, database, catalogue, recommendations):
        observe(catalogue, observed("a"))
        recommend(recommendations, "query", "a")
        with database.writing() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            connection.exec_driver_sql('DELETE FROM "SOUNDTRACKS"')
        assert recommendations.recommended("query") == []


class TestPasswords:
    def test_a_rotated_password_is_used_by_the_next_connection(self, postgres, owner_url):
        postgres.execute("CREATE USER rotated")
        present = [secrets.token_hex(8)]
        address = sa.make_url(owner_url).set(username="rotated", password=None).render_as_string()
        with closing(Database(address, lambda: present[-1])) as database:
            for _ in range(2):
                postgres.execute(f"ALTER USER rotated PASSWORD '{present[-1]}'")
                assert ask(database) == 1
                with database.reading() as connection:
                    engine = connection.engine
                present.append(secrets.token_hex(8))
                database.close()
            with pytest.raises(StoreError, match="authentication failed") as raised:
                ask(database)
            told = f"{raised.value} {raised.value.__cause__} {engine!r} {engine.url} {database.name}"
        postgres.execute("DROP USER rotated")
        assert not any(secret in told for secret in present)

    def test_the_driver_of_azure_sql_receives_a_quoted_password(self, monkeypatch):
        secret = "a;b}{c"
        said = connection_string(AZURE_SQL.format(user="clerk") + "?Encrypt=yes", monkeypatch, lambda: secret)
        assert said["uid"] == "clerk"
        assert said["pwd"] == secret
        assert said["server"] == "mine.database.windows.net"
        assert said["encrypt"] == "yes"

    @pytest.mark.parametrize("user", ["", "0b5c6f5e"])
    def test_a_managed_identity_connects_to_azure_sql_without_a_password(self, monkeypatch, user):
        said = connection_string(AZURE_SQL.format(user=user) + "?authentication=ActiveDirectoryMSI", monkeypatch)
        assert said["authentication"] == "ActiveDirectoryMSI"
        assert said["database"] == "mfcc"
        assert said.get("uid", "") == user
        assert "pwd" not in said


def sql_server_error(state: str, message: str) -> Exception:
    """Return the error that the driver of SQL Server raises for a state and a message."""
    error = sqlstate_to_exception(state, message)
    assert isinstance(error, Exception)
    return error


def connection_string(address, monkeypatch, password=None) -> dict[str, str]:
    """Return the options that the driver of SQL Server receives when it connects, as the driver parses them."""
    given = []

    def connect(text, **options):
        given.append((text, options))
        raise sql_server_error("28000", "[Microsoft][SQL Server]Login failed for user 'clerk'.")

    monkeypatch.setattr("mssql_python.connect", connect)
    with closing(Database(address, password)) as database, pytest.raises(StoreError, match="Login failed"):
        ask(database)
    [(text, options)] = given
    assert options == {"timeout": 30}
    return _ConnectionStringParser(validate_keywords=True)._parse(text)  # noqa: SLF001  the driver has no public parser


def test_so_many_threads_can_use_a_database_and_the_next_is_told_to_wait(url, monkeypatch):
    monkeypatch.setattr("mfcc_assets.storage.sql.database.WAIT_SECONDS", 0.1)
    database = Database(url)
    with ExitStack() as reading, pytest.raises(StoreError, match=f"all {MOST_CONNECTIONS} connections"):  # noqa: PT012
        for _ in range(MOST_CONNECTIONS):
            reading.enter_context(database.reading())
        ask_once(database)
    assert ask_once(database) == 1
    database.close()


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:a?uri=true&mode=memory"])
def test_a_database_in_memory_can_be_used(address: str) -> None:
    with closing(Database(address)) as database, database.reading() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:////tmp/a.db?timeout=long",
        "sqlite:////tmp/a.db?check_same_thread=maybe",
        "sqlite:////tmp/a.db?timeout=1&timeout=2",
        "sqlite:///%00",
        "mssql+mssqlpython://host/tables?colour=blue",
        "mssql+mssqlpython://",
        "postgresql+psycopg2://127.0.0.1:1/tables?connection_factory=a",
        "postgresql+psycopg2://127.0.0.1:1/tables?async=1",
        "postgresql+psycopg2://127.0.0.1:1/tables?options=%00",
    ],
)
def test_an_option_of_an_address_that_no_driver_accepts_gives_one_sentence(address: str) -> None:
    with (
        pytest.raises(StoreError, match="the address of the database cannot be used"),
        closing(Database(address)) as database,
        database.reading(),
    ):
        pass
