"""What `Tables` promises over every database, and what SQLite promises beyond it."""

import subprocess
import sys
from contextlib import closing

import pytest
import sqlalchemy as sa
from mfcc_assets.storage.sql.tables import Tables

from mfcc_assets.errors import ConnectionLost, StoreError
from mfcc_assets.storage.sql.database import Database
from mfcc_assets.storage.sql.records import AudioContent, Reject
from mfcc_assets_tests.storage.sql.table_rows import observe, observed, recommend, recommended, reject

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


class TestLooking:
    def test_the_digits_of_shards_are_those_of_the_soundtracks(self, tables):
        assert tables.shard_digits() is None
        tables.record_observed([observed("a")], [], shard_digits=2, run_id="run")
        assert tables.shard_digits() == 2

    def test_soundtracks_with_recommendations_of_another_index_are_counted(self, tables):
        observe(tables, *map(observed, "abc"))
        recommend(tables, observed("a").track_id, "b", "c", version="v1")
        recommend(tables, observed("b").track_id, "c", version="v2")
        recommend(tables, "an upload", "c", version="v1")
        assert tables.soundtracks_of_other_indexes("v1") == 1
        assert tables.soundtracks_of_other_indexes("v3") == 2


class TestForgetting:
    def test_a_file_whose_reject_is_taken_back_is_no_reject(self, tables):
        tables.record_reject(reject(observed("a")), run_id="run")
        tables.forget_reject(observed("a").track_id)
        tables.forget_reject("never there")
        assert tables.rejects() == []

    def test_of_an_upload_its_list_its_reject_and_what_its_bytes_hold_go(self, tables):
        observe(tables, *map(observed, "ab"))
        for query in ("upload", "other"):
            recommend(tables, query, "a", "b")
            tables.record_reject(Reject(query, "uploads", "a.mp3", "too_short", "0.5 s"), run_id="run")
            tables.record_content(AudioContent(f"bytes of {query}", "audio", 1.0, ""))
        assert tables.forget_query("upload", content_digests=["bytes of upload"]) == 2
        assert tables.forget_query("upload", content_digests=[]) == 0
        assert recommended(tables, "upload") == []
        assert recommended(tables, "other") == [(1, "a"), (2, "b")]
        assert [found.subject_id for found in tables.rejects()] == ["other"]
        assert list(tables.contents(["bytes of upload", "bytes of other"])) == ["bytes of other"]


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
        monkeypatch.setattr("mfcc_assets.storage.sqlite_files.LOCK_SECONDS", 0.1)
        with Tables(sqlite_url) as tables, closing(Database(sqlite_url)) as other, other.writing():  # noqa: SIM117
            with pytest.raises(StoreError, match=r"database is locked.*who else holds a lock") as raised:
                observe(tables, observed("a.mp3"))
        # It waited for long enough.
        assert not isinstance(raised.value, ConnectionLost)

    def test_a_recommendation_of_a_track_that_is_not_there_is_refused(self, sqlite_url):
        with Tables(sqlite_url) as tables, closing(Database(sqlite_url)) as database:
            observe(tables, observed("a"))
            recommend(tables, "query", "a")
            with database.writing() as connection:
                assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
                assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
                connection.exec_driver_sql('DELETE FROM "SOUNDTRACKS"')
            assert tables.recommended("query") == []
