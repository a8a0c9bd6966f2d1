"""Behaviour of Cosmos DB beyond the contract of every `DocumentStore`: its container, faults, keys and identities."""

import logging
import secrets
from contextlib import ExitStack, closing
from threading import Thread
from traceback import format_exception

import pytest
from azure.cosmos import CosmosClient, PartitionKey

from mfcc_assets.errors import Conflict, DocumentNotFound, StoreError
from mfcc_assets.storage.documents.cosmos import CosmosDocuments
from mfcc_assets.storage.documents.cosmos_account import INDEXING_POLICY
from mfcc_assets_tests.own_sleep import replace_sleep
from mfcc_assets_tests.services.cosmos import Fault, Identity
from mfcc_assets_tests.services.faulty_proxy import faulty_proxy
from mfcc_assets_tests.services.processes import free_port
from mfcc_assets_tests.storage.documents.bodies import body

WIDER_POLICY = {**INDEXING_POLICY, "includedPaths": [{"path": "/*"}], "excludedPaths": []}


@pytest.fixture
def documents(open_cosmos_documents):
    return open_cosmos_documents()


@pytest.fixture
def client(cosmos_server):
    with CosmosClient(cosmos_server.url, cosmos_server.key) as opened:
        yield opened


@pytest.fixture
def database(client, cosmos_database):
    """A database that somebody else made."""
    return client.create_database(cosmos_database)


@pytest.fixture
def meanwhile(monkeypatch):
    """A function that sets what happens when a call first waits before a retry."""

    def happens(deed):
        deeds = [deed]
        replace_sleep(monkeypatch, "tenacity.nap", lambda _: deeds.pop()() if deeds else None)

    return happens


def container(client, database):
    return client.get_database_client(database).get_container_client("uploads")


class TestContainer:
    def test_it_is_partitioned_by_id_and_indexes_only_what_is_queried(
        self, open_cosmos_documents, client, cosmos_database
    ):
        open_cosmos_documents(retention_seconds=7)
        made = container(client, cosmos_database).read()
        assert made["partitionKey"]["paths"] == ["/id"]
        assert made["indexingPolicy"] == INDEXING_POLICY
        assert made["defaultTtl"] == 7

    def test_several_processes_can_make_it_at_once(self, open_cosmos_documents):
        opening = [Thread(target=open_cosmos_documents) for _ in range(4)]
        for thread in opening:
            thread.start()
        for thread in opening:
            thread.join()
        assert open_cosmos_documents().latest() is None

    def test_an_existing_one_is_used_unchanged(self, open_cosmos_documents, client, database):
        database.create_container("uploads", PartitionKey("/id"), indexing_policy=WIDER_POLICY)
        open_cosmos_documents().put("1", body())
        assert container(client, database.id).read()["indexingPolicy"] == WIDER_POLICY

    def test_one_with_another_partition_key_is_refused(self, open_cosmos_documents, database):
        database.create_container("uploads", PartitionKey("/state"))
        with pytest.raises(StoreError, match="partitioned by /state"):
            open_cosmos_documents()

    def test_changing_the_retention_changes_nothing_else(self, open_cosmos_documents, client, database):
        database.create_container("uploads", PartitionKey("/id"), indexing_policy=WIDER_POLICY, default_ttl=1000)
        open_cosmos_documents().put("1", body())
        changed = container(client, database.id).read()
        assert (changed["defaultTtl"], changed["indexingPolicy"]) == (-1, WIDER_POLICY)
        assert open_cosmos_documents(retention_seconds=500).get("1").body == body()

    def test_a_body_can_be_queried_unless_cosmos_would_change_it(self, documents, client, cosmos_database):
        documents.put("plain", body(title="Palace", year=2026))
        documents.put("odd", body(title="caf\udce9"))
        documents.put("large", body(count=2**53 + 1))
        query = "SELECT VALUE c.id FROM c WHERE IS_OBJECT(c.body)"
        items = container(client, cosmos_database)
        assert list(items.query_items(query, enable_cross_partition_query=True)) == ["plain"]
        assert items.read_item("plain", "plain")["body"]["title"] == "Palace"

    def test_ids_are_read_over_many_pages(self, open_cosmos_documents):
        documents = open_cosmos_documents(ids_page_size=2)
        for number in range(5):
            documents.put(str(number), body("a"))
        assert documents.ids("a") == set("01234")

    def test_many_documents_are_read_by_a_query_and_not_one_by_one(self, open_cosmos_documents, cosmos_server):
        documents = open_cosmos_documents(patience_seconds=0.1)
        written = {name: documents.put(name, body()) for name in "123"}
        cosmos_server.befall(Fault("GET", "/docs", times=99))
        assert documents.get_many("123") == written
        with pytest.raises(StoreError):
            documents.get("1")

    def test_a_document_larger_than_an_item_is_refused(self, documents):
        with pytest.raises(StoreError, match="at most 2 MB"):
            documents.put("1", body(text="x" * 2**21))


