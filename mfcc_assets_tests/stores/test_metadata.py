"""What every `MetadataStore` promises, and what the SQLite file promises beyond it."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from mfcc_assets.core.errors import Conflict, DocumentNotFound, StoreError
from mfcc_assets.stores.metadata import MetadataStore, SqliteDocuments

ADAPTERS = ["sqlite_documents"]
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


@pytest.fixture
def sqlite_documents(tmp_path: Path) -> SqliteDocuments:
    return SqliteDocuments(tmp_path / "new folder/metadata.sqlite")


@pytest.fixture(params=ADAPTERS)
def documents(request: pytest.FixtureRequest) -> MetadataStore:
    return request.getfixturevalue(request.param)


def body(state: str = "received", minute: int = 0, **more: object) -> dict[str, object]:
    return {"state": state, "received": f"2026-11-02T10:{minute:02}:00+00:00", **more}


class TestEveryStore:
    def test_what_is_put_is_got_again(self, documents):
        everything = body(title="Ünï 🎷 'x'", tags={"year": 1999, "genres": ["a", None, True, 0.5]}, bytes="caf\udce9")
        written = documents.put("1", everything)
        assert written.body == everything
        assert documents.get("1") == written

    def test_a_document_does_not_change_with_the_body_it_was_made_of(self, documents):
        mine = body(tags=["a"])
        written = documents.put("1", mine)
        mine["tags"].append("b")
        assert written.body["tags"] == ["a"]

    def test_an_absent_document_is_not_found(self, documents):
        with pytest.raises(DocumentNotFound, match="Document 1"):
            documents.get("1")
        with pytest.raises(DocumentNotFound):
            documents.update("1", lambda found: found)

    def test_a_conditional_put_succeeds_only_while_the_etag_stands(self, documents):
        first = documents.put("1", body("a"))
        documents.put("1", body("b"), if_match=first.etag)
        with pytest.raises(Conflict, match="Document 1"):
            documents.put("1", body("c"), if_match=first.etag)
        assert documents.get("1").body["state"] == "b"

    def test_a_conditional_put_does_not_bring_a_deleted_document_back(self, documents):
        first = documents.put("1", body())
        documents.delete("1")
        with pytest.raises(Conflict):
            documents.put("1", body(), if_match=first.etag)
        assert documents.latest() is None

    def test_an_etag_does_not_come_back(self, documents):
        first = documents.put("1", body())
        documents.delete("1")
        assert documents.put("1", body()).etag != first.etag

    def test_deleting_twice_is_deleting_once(self, documents):
        documents.put("1", body())
        documents.delete("1")
        documents.delete("1")
        assert list(documents.find()) == []

    def test_no_update_is_lost_between_threads(self, documents):
        documents.put("1", body(count=0))

        def count() -> None:
            for _ in range(5):
                documents.update("1", lambda found: {**found, "count": found["count"] + 1})

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert documents.get("1").body["count"] == 20

    def test_an_update_that_always_meets_others_gives_up(self, documents):
        documents.put("1", body())

        def meet_another(found: dict[str, object]) -> dict[str, object]:
            documents.put("1", body())
            return found

        with pytest.raises(Conflict, match="20 attempts"):
            documents.update("1", meet_another)

    def test_a_change_that_fails_leaves_the_document(self, documents):
        before = documents.put("1", body())
        with pytest.raises(KeyError):
            documents.update("1", lambda found: found["no such entry"])
        assert documents.get("1") == before

    def test_latest_is_the_one_received_last_whatever_its_offset(self, documents):
        assert documents.latest() is None
        documents.put("utc", {"state": "a", "received": "2026-11-02T10:00:00Z"})
        documents.put("earlier, though its text sorts later", {"state": "a", "received": "2026-11-02T11:30:00+02:00"})
        assert documents.latest().id == "utc"
        documents.put("a fraction later", {"state": "a", "received": "2026-11-02T10:00:00.5+00:00"})
        assert documents.latest().id == "a fraction later"

    def test_find_goes_from_the_last_received_to_the_first(self, documents):
        for number, minute in enumerate([3, 1, 2, 2]):
            documents.put(str(number), body("odd" if minute % 2 else "even", minute))
        assert [document.id for document in documents.find()] == ["0", "3", "2", "1"]
        assert [document.id for document in documents.find("odd")] == ["0", "1"]
        assert [document.id for document in documents.find("even")] == ["3", "2"]
        assert list(documents.find("")) == []
        assert [documents.ids(state) for state in ("odd", "even", "")] == [{"0", "1"}, {"2", "3"}, set()]

    def test_a_changed_state_moves_the_document(self, documents):
        documents.put("1", body("received"))
        documents.update("1", lambda found: {**found, "state": "done"})
        assert list(documents.find("received")) == []
        assert [document.id for document in documents.find("done")] == ["1"]

    @pytest.mark.parametrize(
        ("bad", "reason"),
        [
            ({"received": "2026-11-02T10:00:00Z"}, "state"),
            ({"state": 1, "received": "2026-11-02T10:00:00Z"}, "state"),
            ({"state": "a"}, "receipt"),
            ({"state": "a", "received": "yesterday"}, "isoformat"),
            ({"state": "a", "received": "2026-11-02T10:00:00"}, "offset"),
            (body(gain=float("nan")), "JSON"),
        ],
    )
    def test_a_body_that_no_store_could_order_or_hold_is_refused(self, documents, bad, reason):
        with pytest.raises(ValueError, match=reason):
            documents.put("1", bad)
        assert documents.latest() is None

    @pytest.mark.parametrize("bad", ["", "a/b", "a\\b", "a?b", "a#b", "a\n", "\udcff", "x" * 256])
    def test_an_id_that_cosmos_would_refuse_is_refused(self, documents, bad):
        with pytest.raises(ValueError, match="cannot be the id"):
            documents.put(bad, body())


class TestSqlite:
    def test_the_documents_survive_the_process(self, sqlite_documents, tmp_path):
        sqlite_documents.put("1", body())
        assert SqliteDocuments(tmp_path / "new folder/metadata.sqlite").get("1") == sqlite_documents.get("1")

    def test_find_goes_on_over_many_pages_though_documents_come_and_go(self, sqlite_documents, tmp_path):
        rows = [(f"{number:04}", "a", f"2026-11-02T10:00:{number // 7:02}.000000+00:00") for number in range(250)]
        with closing(sqlite3.connect(tmp_path / "new folder/metadata.sqlite")) as connection, connection:
            connection.executemany("INSERT INTO documents VALUES (?, ?, ?, 'etag', '{}')", rows)
        found = sqlite_documents.find("a")
        seen = [next(found).id]
        sqlite_documents.delete("0249")
        sqlite_documents.delete("0000")
        sqlite_documents.put("newer", body("a", minute=59))
        seen += [document.id for document in found]
        assert seen == [f"{number:04}" for number in range(249, 0, -1)]

    def test_a_writer_waits_for_another_process_and_a_reader_does_not(self, sqlite_documents, tmp_path):
        sqlite_documents.put("1", body("before"))
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(tmp_path / "new folder/metadata.sqlite")],
            stdout=subprocess.PIPE,
            text=True,
        )
        with holder:
            assert holder.stdout.readline() == "held\n"
            assert sqlite_documents.get("1").body["state"] == "before"
            assert holder.poll() is None
            sqlite_documents.update("1", lambda found: {**found, "state": "after"})
            assert holder.stdout.readline() == "released\n"
        assert sqlite_documents.get("1").body["state"] == "after"

    def test_a_file_that_is_no_database_says_so(self, tmp_path):
        (tmp_path / "file").write_bytes(b"music" * 1000)
        with pytest.raises(StoreError, match="not a database"):
            SqliteDocuments(tmp_path / "file")
        with pytest.raises(StoreError, match="cannot be made"):
            SqliteDocuments(tmp_path / "file/folder/metadata.sqlite")
