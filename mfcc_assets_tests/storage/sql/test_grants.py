"""The users of a database may do what they need and nothing else."""

import secrets
from collections.abc import Iterator
from contextlib import closing
from uuid import UUID

import pytest
import sqlalchemy as sa

from mfcc_assets.errors import StoreError
from mfcc_assets.ids import UploadId
from mfcc_assets.storage.sql.added_files import AddedFiles
from mfcc_assets.storage.sql.api_keys import ApiKeys
from mfcc_assets.storage.sql.browsing import Browsing
from mfcc_assets.storage.sql.catalogue import Catalogue
from mfcc_assets.storage.sql.database import Database
from mfcc_assets.storage.sql.grants import STATEMENTS, User, grant_access
from mfcc_assets.storage.sql.recommendations import Recommendations
from mfcc_assets.storage.sql.revisions import open_database
from mfcc_assets.storage.sql.schema import METADATA
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
def test_a_writer_may_change_nothing_but_rows(postgresql_url, change):
    assert may_not(postgresql_url, change)


def test_a_reader_may_read_nothing_but_soundtracks_and_recommendations(owner_url, user, user_url):
    with closing(open_database(owner_url)) as database:
        observe(Catalogue(database), *map(observed, "ab"))
        recommend(Recommendations(database), "query", "b")
        grant_access(database, writers=[], readers=[User(user)], pages=[])
    with closing(open_database(user_url)) as database:
        catalogue, recommendations = Catalogue(database), Recommendations(database)
        assert [row.blob_name for row in recommendations.recommended(UploadId("query"))] == ["b"]
        assert [track.blob_name for track in catalogue.soundtracks()] == ["a", "b"]
        for forbidden in (
            lambda: catalogue.contents(["digest"]),
            ApiKeys(database).stored_keys,
            catalogue.rejects,
            recommendations.dangling_recommendations,
            lambda: observe(catalogue, observed("c")),
            lambda: catalogue.record_reject(reject(observed("a")), run_id="run"),
        ):
            with pytest.raises(StoreError, match="permission denied"):
                forbidden()
    assert all(may_not(user_url, change) for change in CHANGES)


def test_pages_may_read_lists_soundtracks_rejects_and_keys_and_write_nothing(owner_url, user, user_url):
    with closing(open_database(owner_url)) as database:
        catalogue = Catalogue(database)
        observe(catalogue, *map(observed, "ab"))
        catalogue.record_reject(reject(observed("a")), run_id="run")
        recommend(Recommendations(database), "query", "b")
        grant_access(database, writers=[], readers=[], pages=[User(user)])
    with closing(open_database(user_url)) as database:
        browsing, catalogue, recommendations = Browsing(database), Catalogue(database), Recommendations(database)
        assert [track.blob_name for track in browsing.tracks_page().items] == ["a", "b"]
        assert browsing.genres().items == []
        assert [row.blob_name for row in catalogue.rejects()] == ["a"]
        assert [row.blob_name for row in recommendations.recommended(UploadId("query"))] == ["b"]
        assert ApiKeys(database).stored_keys() == []
        assert recommendations.dangling_recommendations() == 0
        assert recommendations.index_versions() == []
        for forbidden in (
            lambda: catalogue.contents(["digest"]),
            catalogue.skipped_files,
            AddedFiles(database).every,
            lambda: observe(catalogue, observed("c")),
            lambda: catalogue.forget_reject(observed("a").track_id),
            lambda: recommend(recommendations, "query", "a"),
        ):
            with pytest.raises(StoreError, match="permission denied"):
                forbidden()
    for table in METADATA.tables:
        for change in (f'DELETE FROM "{table}"', f'INSERT INTO "{table}" DEFAULT VALUES'):
            assert may_not(user_url, change)
    assert all(may_not(user_url, change) for change in CHANGES)


def test_a_user_without_a_role_may_read_nothing(user_url):
    with pytest.raises(StoreError, match="may not change it"):
        open_database(user_url)


def test_granting_again_takes_back_other_rights_of_a_role(owner_url, user, user_url):
    with closing(Database(owner_url)) as database:
        grant_access(database, writers=[], readers=[User(user)], pages=[])
        with database.writing() as connection:
            connection.exec_driver_sql('GRANT SELECT, DELETE ON "REJECTS", "SOUNDTRACKS" TO mfcc_reader')
        grant_access(database, writers=[], readers=[], pages=[])
    assert may_not(user_url, 'DELETE FROM "SOUNDTRACKS"')
    assert may_not(user_url, 'SELECT * FROM "REJECTS"')


def test_a_user_may_have_an_unusual_name(postgres, owner_url):
    quoted = UNUSUAL.replace('"', '""')
    doubled = quoted.replace("%", "%%")  # the driver reads % as the beginning of a parameter
    postgres.execute(f'CREATE USER "{doubled}"')
    with closing(open_database(owner_url)) as database:
        grant_access(database, writers=[User(UNUSUAL)], readers=[], pages=[])
        [[members]] = postgres.execute(
            "SELECT array_agg(member::regrole::text) FROM pg_auth_members WHERE roleid = 'mfcc_writer'::regrole"
        )
        assert Catalogue(database).progress() == (0, 0)
    postgres.execute(f'DROP USER "{doubled}"')
    assert f'"{quoted}"' in members


def test_azure_sql_makes_missing_users_and_quotes_their_names():
    server = RecordedSqlServer()
    with server.engine.begin() as connection:
        for statement in STATEMENTS["mssql"](connection, "mfcc_writer", [User(UNUSUAL)]):
            connection.exec_driver_sql(statement)
    *_, user, member = server.recorded
    name, text = UNUSUAL.replace("]", "]]"), UNUSUAL.replace("'", "''")
    assert user == f"IF DATABASE_PRINCIPAL_ID(N'{text}') IS NULL CREATE USER [{name}] FROM EXTERNAL PROVIDER"
    assert member == f"ALTER ROLE [mfcc_writer] ADD MEMBER [{name}]"


@pytest.mark.parametrize("name", ["", "two\nlines", "\x00", "x" * 129])
def test_an_impossible_user_name_is_refused(owner_url, name):
    with closing(Database(owner_url)) as database, pytest.raises(StoreError, match="cannot be the name of a user"):
        grant_access(database, writers=[], readers=[User(name)], pages=[])


def test_a_missing_user_is_an_error_in_postgresql(owner_url):
    with closing(Database(owner_url)) as database, pytest.raises(StoreError, match='role "nobody-here" does not exist'):
        grant_access(database, writers=[User("nobody-here")], readers=[], pages=[])


def test_a_file_has_no_users(sqlite_url):
    with closing(Database(sqlite_url)) as database, pytest.raises(StoreError, match="files of sqlite have no users"):
        grant_access(database, writers=[User("clerk")], readers=[], pages=[])


def test_an_identity_with_a_client_id_needs_no_look_up_in_the_directory():
    client_id = UUID("00112233-4455-6677-8899-aabbccddeeff")
    server = RecordedSqlServer()
    with server.engine.begin() as connection:
        statements = list(STATEMENTS["mssql"](connection, "mfcc_writer", [User("runs", client_id)]))
    (made,) = [statement for statement in statements if "CREATE USER" in statement]
    assert made.endswith("CREATE USER [runs] WITH SID = 0x33221100554477668899AABBCCDDEEFF, TYPE = E")
