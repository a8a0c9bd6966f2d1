"""Documents in Azure Cosmos DB: the adapter of `DocumentStore` for many machines."""

import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

from azure.core import MatchConditions
from azure.core.credentials import TokenCredential
from azure.cosmos import ContainerProxy
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

from mfcc_assets.errors import Conflict
from mfcc_assets.storage.documents.cosmos_account import CosmosAccount, is_missing
from mfcc_assets.storage.documents.port import (
    BEFORE_THE_NEWEST,
    PAGE,
    Document,
    DocumentBody,
    DocumentStore,
    absent,
    can_be_id,
    changed,
    check_id,
    taken,
)

_LARGEST_PAGE = 1000

# Four writers at once put nine marks of others before that of a write which had no answer for 0.2 s.
_MARKS = 16
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")

_ALL = """
SELECT * FROM c
WHERE c.received < @received OR (c.received = @received AND c.id < @id)
ORDER BY c.received DESC, c.id DESC
"""

_IN_STATE = """
SELECT * FROM c
WHERE c.state = @state AND (c.received < @received OR (c.received = @received AND c.id < @id))
ORDER BY c.state DESC, c.received DESC, c.id DESC
"""

_IDS = "SELECT VALUE c.id FROM c WHERE c.state = @state"


class CosmosDocuments(DocumentStore):
    """Documents in the container ``uploads`` of a Cosmos DB account, for any number of machines.

    A document is one item: its id is the partition key, so that reading and writing it asks one partition. Beside the
    body the item keeps the random marks of its last 16 writes. A write whose answer was lost is repeated, and finds its
    mark where it had been done the first time, also where others wrote since: nothing is done twice, and no race is
    lost to oneself.

    Throttled, or without an answer, a call waits and asks again for up to 90 seconds.

    Parameters
    ----------
    url
        Address of the account.
    credential
        A credential for tokens, such as a managed identity; or what returns the account's key. It is called before each
        request, so that a key that was rotated is taken up.
    database
        It and the container are made where they are missing, which needs an account key: the data-plane roles that a
        managed identity has cannot make them. What is there is used with the indexing policy that it has.
    retention_seconds
        Documents go so long after they were last written; None: they stay. An existing container is told, and where the
        identity may not do that, a warning is logged.

    Raises
    ------
    StoreError
        Here and from every method: the account cannot be reached, or refuses.
    """

    def __init__(
        self,
        url: str,
        credential: TokenCredential | Callable[[], str],
        database: str,
        *,
        retention_seconds: int | None,
    ) -> None:
        self._account = CosmosAccount(url, credential, database, retention_seconds=retention_seconds)

    def close(self) -> None:
        self._account.close()

    def get(self, document_id: str) -> Document:
        def read(container: ContainerProxy) -> Document:
            try:
                return _document(container.read_item(document_id, document_id))
            except CosmosResourceNotFoundError as error:
                if not is_missing(error):
                    raise
                raise absent(document_id) from error

        if not can_be_id(document_id):
            raise absent(document_id)
        return self._account.ask(read)

    def create(self, document_id: str, body: dict[str, Any]) -> Document:
        write = _Write(document_id, body)

        def create(container: ContainerProxy) -> Mapping[str, Any]:
            try:
                return container.create_item(write.item)
            except CosmosResourceExistsError as error:
                raise taken(document_id) from error

        return self._write(write, create)

    def put(self, document_id: str, body: dict[str, Any], *, if_match: str | None = None) -> Document:
        write = _Write(document_id, body)

        def replace(container: ContainerProxy) -> Mapping[str, Any]:
            if if_match is None:
                return container.upsert_item(write.item)
            try:
                return container.patch_item(
                    document_id,
                    document_id,
                    write.changes,
                    etag=if_match,
                    match_condition=MatchConditions.IfNotModified,
                )
            except (CosmosAccessConditionFailedError, CosmosResourceNotFoundError) as error:
                raise changed(document_id) from error

        return self._write(write, replace)

    def find(self, state: str | None = None) -> Iterator[Document]:
        query, asked = (_ALL, {}) if state is None else (_IN_STATE, {"@state": state})
        received, last_id = BEFORE_THE_NEWEST
        while True:
            # A page by itself, not a continuation of the client's: it can be asked for again, whoever answers.
            items = self._query(query, {**asked, "@received": received, "@id": last_id}, at_most=PAGE)
            for item in items:
                yield _document(item)
            if len(items) < PAGE:
                return
            received, last_id = items[-1]["received"], items[-1]["id"]

    def ids(self, state: str) -> set[str]:
        return set(self._query(_IDS, {"@state": state}))

    def delete(self, document_id: str) -> None:
        def delete(container: ContainerProxy) -> None:
            with suppress(CosmosResourceNotFoundError):
                container.delete_item(document_id, document_id)

        if can_be_id(document_id):
            self._account.ask(delete)

    def _query(self, query: str, parameters: Mapping[str, object], *, at_most: int | None = None) -> list[Any]:
        named = [{"name": name, "value": value} for name, value in parameters.items()]

        def read(container: ContainerProxy) -> list[Any]:
            found = container.query_items(
                query, parameters=named, enable_cross_partition_query=True, max_item_count=at_most or _LARGEST_PAGE
            )
            return list(islice(found, at_most))

        return self._account.ask(read)

    def _write(self, write: "_Write", send: Callable[[ContainerProxy], Mapping[str, Any]]) -> Document:
        was_sent = False

        def send_once(container: ContainerProxy) -> Document:
            nonlocal was_sent
            if was_sent and (done := write.done(container)):
                return done
            was_sent = True
            try:
                return write.document(send(container)["_etag"])
            except Conflict:
                # The client itself repeats some requests, and what was lost on its way may have come meanwhile.
                if done := write.done(container):
                    return done
                raise

        return self._account.ask(send_once)


