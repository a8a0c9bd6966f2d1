"""Tests of migrations to the newest schema, and of the errors if a database cannot be migrated."""

import importlib
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import fields
from typing import Any

import pytest
import setuptools
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from mfcc_assets.errors import StoreError
from mfcc_assets.storage.sql import migrations
from mfcc_assets.storage.sql.browse_keys import BrowseKeys
from mfcc_assets.storage.sql.browsing import Browsing, TrackFilter, TrackOrder
from mfcc_assets.storage.sql.catalogue import Catalogue
from mfcc_assets.storage.sql.database import Database
from mfcc_assets.storage.sql.recommendations import Recommendations
from mfcc_assets.storage.sql.revisions import ensure_schema, open_database, revision_of
from mfcc_assets.storage.sql.schema import METADATA, RECOMMENDED_SOUNDTRACKS, REVISION, SOUNDTRACKS, VERSIONS
from mfcc_assets_tests.services.processes import REPOSITORY
from mfcc_assets_tests.storage.sql.table_rows import observe, observed, recommend, recommended

OPENER = """
import sys
from mfcc_assets.storage.sql.revisions import open_database
open_database(sys.argv[1]).close()
assert "alembic" not in sys.modules
"""

FIRST = importlib.import_module("mfcc_assets.storage.sql.migrations.versions.0001_first")


def names_of(url: str) -> set[str]:
    with closing(Database(url)) as database, database.reading() as connection:
        inspector = sa.inspect(connection)
        return {*inspector.get_table_names(), *inspector.get_view_names()}


def execute(url: str, *statements: str) -> None:
    with closing(Database(url)) as database, database.writing() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def forget_all_from_mbids_on(url: str) -> None:
    """Take away what the migrations from the sixth on add."""
    with closing(Database(url)) as database, database.reading() as connection:
        first_view = FIRST.VIEW.compile(dialect=connection.dialect)
    name = RECOMMENDED_SOUNDTRACKS.name
    execute(url, f'DROP VIEW "{name}"', 'DROP TABLE "RECOMMENDED_SHARDS"', f'CREATE VIEW "{name}" AS {first_view}')
    names = ("RECORDING_MBID", "RELEASE_MBID", "ARTIST_MBIDS")
    execute(url, *(f'ALTER TABLE "SOUNDTRACKS" DROP COLUMN "{name}"' for name in names))


def forget_all_from_browsing_on(url: str) -> None:
    """Take away what the migrations from the fourth on add."""
    forget_all_from_mbids_on(url)
    execute(url, 'DROP TABLE "API_KEYS"')
    indexes = [index.name for index in SOUNDTRACKS.indexes if str(index.name).startswith("SOUNDTRACKS_")]
    columns = (
        "ADDED_AT",
        "SEARCH_TEXT",
        *(column.name for column in SOUNDTRACKS.c if re.match("BY_|.*_KEYS?$", column.name)),
    )
    execute(url, *(f'DROP INDEX "{name}"' for name in indexes))
    execute(url, *(f'ALTER TABLE "SOUNDTRACKS" DROP COLUMN "{name}"' for name in columns))


def keys_of(database: Database) -> list[object]:
    names = [field.name.upper() for field in fields(BrowseKeys)]
    query = sa.select(SOUNDTRACKS.c.TRACK_ID, *(SOUNDTRACKS.c[name] for name in names)).order_by(SOUNDTRACKS.c.TRACK_ID)
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_the_migrations_make_the_schema_that_the_package_describes(empty_url):
    with closing(Database(empty_url)) as database:
        ensure_schema(database)
        with database.reading() as connection:
            assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
            viewed = sa.inspect(connection).get_columns(RECOMMENDED_SOUNDTRACKS.name)
    assert [column["name"] for column in viewed] == list(RECOMMENDED_SOUNDTRACKS.c.keys())


def test_the_newest_migration_is_the_revision_in_the_schema(empty_url):
    with closing(open_database(empty_url)) as database:
        assert revision_of(database) == REVISION


def test_a_database_with_the_newest_schema_is_opened_without_alembic(url):
    open_database(url).close()
    subprocess.run([sys.executable, "-c", OPENER, url], check=True)


@pytest.mark.parametrize("missing", [(), ("VIEW", "RECOMMENDED_SOUNDTRACKS"), ("TABLE", "REJECTS")])
def test_a_database_older_than_the_first_migration_keeps_its_rows(empty_url, missing):
    with closing(open_database(empty_url)) as database:
        observe(Catalogue(database), *map(observed, "ab"))
        recommend(Recommendations(database), "query", "b", "a")
    forget_all_from_browsing_on(empty_url)
    gone = [
        ("TABLE", "alembic_version"),
        ("TABLE", "ADDED_FILES"),
        ("TABLE", "SKIPPED_FILES"),
        *([missing] if missing else []),
    ]
    execute(empty_url, *(f'DROP {kind} "{name}"' for kind, name in gone))
    with closing(open_database(empty_url)) as database:
        assert recommended(Recommendations(database), "query") == [(1, "b"), (2, "a")]
        assert Catalogue(database).rejects() == []
        assert revision_of(database) == REVISION


