"""Documents in Azure Cosmos DB: an adapter of `DocumentStore` for many machines."""

import json
import re
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
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
from mfcc_assets.storage.documents.cosmos_account import PATIENCE_SECONDS, CosmosAccount, is_missing
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
    id_batches,
    taken,
)

# A retried write must find its mark behind the marks of writes that came after it. With four writers at once, up to
# nine came after it.
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

# Cosmos DB finds the items of such a list by its index of ids, without reading others.
_MANY = "SELECT * FROM c WHERE c.id IN ({names})"

_IDS = "SELECT VALUE c.id FROM c WHERE c.state = @state"


class CosmosDocuments(DocumentStore):
    """Documents in the container ``uploads`` of a Cosmos DB account, for any number of machines.

    A document is one item. Its id is the partition key, so that reading or writing it needs one partition. Beside the
    body the item keeps the random marks of its last 16 writes. A write whose answer was lost is retried. If the first
    attempt succeeded, the retry finds its mark in the item, even if others wrote since. So nothing is written twice,
    and no write conflicts with its own first attempt.

    A call that is throttled or gets no answer is retried, by default for up to 90 seconds.

    Parameters
    ----------
    url
        Address of the account.
    credential
        A credential for tokens, such as a managed identity, or a function that returns the account's key. The function
        is called before each request, so that a rotated key takes effect.
    database
        Name of the database. If the database or its container is missing, it is made, which needs an account key: the
        data-plane roles of a managed identity do not allow it. An existing container keeps its indexing policy.
    retention_seconds
        Time from the last write of a document until it disappears. None keeps all documents. The time to live of an
        existing container is changed; if the identity may not do that, a warning is logged.
    page_size, ids_page_size
        Number of documents that `find` reads at once, and number of ids that one request of `ids` fetches.
    patience_seconds
        Time from the beginning of a call until it is given up.

    Raises
    ------
    StoreError
        From the constructor and every method, if the account cannot be reached or refuses.
    """

    def __init__(
        self,
        url: str,
        credential: TokenCredential | Callable[[], str],
        database: str,
        *,
        retention_seconds: int | None,
        page_size: int = PAGE,
        ids_page_size: int = 1000,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._page_size, self._ids_page_size = page_size, ids_page_size
        self._account = CosmosAccount(
            url, credential, database, retention_seconds=retention_seconds, patience_seconds=patience_seconds
        )

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

    def get_many(self, document_ids: Collection[str]) -> dict[str, Document]:
        found: dict[str, Document] = {}
        for ids in id_batches(document_ids):
            named = {f"@id{number}": document_id for number, document_id in enumerate(ids)}
            items = self._query(_MANY.format(names=", ".join(named)), named)
            found |= {item["id"]: _document(item) for item in items}
        return found

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

    def find(self, state: str | None = None, *, after: tuple[str, str] = BEFORE_THE_NEWEST) -> Iterator[Document]:
        query, parameters = (_ALL, {}) if state is None else (_IN_STATE, {"@state": state})
        received, last_id = after
        while True:
            # Each page is a query of its own and not a continuation of the client's, so that it can be retried.
            page = {**parameters, "@received": received, "@id": last_id}
            items = self._query(query, page, at_most=self._page_size)
            for item in items:
                yield _document(item)
            if len(items) < self._page_size:
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
                query,
                parameters=named,
                enable_cross_partition_query=True,
                max_item_count=at_most or self._ids_page_size,
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
                # The client itself retries some requests, and an earlier attempt may have arrived meanwhile.
                if done := write.done(container):
                    return done
                raise

        return self._account.ask(send_once)


class _Write:
    """One write of a document, which can find out whether an earlier attempt succeeded."""

    def __init__(self, document_id: str, body: dict[str, Any]) -> None:
        check_id(document_id)
        self._id, self._checked, self._mark = document_id, DocumentBody.of(body), secrets.token_hex(8)
        self._fields = {"state": self._checked.state, "received": self._checked.received, "body": _kept(self._checked)}

    @property
    def item(self) -> dict[str, Any]:
        """The complete item, for a write that does not depend on an earlier version."""
        marks = [self._mark] + [""] * (_MARKS - 1)
        return {"id": self._id, **self._fields, "created": self._mark, "writes": marks}

    @property
    def changes(self) -> list[dict[str, Any]]:
        """The changes of an existing item: the new mark is put first and the oldest mark is removed."""
        fields = [{"op": "set", "path": f"/{name}", "value": value} for name, value in self._fields.items()]
        return [
            {"op": "add", "path": "/writes/0", "value": self._mark},
            {"op": "remove", "path": f"/writes/{_MARKS}"},
            *fields,
        ]

    def document(self, etag: str) -> Document:
        return Document(self._id, self._checked.body, etag)

    def done(self, container: ContainerProxy) -> Document | None:
        """Return the document that this write made, or None if it was not done."""
        try:
            item = container.read_item(self._id, self._id)
        except CosmosResourceNotFoundError as error:
            if not is_missing(error):
                raise
            return None
        if item["writes"][0] == self._mark:
            return self.document(item["_etag"])
        # If others wrote since, the mark serves as an ETag that no item has, so that the next conditional write fails.
        return self.document(self._mark) if self._mark in (item["created"], *item["writes"]) else None


def _kept(checked: DocumentBody) -> dict[str, Any] | str:
    """Return the body, which the portal can query, or its JSON text if Cosmos DB would change the body."""
    text = json.dumps(checked.body, ensure_ascii=False)
    # Numbers in Cosmos DB are doubles, which represent integers of up to 53 bits.
    is_kept = not _LONE_SURROGATE.search(text) and json.loads(text, parse_int=float) == checked.body
    return checked.body if is_kept else json.dumps(checked.body)


def _document(item: Mapping[str, Any]) -> Document:
    kept = item["body"]
    return Document(item["id"], json.loads(kept) if isinstance(kept, str) else kept, item["_etag"])
