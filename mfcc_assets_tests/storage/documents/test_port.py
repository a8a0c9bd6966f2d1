"""The contract of every `DocumentStore`."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from mfcc_assets.errors import Conflict, DocumentNotFound
from mfcc_assets.storage.documents.port import IDS_PER_QUERY, DocumentStore, place_of
from mfcc_assets_tests.storage.documents.bodies import body

ADAPTERS = ["sqlite_documents", "cosmos_documents"]
"""The fixture ``open_<name>`` opens each of these, and keeps its documents when it opens it again."""


@pytest.fixture(params=ADAPTERS)
def open_documents(request: pytest.FixtureRequest):
    return request.getfixturevalue(f"open_{request.param}")


@pytest.fixture
def documents(open_documents) -> DocumentStore:
    return open_documents()


class TestEveryStore:
    def test_a_document_that_was_put_can_be_read(self, documents):
        everything = body(title="Ünï 🎷 'x'", tags={"year": 1999, "genres": ["a", None, True, 0.5]}, bytes="caf\udce9")
        written = documents.put("1", everything)
        assert written.body == everything
        assert documents.get("1") == written

    @pytest.mark.parametrize(
        "odd",
        [
            {"_etag": "mine", "_ts": 1, "ttl": 1, "id": "another", "writes": [], "": {"/": "~"}},
            {"whole": 2**53 + 1, "larger": -(10**30), "least": 5e-324, "most": 1.7976931348623157e308},
            {"caf\udce9": ["\ud83c", {"\x00": "\u2028\ufffe"}]},
            {"body": "{}", "text": '{"state": "a"}', "deep": [[[[[[[[]]]]]]]]},
        ],
    )
    def test_a_body_may_contain_any_json(self, documents, odd):
        documents.create("1", body(**odd))
        assert documents.get("1").body == body(**odd)
        documents.update("1", lambda found: {**found, "again": odd})
        assert [found.body for found in documents.find()] == [body(**odd, again=odd)]

    def test_a_document_can_be_created_only_once(self, documents):
        first = documents.create("1", body("mine"))
        with pytest.raises(Conflict, match="Document 1"):
            documents.create("1", body("another's"))
        assert documents.get("1") == first
        documents.delete("1")
        assert documents.create("1", body()).etag != first.etag

    def test_exactly_one_of_many_concurrent_creations_succeeds(self, documents):
        together = threading.Barrier(8)

        def create(number: int) -> int | None:
            together.wait()
            try:
                documents.create("1", body(by=number))
            except Conflict:
                return None
            return number

        with ThreadPoolExecutor(8) as threads:
            (winner,) = {number for number in threads.map(create, range(8)) if number is not None}
        assert documents.get("1").body["by"] == winner

    def test_changing_a_body_later_does_not_change_the_document(self, documents):
        tags = ["a"]
        mine = body(tags=tags)
        written = documents.put("1", mine)
        tags.append("b")
        assert written.body["tags"] == ["a"]

    def test_a_missing_document_is_not_found(self, documents):
        assert documents.get_or_none("1") is None
        with pytest.raises(DocumentNotFound, match="Document 1"):
            documents.get("1")
        with pytest.raises(DocumentNotFound):
            documents.update("1", lambda found: found)

    def test_many_documents_are_read_by_their_ids_without_those_that_are_missing(self, documents):
        written = {name: documents.put(name, body(name)) for name in ("1", "2", "Ünï 🎷 'x'", "not asked for")}
        found = documents.get_many(["2", "missing", "Ünï 🎷 'x'", "1", "a/b", "", "\udcff", "2"])
        assert found == {name: written[name] for name in ("1", "2", "Ünï 🎷 'x'")}
        assert documents.get_many([]) == {}

    def test_more_documents_are_read_than_one_query_names(self, documents):
        written = {str(number): documents.put(str(number), body()) for number in (0, IDS_PER_QUERY, IDS_PER_QUERY + 1)}
        assert documents.get_many([str(number) for number in range(IDS_PER_QUERY + 2)]) == written

    def test_a_conditional_put_succeeds_only_while_the_etag_is_the_same(self, documents):
        first = documents.put("1", body("a"))
        documents.put("1", body("b"), if_match=first.etag)
        with pytest.raises(Conflict, match="Document 1"):
            documents.put("1", body("c"), if_match=first.etag)
        assert documents.get("1").body["state"] == "b"

    def test_a_conditional_put_does_not_restore_a_deleted_document(self, documents):
        first = documents.put("1", body())
        documents.delete("1")
        with pytest.raises(Conflict):
            documents.put("1", body(), if_match=first.etag)
        assert documents.latest() is None

    def test_an_etag_is_never_used_again(self, documents):
        first = documents.put("1", body())
        documents.delete("1")
        assert documents.put("1", body()).etag != first.etag

    def test_a_document_can_be_deleted_twice(self, documents):
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

    def test_an_update_gives_up_after_many_conflicts(self, documents):
        documents.put("1", body())

        def meet_another(found: dict[str, object]) -> dict[str, object]:
            documents.put("1", body())
            return found

        with pytest.raises(Conflict, match="20 attempts"):
            documents.update("1", meet_another)

    def test_a_failed_change_leaves_the_document(self, documents):
        before = documents.put("1", body())
        with pytest.raises(KeyError):
            documents.update("1", lambda found: found["no such entry"])
        assert documents.get("1") == before

    def test_the_latest_document_was_received_last_in_any_time_zone(self, documents):
        assert documents.latest() is None
        documents.put("utc", {"state": "a", "received": "2026-11-02T10:00:00Z"})
        documents.put("earlier, though its text sorts later", {"state": "a", "received": "2026-11-02T11:30:00+02:00"})
        assert documents.latest().id == "utc"
        documents.put("a fraction later", {"state": "a", "received": "2026-11-02T10:00:00.5+00:00"})
        assert documents.latest().id == "a fraction later"

    def test_find_yields_the_last_received_document_first(self, documents):
        for number, minute in enumerate([3, 1, 2, 2]):
            documents.put(str(number), body("odd" if minute % 2 else "even", minute))
        assert [document.id for document in documents.find()] == ["0", "3", "2", "1"]
        assert [document.id for document in documents.find("odd")] == ["0", "1"]
        assert [document.id for document in documents.find("even")] == ["3", "2"]
        assert list(documents.find("")) == []
        assert [documents.ids(state) for state in ("odd", "even", "")] == [{"0", "1"}, {"2", "3"}, set()]

    def test_find_begins_behind_a_place_also_if_its_document_is_gone(self, documents):
        written = [documents.put(str(number), body("odd" if number % 2 else "even", 9 - number)) for number in range(5)]
        documents.delete("1")
        assert [found.id for found in documents.find(after=place_of(written[1]))] == ["2", "3", "4"]
        assert [found.id for found in documents.find("even", after=place_of(written[2]))] == ["4"]
        assert list(documents.find(after=place_of(written[4]))) == []

    def test_a_document_is_found_by_its_new_state_after_a_change(self, documents):
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
    def test_a_body_that_a_store_cannot_sort_or_represent_is_refused(self, documents, bad, reason):
        with pytest.raises(ValueError, match=reason):
            documents.put("1", bad)
        assert documents.latest() is None

    def test_find_reads_many_pages_while_documents_are_added_and_deleted(self, open_documents):
        documents = open_documents(page_size=3)
        for number in range(10):
            documents.put(str(number), body("a", minute=number // 4))
        for state in (None, "a"):
            found = documents.find(state)
            seen = [next(found).id]
            documents.delete("9")
            documents.delete("0")
            documents.put("newer", body("a", minute=59))
            seen += [document.id for document in found]
            assert seen == ["9", "8", "7", "6", "5", "4", "3", "2", "1"]
            documents.delete("newer")
            documents.put("9", body("a", minute=2))
            documents.put("0", body("a", minute=0))

    def test_a_document_disappears_after_its_retention_also_if_that_was_shortened(self, open_documents):
        documents = open_documents(retention_seconds=1000)
        former = documents.put("1", body("a"))
        assert (documents.ids("a"), documents.latest()) == ({"1"}, former)
        documents = open_documents(retention_seconds=1)
        deadline = time.monotonic() + 10
        while documents.ids("a"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert (list(documents.find()), list(documents.find("a")), documents.latest()) == ([], [], None)
        assert documents.get_many(["1"]) == {}
        with pytest.raises(DocumentNotFound):
            documents.get("1")
        with pytest.raises(Conflict):
            documents.put("1", body(), if_match=former.etag)
        assert documents.create("1", body()).etag != former.etag

    @pytest.mark.parametrize("bad", ["", ".", "..", "a/b", "a\\b", "a?b", "a#b", "a\n", "\udcff", "x" * 256])
    def test_an_id_that_cosmos_would_refuse_is_refused(self, documents, bad):
        with pytest.raises(ValueError, match="cannot be the id"):
            documents.put(bad, body())

    @pytest.mark.parametrize("bad", ["", "a/b", "..", "a?b", "a\n", "\udcff", "x" * 256])
    def test_an_impossible_id_is_not_found(self, documents, bad):
        documents.put("1", body())
        with pytest.raises(DocumentNotFound):
            documents.get(bad)
        documents.delete(bad)
        assert documents.latest().id == "1"
