"""What the users of a database may do: what they need, and nothing else."""

import secrets
from collections.abc import Iterator
from contextlib import closing
from uuid import UUID

import pytest
import sqlalchemy as sa
from mfcc_assets.storage.sql.tables import Tables

from mfcc_assets.errors import StoreError
from mfcc_assets.storage.sql.database import Database
from mfcc_assets.storage.sql.grants import STATEMENTS, User, grant_access
from mfcc_assets_tests.services.postgres import Postgres
from mfcc_assets_tests.storage.sql.recorded_sql_server import RecordedSqlServer
from mfcc_assets_tests.storage.sql.table_rows import observe, observed, recommend, reject

UNUSUAL = """o'brien"; DROP TABLE "SOUNDTRACKS"; -- %s %(x)s :y ]"""
CHANGES = [
    'DROP TABLE "REJECTS"',
    'DROP VIEW "RECOMMENDED_SOUNDTRACKS"',
    "CREATE TABLE mine (x INT)",
    'ALTER TABLE "REJECTS" ADD COLUMN mine INT',
    'TRUNCATE "REJECTS"',
    "DELETE FROM alembic_version",
    "CREATE ROLE mine",
    "CREATE SCHEMA mine",
]


def may_not(url: str, statement: str) -> bool:
    with (
        closing(Database(url)) as database,
        pytest.raises(StoreError, match=r"permission denied|must be owner"),
        database.writing() as connection,
    ):
        connection.exec_driver_sql(statement)
    return True


@pytest.fixture
def user(postgres: Postgres) -> Iterator[str]:
    """The name of a user who has no rights yet."""
    name = f"user-{secrets.token_hex(4)}"
    postgres.execute(f"CREATE USER \"{name}\" PASSWORD '{postgres.password}'")
    yield name
    postgres.execute(f'DROP USER "{name}"')


@pytest.fixture
def user_url(owner_url: str, user: str) -> str:
    return sa.make_url(owner_url).set(username=user).render_as_string(hide_password=False)


@pytest.mark.parametrize("change", CHANGES)
def test_a_writer_changes_rows_as_all_tests_of_the_tables_do_and_nothing_else(postgresql_url, change):
    assert may_not(postgresql_url, change)


def test_a_reader_reads_soundtracks_and_recommendations_and_nothing_else(owner_url, user, user_url):
    with Tables(owner_url) as tables:
        observe(tables, *map(observed, "ab"))
        recommend(tables, "query", "b")
        grant_access(tables.database, writers=[], readers=[User(user)])
    with Tables(user_url) as tables:
        assert [row.blob_name for row in tables.recommended("query")] == ["b"]
        assert [track.blob_name for track in tables.soundtracks()] == ["a", "b"]
        for forbidden in (
            lambda: tables.contents(["digest"]),
            tables.rejects,
            tables.dangling_recommendations,
            lambda: observe(tables, observed("c")),
            lambda: tables.record_reject(reject(observed("a")), run_id="run"),
        ):
            with pytest.raises(StoreError, match="permission denied"):
                forbidden()
    assert all(may_not(user_url, change) for change in CHANGES)


def test_who_was_given_no_role_reads_nothing(user_url):
    with pytest.raises(StoreError, match="may not change it"):
        Tables(user_url)


def test_rights_that_a_role_got_beside_are_taken_back_when_it_is_renewed(owner_url, user, user_url):
    with closing(Database(owner_url)) as database:
        grant_access(database, writers=[], readers=[User(user)])
        with database.writing() as connection:
            connection.exec_driver_sql('GRANT SELECT, DELETE ON "REJECTS", "SOUNDTRACKS" TO mfcc_reader')
        grant_access(database, writers=[], readers=[])
    assert may_not(user_url, 'DELETE FROM "SOUNDTRACKS"')
    assert may_not(user_url, 'SELECT * FROM "REJECTS"')


def test_a_name_is_a_name_whatever_it_holds(postgres, owner_url):
    quoted = UNUSUAL.replace('"', '""')
    doubled = quoted.replace("%", "%%")  # as the driver takes a statement
    postgres.execute(f'CREATE USER "{doubled}"')
    with Tables(owner_url) as tables:
        grant_access(tables.database, writers=[User(UNUSUAL)], readers=[])
        [[members]] = postgres.execute(
            "SELECT array_agg(member::regrole::text) FROM pg_auth_members WHERE roleid = 'mfcc_writer'::regrole"
        )
        assert tables.progress() == (0, 0)
    postgres.execute(f'DROP USER "{doubled}"')
    assert f'"{quoted}"' in members


def test_in_azure_sql_a_name_is_quoted_and_made_a_user_where_it_is_none():
    server = RecordedSqlServer()
    with server.engine.begin() as connection:
        for statement in STATEMENTS["mssql"](connection, "mfcc_writer", [User(UNUSUAL)]):
            connection.exec_driver_sql(statement)
    *_, user, member = server.recorded
    name, text = UNUSUAL.replace("]", "]]"), UNUSUAL.replace("'", "''")
    assert user == f"IF DATABASE_PRINCIPAL_ID(N'{text}') IS NULL CREATE USER [{name}] FROM EXTERNAL PROVIDER"
    assert member == f"ALTER ROLE [mfcc_writer] ADD MEMBER [{name}]"


@pytest.mark.parametrize("name", ["", "two\nlines", "\x00", "x" * 129])
def test_what_cannot_be_a_name_is_refused(owner_url, name):
    with closing(Database(owner_url)) as database, pytest.raises(StoreError, match="cannot be the name of a user"):
        grant_access(database, writers=[], readers=[User(name)])


def test_a_user_that_is_not_there_is_told(owner_url):
    with closing(Database(owner_url)) as database, pytest.raises(StoreError, match='role "nobody-here" does not exist'):
        grant_access(database, writers=[User("nobody-here")], readers=[])


def test_a_file_has_no_users(sqlite_url):
    with Tables(sqlite_url) as tables, pytest.raises(StoreError, match="files of sqlite have no users"):
        grant_access(tables.database, writers=[User("clerk")], readers=[])


def test_an_identity_whose_id_is_told_is_not_looked_up_in_the_directory():
    client_id = UUID("00112233-4455-6677-8899-aabbccddeeff")
    server = RecordedSqlServer()
    with server.engine.begin() as connection:
        statements = list(STATEMENTS["mssql"](connection, "mfcc_writer", [User("runs", client_id)]))
    (made,) = [statement for statement in statements if "CREATE USER" in statement]
    assert made.endswith("CREATE USER [runs] WITH SID = 0x33221100554477668899AABBCCDDEEFF, TYPE = E")
