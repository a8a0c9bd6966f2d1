"""How a database is reached, and what is said of one that cannot be."""

import logging
import secrets
import socket
import subprocess
import sys
from contextlib import closing

import mssql_python
import pytest
import sqlalchemy as sa
from mssql_python.connection_string_parser import _ConnectionStringParser
from mssql_python.exceptions import sqlstate_to_exception

from mfcc_assets.errors import ConnectionLost, StoreError
from mfcc_assets.storage.sql.database import Database, is_passing, lacks_rights, reconnecting
from mfcc_assets_tests.services.processes import free_port

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
AZURE_SQL = "mssql+mssqlpython://{user}@mine.database.windows.net/mfcc"


@reconnecting
def ask(database: Database, question: str = "SELECT 1") -> object:
    with database.reading() as connection:
        return connection.exec_driver_sql(question).scalar()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("mfcc_assets.storage.sql.database.RECONNECT_SECONDS", 0.2)
    monkeypatch.setattr("mfcc_assets.storage.sql.database.CONNECT_SECONDS", 2)  # libpq waits no less


def test_who_forgets_to_close_is_not_warned_of_connections(url):
    # Python 3.13 warns of connections to SQLite that nobody closed.
    program = [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-c", FORGETFUL, url]
    assert subprocess.run(program, capture_output=True, text=True, check=True).stderr == ""


def test_a_file_that_is_no_database_says_so(tmp_path):
    (tmp_path / "file").write_bytes(b"music" * 1000)
    with pytest.raises(StoreError, match="not a database"), Database(f"sqlite:///{tmp_path / 'file'}").reading():
        pass
    with pytest.raises(StoreError, match="cannot be made"):
        Database(f"sqlite:///{tmp_path / 'file/folder/tables.sqlite'}")


@pytest.mark.parametrize("address", ["no address", "nosuchdb://user:hunter2@host/db", "sqlite+nosuch:///file"])
def test_an_address_that_no_driver_takes_is_a_store_error_that_keeps_its_password(address):
    with pytest.raises(StoreError, match="address of the database") as raised:
        Database(address)
    assert "hunter2" not in str(raised.value)


class TestReconnecting:
    @pytest.mark.usefixtures("impatient")
    def test_an_address_where_nobody_listens_is_told_after_a_while_without_its_password(self, caplog):
        secret = secrets.token_hex(8)
        address = f"postgresql+psycopg2://clerk:{secret}@127.0.0.1:{free_port()}/tables?password={secret}"
        with (
            closing(Database(address)) as database,
            caplog.at_level(logging.WARNING),
            pytest.raises(ConnectionLost, match=r"clerk:\*\*\*@.*Check that it runs") as raised,
        ):
            ask(database)
        assert "Retrying" in caplog.text
        assert secret not in f"{raised.value} {raised.value.__cause__} {caplog.text}"

    @pytest.mark.usefixtures("impatient")
    def test_an_address_that_never_answers_is_given_up(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = f"postgresql+psycopg2://clerk@127.0.0.1:{silent.getsockname()[1]}/tables"
            with closing(Database(address)) as database, pytest.raises(ConnectionLost, match="timeout expired"):
                ask(database)

    @pytest.mark.parametrize(
        ("wrong", "complaint"), [({"database": "nosuch"}, "does not exist"), ({"password": "wrong"}, "authentication")]
    )
    def test_a_server_that_refuses_is_not_asked_again(self, postgres, caplog, wrong, complaint):
        with closing(Database(postgres.url(**wrong))) as database, pytest.raises(StoreError, match=complaint) as raised:
            ask(database)
        assert not isinstance(raised.value, ConnectionLost)
        assert caplog.text == ""

    def test_what_a_database_refuses_is_not_asked_again(self, owner_url, caplog):
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
    def test_what_passes_in_azure_sql_is_known_by_its_message(self, state, message, passes):
        said = sqlstate_to_exception(state, f"[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]{message}")
        error = sa.exc.DBAPIError.instance(None, None, said, mssql_python.Error)
        assert isinstance(error, sa.exc.DBAPIError)
        assert is_passing(error, is_connecting=True) == passes

    def test_a_right_that_is_missing_in_sql_server_is_known_by_its_message(self):
        said = sqlstate_to_exception(
            "42000", "[Microsoft][SQL Server]CREATE TABLE permission denied in database 'mfcc'."
        )
        assert lacks_rights(sa.exc.ProgrammingError(None, None, said))
        assert not lacks_rights(sa.exc.ProgrammingError(None, None, sqlstate_to_exception("42000", "[M][S]no")))
        assert not lacks_rights(None)


class TestPasswords:
    def test_one_that_was_rotated_counts_from_the_next_connection_on(self, postgres, owner_url):
        postgres.execute("CREATE USER rotated")
        present = [secrets.token_hex(8)]
        address = sa.make_url(owner_url).set(username="rotated", password=None).render_as_string()
        with closing(Database(address, lambda: present[-1])) as database:
            for _ in range(2):
                postgres.execute(f"ALTER USER rotated PASSWORD '{present[-1]}'")
                assert ask(database) == 1
                present.append(secrets.token_hex(8))
                database.close()
            with pytest.raises(StoreError, match="authentication failed") as raised:
                ask(database)
            told = (
                f"{raised.value} {raised.value.__cause__} {database._engine!r} {database._engine.url} {database.name}"
            )
        postgres.execute("DROP USER rotated")
        assert not any(secret in told for secret in present)

    def test_azure_sql_is_told_the_password_in_quotes_it_cannot_leave(self, monkeypatch):
        secret = "a;b}{c"
        said = connection_string(AZURE_SQL.format(user="clerk") + "?Encrypt=yes", monkeypatch, lambda: secret)
        assert said["uid"] == "clerk"
        assert said["pwd"] == secret
        assert said["server"] == "mine.database.windows.net"
        assert said["encrypt"] == "yes"

    @pytest.mark.parametrize("user", ["", "0b5c6f5e"])
    def test_azure_sql_is_reached_as_a_managed_identity_without_a_password(self, monkeypatch, user):
        said = connection_string(AZURE_SQL.format(user=user) + "?authentication=ActiveDirectoryMSI", monkeypatch)
        assert said["authentication"] == "ActiveDirectoryMSI"
        assert said["database"] == "mfcc"
        assert said.get("uid", "") == user
        assert "pwd" not in said


def connection_string(address, monkeypatch, password=None) -> dict[str, str]:
    """What the driver of SQL Server is given when it is to connect, as it reads it."""
    given = []

    def connect(text, **options):
        given.append((text, options))
        raise sqlstate_to_exception("28000", "[Microsoft][SQL Server]Login failed for user 'clerk'.")

    monkeypatch.setattr("mssql_python.connect", connect)
    with closing(Database(address, password)) as database, pytest.raises(StoreError, match="Login failed"):
        ask(database)
    [(text, options)] = given
    assert options == {"timeout": 30}
    return _ConnectionStringParser(validate_keywords=True)._parse(text)
