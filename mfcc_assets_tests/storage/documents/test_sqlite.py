"""Behaviour of a SQLite file beyond the contract of every `DocumentStore`."""

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from mfcc_assets.errors import DocumentNotFound, StoreError
from mfcc_assets.storage.documents.sqlite import SqliteDocuments
from mfcc_assets_tests.storage.documents.bodies import body

HOLDER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
time.sleep(1.5)
print("released", flush=True)
connection.execute("COMMIT")
connection.close()
"""
# As files were before documents had a retention.
OLDER_FILE = """
CREATE TABLE documents (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    received TEXT NOT NULL,
    etag TEXT NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX documents_by_received ON documents (received, id);
CREATE INDEX documents_by_state ON documents (state, received, id);
INSERT INTO documents VALUES (
    '1', 'done', '2026-11-02T10:00:00.000000+00:00', 'tag', '{"state": "done", "received": "2026-11-02T10:00:00+00:00"}'
);
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new folder/metadata.sqlite"


def test_documents_are_there_when_the_file_is_opened_again(path):
    written = SqliteDocuments(path).put("1", body())
    assert SqliteDocuments(path).get("1") == written


def test_a_writer_waits_for_another_process_and_a_reader_does_not(path):
    documents = SqliteDocuments(path)
    documents.put("1", body("before"))
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    with holder:
        assert holder.stdout.readline() == "held\n"
        assert documents.get("1").body["state"] == "before"
        assert holder.poll() is None
        documents.update("1", lambda found: {**found, "state": "after"})
        assert holder.stdout.readline() == "released\n"
    assert documents.get("1").body["state"] == "after"


def test_a_file_that_is_not_a_database_is_a_store_error(tmp_path):
    (tmp_path / "file").write_bytes(b"music" * 1000)
    with pytest.raises(StoreError, match="not a database"):
        SqliteDocuments(tmp_path / "file")
    with pytest.raises(StoreError, match="cannot be made"):
        SqliteDocuments(tmp_path / "file/folder/metadata.sqlite")


@pytest.mark.parametrize("retention_seconds", [None, 1000])
def test_a_file_from_before_retention_keeps_its_documents(tmp_path, retention_seconds):
    path = tmp_path / "metadata.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLDER_FILE)
    for _ in range(2):
        documents = SqliteDocuments(path, retention_seconds=retention_seconds)
        assert documents.get("1").etag == "tag"
        assert documents.ids("done") == {"1"}


def test_a_write_renews_the_retention_of_a_document(path):
    documents = SqliteDocuments(path, retention_seconds=1000)
    for name in ("renewed", "not renewed"):
        documents.put(name, body())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE documents SET written = written - 990")
    documents.update("renewed", lambda found: found)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE documents SET written = written - 20")
    assert [document.id for document in documents.find()] == ["renewed"]


def test_the_next_write_removes_expired_documents(path):
    SqliteDocuments(path).put("1", body())
    documents = SqliteDocuments(path, retention_seconds=0)
    documents.delete("another")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM documents").fetchone() == (0,)


def test_ids_are_read_only_from_an_index(path):
    SqliteDocuments(path)
    query = "EXPLAIN QUERY PLAN SELECT id FROM documents WHERE state = 'done' AND written > 0"
    with closing(sqlite3.connect(path)) as connection:
        ((*_, plan),) = connection.execute(query)
    assert "COVERING INDEX documents_in_state" in plan


@pytest.mark.parametrize("damage", [lambda _: b"no database" * 500, lambda stored: stored[:4096] + b"\xff" * 8192])
def test_the_error_for_a_damaged_file_has_a_remedy(path, damage):
    SqliteDocuments(path).put("1", body())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(StoreError, match=r"file of the documents is damaged .*Move it away: the uploads"):
        SqliteDocuments(path).latest()


DAMAGES = {
    "cut": "substr(body, 3)",
    "other characters": "replace(body, '2026', '2027')",
    "no text": "CAST(replace(CAST(body AS BLOB), '2026', x'b2303236') AS TEXT)",
    "no document": "'[]'",
    "empty": "''",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_document_is_named_and_counts_as_missing(path, damage, caplog):
    documents = SqliteDocuments(path)
    for name in ("1", "2"):
        documents.put(name, body())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE documents SET body = {damage} WHERE id = '1'")
    with pytest.raises(DocumentNotFound, match=r"Document 1: .* is damaged.*`mfcc purge 1`"):
        documents.get("1")
    assert [document.id for document in documents.find()] == ["2"]
    assert "Document 1: the stored document is damaged" in caplog.text
    assert set(documents.get_many("12")) == {document.id for document in documents.find()}
    written = documents.create("1", body("new"))
    assert documents.get("1") == written


@pytest.mark.parametrize("stored", ["[]", "{}", '{"state": "done", "received": "no time"}'])
def test_a_damaged_document_of_an_older_version_counts_as_missing(path, stored):
    documents = SqliteDocuments(path)
    documents.put("1", body())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE documents SET body = ?, crc32 = NULL", (stored,))
    assert documents.get_or_none("1") is None
    assert documents.latest() is None