class _Write:
    """One write of a document, which finds out whether it was done."""

    def __init__(self, document_id: str, body: dict[str, Any]) -> None:
        check_id(document_id)
        self._id, self._content, self._mark = document_id, DocumentBody.of(body), secrets.token_hex(8)
        self._shown = {"state": self._content.state, "received": self._content.received, "body": _kept(self._content)}

    @property
    def item(self) -> dict[str, Any]:
        """The whole item, of a document that is written as if it were new."""
        marks = [self._mark] + [""] * (_MARKS - 1)
        return {"id": self._id, **self._shown, "created": self._mark, "writes": marks}

    @property
    def changes(self) -> list[dict[str, Any]]:
        """What becomes of an item that is there: its mark comes in front of the others, the oldest goes."""
        shown = [{"op": "set", "path": f"/{name}", "value": value} for name, value in self._shown.items()]
        return [
            {"op": "add", "path": "/writes/0", "value": self._mark},
            {"op": "remove", "path": f"/writes/{_MARKS}"},
            *shown,
        ]

    def document(self, etag: str) -> Document:
        return Document(self._id, self._content.body, etag)

    def done(self, container: ContainerProxy) -> Document | None:
        """The document as it was written, or None where it was not."""
        try:
            item = container.read_item(self._id, self._id)
        except CosmosResourceNotFoundError as error:
            if not is_missing(error):
                raise
            return None
        if item["writes"][0] == self._mark:
            return self.document(item["_etag"])
        # Others wrote since: a tag that no item has says so to whoever goes on from here.
        return self.document(self._mark) if self._mark in (item["created"], *item["writes"]) else None


def _kept(content: DocumentBody) -> dict[str, Any] | str:
    """The body as it is, for queries in the portal; or its text, where Cosmos DB would not keep it as it is."""
    text = json.dumps(content.body, ensure_ascii=False)
    # Its numbers are doubles, which hold no more than 53 bits of an integer.
    is_kept = not _LONE_SURROGATE.search(text) and json.loads(text, parse_int=float) == content.body
    return content.body if is_kept else json.dumps(content.body)


def _document(item: Mapping[str, Any]) -> Document:
    kept = item["body"]
    return Document(item["id"], json.loads(kept) if isinstance(kept, str) else kept, item["_etag"])