class TestFaults:
    @pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
    @pytest.mark.parametrize(
        "fault",
        [{"status": 429, "headers": {"x-ms-retry-after-ms": "20"}}, {"status": 503}, {"status": 449}, {"status": 0}],
        ids=lambda fault: f"status {fault['status']}",
    )
    def test_a_call_waits_for_a_transient_fault(self, documents, cosmos_server, meanwhile, method, fault):
        meanwhile(lambda: None)
        documents.put("1", body(count=0))
        cosmos_server.befall(Fault(method, "/docs", times=3, **fault))
        documents.create("2", body())
        documents.update("1", lambda found: {**found, "count": found["count"] + 1})
        documents.delete("2")
        assert [found.body["count"] for found in documents.find()] == [1]

    def test_a_read_from_a_replica_that_lags_behind_is_retried(self, documents, cosmos_server, meanwhile):
        meanwhile(lambda: None)
        documents.put("1", body(count=0))
        cosmos_server.befall(Fault("GET", "/docs", times=5, status=404, headers={"x-ms-substatus": "1002"}))
        assert documents.get("1").body["count"] == 0

    def test_a_missing_container_is_not_a_missing_document(self, documents, cosmos_server):
        cosmos_server.befall(Fault("GET", "/docs", status=404, headers={"x-ms-substatus": "1003"}))
        with pytest.raises(StoreError, match="Deploy the database and its container uploads") as told:
            documents.get("1")
        assert not isinstance(told.value, DocumentNotFound)

    def test_a_lasting_fault_is_given_up(self, open_cosmos_documents, cosmos_server):
        documents = open_cosmos_documents(patience_seconds=0.1)
        cosmos_server.befall(Fault("GET", "/docs", times=99))
        with pytest.raises(StoreError, match="does not answer"):
            documents.get("1")
        cosmos_server.befall(Fault("GET", "/docs", times=99, status=429, headers={"x-ms-retry-after-ms": "50"}))
        with pytest.raises(StoreError, match=r"429.*throughput"):
            documents.get("1")

    @pytest.mark.parametrize("etag", [None, "the document's"])
    def test_a_write_whose_answer_was_lost_succeeds(self, documents, cosmos_server, etag):
        first = documents.put("1", body("a"))
        cosmos_server.befall(Fault("PATCH" if etag else "POST", "/docs", is_executed=True))
        written = documents.put("1", body("b"), if_match=etag and first.etag)
        assert documents.get("1") == written
        assert documents.put("1", body("c"), if_match=written.etag).body["state"] == "c"

    def test_a_creation_whose_answer_was_lost_succeeds(self, documents, cosmos_server):
        cosmos_server.befall(Fault("POST", "/docs", is_executed=True))
        assert documents.create("1", body()) == documents.get("1")
        cosmos_server.befall(Fault("POST", "/docs", is_executed=True))
        with pytest.raises(Conflict):
            documents.create("1", body())

    def test_a_lost_write_is_recognised_after_others_wrote(
        self, documents, open_cosmos_documents, cosmos_server, meanwhile
    ):
        another = open_cosmos_documents()

        def count(found):
            return {**found, "count": found["count"] + 1}

        def count_ten() -> None:
            for _ in range(10):
                another.update("1", count)

        cosmos_server.befall(Fault("POST", "/docs", is_executed=True))
        meanwhile(count_ten)
        created = documents.create("1", body(count=0))
        with pytest.raises(Conflict):
            documents.put("1", body(), if_match=created.etag)

        cosmos_server.befall(Fault("PATCH", "/docs", is_executed=True))
        meanwhile(lambda: another.update("1", count))
        documents.update("1", count)
        assert documents.get("1").body["count"] == 12

        cosmos_server.befall(Fault("POST", "/docs", is_executed=True))
        meanwhile(lambda: another.update("1", count))
        documents.put("1", body(count=100))
        assert documents.get("1").body["count"] == 101

    def test_a_deletion_whose_answer_was_lost_succeeds(self, documents, cosmos_server):
        documents.put("1", body())
        cosmos_server.befall(Fault("DELETE", "/docs", is_executed=True))
        documents.delete("1")
        with pytest.raises(DocumentNotFound):
            documents.get("1")

    def test_no_update_is_lost_or_done_twice_when_many_answers_are_lost(self, documents, cosmos_server):
        documents.put("1", body(count=0))
        cosmos_server.befall(Fault("PATCH", times=8, is_executed=True))

        def count() -> None:
            for _ in range(5):
                documents.update("1", lambda found: {**found, "count": found["count"] + 1})

        counting = [Thread(target=count) for _ in range(4)]
        for thread in counting:
            thread.start()
        for thread in counting:
            thread.join()
        assert documents.get("1").body["count"] == 20

    def test_a_call_survives_an_account_that_is_away_for_a_while(self, cosmos_server, cosmos_database):
        with faulty_proxy(cosmos_server.port) as proxy:
            url = f"http://127.0.0.1:{proxy.port}"
            proxy.go_away(0.5)
            documents = CosmosDocuments(url, lambda: cosmos_server.key, cosmos_database, retention_seconds=None)
            with closing(documents):
                documents.put("1", body())
                proxy.go_away(0.5)
                assert documents.update("1", lambda found: {**found, "again": True}) == documents.latest()

    def test_an_unreachable_account_is_a_store_error(self):
        url = f"http://127.0.0.1:{free_port()}"
        with pytest.raises(StoreError, match=r"does not answer.*Check its address"):
            CosmosDocuments(url, lambda: "AAAA", "mfcc", retention_seconds=None, patience_seconds=0.1)