def test_files_of_an_older_library_keep_their_rows_and_are_observed_again(empty_url):
    with closing(open_database(empty_url)) as database:
        observe(Catalogue(database), observed("a"))
    forget_all_from_browsing_on(empty_url)
    columns = ("ALBUM_ARTIST", "ARTISTS", "DISC_NUMBER", "TAGS_NOTE")
    with closing(Database(empty_url)) as database, database.writing() as connection:
        for column in columns:
            connection.exec_driver_sql(f'ALTER TABLE "SOUNDTRACKS" DROP COLUMN "{column}"')
        for table in ("ADDED_FILES", "SKIPPED_FILES"):
            connection.exec_driver_sql(f'DROP TABLE "{table}"')
    execute(empty_url, "UPDATE alembic_version SET version_num = '0001'")

    with closing(open_database(empty_url)) as database:
        [track] = Catalogue(database).soundtracks()
        assert (track.title, track.album_artist, track.artists, track.disc_number) == ("a", "", (), None)
        assert set(Catalogue(database).manifest([track.track_id[:1]]).values()) == {""}, "so the ETag has changed"
        assert revision_of(database) == REVISION


def test_soundtracks_of_an_older_library_are_found_by_a_search_and_in_every_order(empty_url):
    tags: dict[str, Any] = {
        "artist": "Björk",
        "artists": ("Björk", "Guest"),
        "album": "Homogenic",
        "genre": "Pop, Art",
        "year": 1997,
    }
    with closing(open_database(empty_url)) as database:
        observe(
            Catalogue(database), *(observed(f"{number}.mp3", track_number=number, **tags) for number in range(2500))
        )
        expected = keys_of(database)
    forget_all_from_browsing_on(empty_url)
    execute(empty_url, "UPDATE alembic_version SET version_num = '0003'")

    with closing(open_database(empty_url)) as database:
        assert keys_of(database) == expected
        browsing = Browsing(database)
        found = browsing.tracks_page(TrackFilter(search="bjork guest 2499"), TrackOrder.NEWEST).items
        assert [track.blob_name for track in found] == ["2499.mp3"]
        assert browsing.genres().items[0].totals.tracks == 2500
        times = Catalogue(database).known_files()["2499.mp3"].observed_at, found[0].added_at
        assert times[0] == times[1]


def test_the_tags_of_an_older_library_are_read_again_for_the_ids_of_musicbrainz(empty_url):
    with closing(open_database(empty_url)) as database:
        observe(Catalogue(database), observed("a"))
    forget_all_from_mbids_on(empty_url)
    execute(empty_url, "UPDATE alembic_version SET version_num = '0005'")

    with closing(open_database(empty_url)) as database:
        [track] = Catalogue(database).soundtracks()
        assert (track.title, track.recording_mbid, track.release_mbid, track.artist_mbids) == ("a", "", "", ())
        assert set(Catalogue(database).manifest([track.track_id[:1]]).values()) == {""}, "so the ETag has changed"


def test_a_failed_migration_changes_nothing(empty_url, monkeypatch):
    monkeypatch.setattr("alembic.op.execute", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        open_database(empty_url)
    assert names_of(empty_url) == set()


def test_a_database_of_a_newer_version_is_refused(empty_url):
    open_database(empty_url).close()
    execute(empty_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"newer version of mfcc-assets made its schema, 9999\. Install that version"):
        open_database(empty_url)


def test_a_user_without_the_right_to_change_the_schema_is_sent_to_the_owner(owner_url, postgresql_url):
    open_database(postgresql_url).close()
    execute(owner_url, "DELETE FROM alembic_version", 'DROP TABLE "REJECTS"')
    with pytest.raises(
        StoreError, match=r"may not change it\. Run `mfcc database upgrade` with the address of the database's owner"
    ):
        open_database(postgresql_url)


def test_the_printed_statements_make_the_same_schema(tmp_path, postgres):
    with closing(sqlite3.connect(tmp_path / "by hand.sqlite")) as connection:
        connection.executescript(migrations.script("sqlite"))
    with postgres.database() as name:
        postgres.execute(*re.split(r";\n", migrations.script("postgresql"))[1:-2], database=name)
        for url in (f"sqlite:///{tmp_path / 'by hand.sqlite'}", postgres.url(name)):
            with closing(open_database(url)) as database:
                assert Catalogue(database).progress() == (0, 0)
            assert names_of(url) == {*METADATA.tables, RECOMMENDED_SOUNDTRACKS.name, VERSIONS.name}


def test_the_statements_for_sql_server_make_the_view_in_a_batch_of_its_own():
    batches = [batch.strip() for batch in migrations.script("mssql").split("\nGO\n")]
    made, changed = [batch for batch in batches if "VIEW" in batch]
    assert made.startswith("CREATE VIEW [RECOMMENDED_SOUNDTRACKS] AS")
    assert changed.startswith("CREATE OR ALTER VIEW [RECOMMENDED_SOUNDTRACKS] AS")
    assert "DATETIME2(6)" in migrations.script("mssql")
    assert '"' not in migrations.script("mssql")  # sqlcmd reads a quoted name as text


def test_the_installed_package_contains_the_migrations():
    packages = setuptools.find_packages(str(REPOSITORY), include=["mfcc_assets", "mfcc_assets.*"])
    assert "mfcc_assets.storage.sql.migrations.versions" in packages
