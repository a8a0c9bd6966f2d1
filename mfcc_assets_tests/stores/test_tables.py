"""What `Tables` promises over every database, and what SQLite promises beyond it."""

import subprocess
import sys
from contextlib import closing

import pytest
import sqlalchemy as sa

from mfcc_assets.core.errors import StoreError
from mfcc_assets.stores.database import Database
from mfcc_assets.stores.tables import Tables
from mfcc_assets_tests.stores.table_rows import observe, observed, recommend

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


class TestOpening:
    def test_the_rows_survive_the_process(self, tables, url):
        observe(tables, observed("a.mp3"))
        with Tables(url) as again:
            assert again.soundtracks() == tables.soundtracks()

    def test_a_closed_database_opens_again_when_it_is_used(self, tables):
        observe(tables, observed("a.mp3"))
        tables.close()
        assert len(tables.soundtracks()) == 1


class TestSqlite:
    def test_a_writer_waits_for_another_process_and_a_reader_does_not(self, sqlite_url):
        with Tables(sqlite_url) as tables:
            observe(tables, observed("a.mp3"))
            path = sa.make_url(sqlite_url).database
            with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE, text=True) as holder:
                assert holder.stdout.readline() == "held\n"
                assert len(tables.soundtracks()) == 1
                assert holder.poll() is None
                observe(tables, observed("b.mp3"))
                assert holder.stdout.readline() == "released\n"
            assert len(tables.soundtracks()) == 2

    def test_a_lock_that_is_held_for_too_long_is_a_store_error(self, sqlite_url, monkeypatch):
        monkeypatch.setattr("mfcc_assets.stores.database.LOCK_SECONDS", 0.1)
        with Tables(sqlite_url) as tables, closing(Database(sqlite_url)) as other, other.writing():  # noqa: SIM117
            with pytest.raises(StoreError, match=r"database is locked.*who else holds a lock"):
                observe(tables, observed("a.mp3"))

    def test_a_recommendation_of_a_track_that_is_not_there_is_refused(self, sqlite_url):
        with Tables(sqlite_url) as tables, closing(Database(sqlite_url)) as database:
            observe(tables, observed("a"))
            recommend(tables, "query", "a")
            with database.writing() as connection:
                assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
                assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
                connection.exec_driver_sql('DELETE FROM "SOUNDTRACKS"')
            assert tables.recommended("query") == []