class TestKeys:
    @pytest.mark.parametrize("key", [secrets.token_hex(32), secrets.token_hex(32) + "x"], ids=["wrong", "no key"])
    def test_the_error_for_a_wrong_key_does_not_show_the_key(self, cosmos_server, cosmos_database, key):
        with pytest.raises(StoreError, match="Check the account's key") as caught:
            CosmosDocuments(cosmos_server.url, lambda: key, cosmos_database, retention_seconds=None)
        assert key not in "".join(format_exception(caught.value))

    def test_a_rotated_key_takes_effect(self, cosmos_server, cosmos_database):
        keys = [cosmos_server.key]
        documents = CosmosDocuments(cosmos_server.url, lambda: keys[-1], cosmos_database, retention_seconds=None)
        with closing(documents):
            documents.put("1", body())
            cosmos_server.rotate_key()
            with pytest.raises(StoreError, match="401"):
                documents.get("1")
            keys.append(cosmos_server.key)
            assert documents.get("1").body == body()


class TestIdentities:
    """Identities with a data-plane role, which is all that the service needs."""

    @pytest.fixture(autouse=True)
    def trust(self, cosmos_server_with_tls, monkeypatch):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(cosmos_server_with_tls.folder / "ca.pem"))

    @pytest.fixture
    def open_documents(self, cosmos_server_with_tls, cosmos_database):
        url, identity = cosmos_server_with_tls.url, Identity(cosmos_server_with_tls.folder)
        with ExitStack() as opened:

            def open_documents(*, retention_seconds=None):
                documents = CosmosDocuments(url, identity, cosmos_database, retention_seconds=retention_seconds)
                return opened.enter_context(closing(documents))

            yield open_documents

    @pytest.fixture
    def deployed(self, cosmos_server_with_tls, cosmos_database):
        """A container that somebody with a key made."""
        server = cosmos_server_with_tls
        CosmosDocuments(server.url, lambda: server.key, cosmos_database, retention_seconds=None).close()

    @pytest.mark.usefixtures("deployed")
    def test_a_deployed_container_can_be_used(self, open_documents):
        documents = open_documents()
        documents.create("1", body(count=1))
        documents.update("1", lambda found: {**found, "count": 2})
        assert documents.latest().body["count"] == 2
        assert documents.ids("received") == {"1"}
        documents.delete("1")

    def test_a_missing_container_cannot_be_made(self, open_documents):
        with pytest.raises(StoreError, match=r"Cosmos DB Built-in Data Contributor.*deploy"):
            open_documents()

    @pytest.mark.usefixtures("deployed")
    def test_a_retention_that_cannot_be_changed_gives_a_warning(self, open_documents, caplog):
        with caplog.at_level(logging.WARNING):
            open_documents(retention_seconds=7).put("1", body())
        assert "time to live of container uploads from -1 to 7 seconds" in caplog.text
