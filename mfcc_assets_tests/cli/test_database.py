"""`mfcc database` as the owner of a database has it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from mfcc_assets.cli.database import database
from mfcc_assets.errors import StoreError
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.storage.sql import grants
from mfcc_assets.storage.sql.grants import User
from mfcc_assets.storage.sql.schema import REVISION
from mfcc_assets_tests.services.postgres import Postgres


@pytest.fixture
def in_postgresql(postgres: Postgres, tmp_path: Path) -> Iterator[Library]:
    """A library whose tables are in an empty database of PostgreSQL."""
    with postgres.database() as name, Library(Settings(home=tmp_path, database_url=postgres.url(name))) as library:
        yield library


def mfcc_database(library: Library, *arguments: str) -> Result:
    return CliRunner().invoke(database, arguments, obj=library)


def test_the_schema_is_brought_to_the_newest_and_the_address_shown_without_its_password(
    in_postgresql: Library, postgres: Postgres
) -> None:
    for _ in range(2):
        result = mfcc_database(in_postgresql, "upgrade")
        assert result.exit_code == 0, result.output
        assert result.output.endswith(f"has schema {REVISION}, the newest.\n")
        assert "owner:***@" in result.output
        assert postgres.password not in result.output
    assert in_postgresql.catalogue.progress() == (0, 0)


def test_the_statements_are_printed_for_the_owner_to_run(library: Library, tmp_path: Path) -> None:
    result = mfcc_database(library, "sql", "--dialect", "sqlite")
    with closing(sqlite3.connect(tmp_path / "by hand.sqlite")) as connection:
        connection.executescript(result.output)
        assert connection.execute('SELECT * FROM "RECOMMENDED_SOUNDTRACKS"').fetchall() == []
    assert "\nGO\n" in mfcc_database(library, "sql", "--dialect", "mssql").output
    assert not (library.settings.folder / "tables.sqlite").exists()


def test_users_are_given_the_roles(in_postgresql: Library, postgres: Postgres) -> None:
    postgres.execute("CREATE USER runs", "CREATE USER reports", "CREATE USER pages")
    result = mfcc_database(in_postgresql, "grant", "--writer", "runs", "--reader", "reports", "--pages", "pages")
    assert result.exit_code == 0, result.output
    assert [line.split(" has its rights in ")[0] for line in result.output.splitlines()] == [
        "mfcc_writer",
        "mfcc_reader",
        "mfcc_pages",
    ]
    assert ", and so have pages." in result.output
    roles = postgres.execute("SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members")
    assert {("mfcc_writer", "runs"), ("mfcc_reader", "reports"), ("mfcc_pages", "pages")} <= {
        tuple(row) for row in roles
    }


def test_files_have_no_users(library: Library) -> None:
    result = mfcc_database(library, "grant", "--writer", "runs")
    assert isinstance(result.exception, StoreError)
    assert "files of sqlite have no users" in str(result.exception)


@pytest.mark.parametrize(
    ("written", "user"),
    [
        ("runs", User("runs")),
        ("id-runs=00112233-4455-6677-8899-aabbccddeeff", User("id-runs", UUID("00112233-4455-6677-8899-aabbccddeeff"))),
        ("a=b", User("a=b")),
        ("=00112233-4455-6677-8899-aabbccddeeff", User("=00112233-4455-6677-8899-aabbccddeeff")),
    ],
)
def test_a_user_is_written_as_a_name_or_with_the_id_of_an_identity(
    library: Library, written: str, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    granted: dict[str, object] = {}
    monkeypatch.setattr(grants, "grant_access", lambda _, **users: granted.update(users))

    assert mfcc_database(library, "grant", "--writer", written).exit_code == 0
    assert granted == {"writers": [user], "readers": [], "pages": []}
