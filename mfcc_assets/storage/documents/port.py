"""The port `DocumentStore`, which every store of documents implements. There is one document for each upload.

A store interprets only two entries of a document's body: ``state``, a word, and ``received``, an ISO 8601 time with an
offset.
"""

import json
import random
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from mfcc_assets.errors import Conflict, DocumentNotFound

PAGE = 100
"""Number of documents that `DocumentStore.find` reads at once by default."""

IDS_PER_QUERY = 200
"""Most ids that `DocumentStore.get_many` asks for at once."""

BEFORE_THE_NEWEST = ("~", "")
"""A time of receipt and an id that sort after those of every document."""

_ATTEMPTS = 20
_LONGEST_PAUSE_SECONDS = 0.1

# In the address of a document in Cosmos DB, one or two dots alone would name a folder.
_ID = re.compile(r"(?!\.{1,2}$)[^/\\?#\x00-\x1f\ud800-\udfff]{1,255}")


@dataclass(frozen=True)
class Document:
    """A JSON object, with a tag that changes whenever it is written."""

    id: str
    body: dict[str, Any]
    etag: str


@dataclass(frozen=True)
class DocumentBody:
    """A checked copy of the body of a document, with the values by which a store finds and sorts it.

    Attributes
    ----------
    body
        Copy that later changes of the caller's object do not affect.
    state
        State of the document.
    received
        Time of receipt in UTC with a fixed number of digits, so that the texts sort like the times.
    """

    body: dict[str, Any]
    state: str
    received: str

    @classmethod
    def of(cls, body: dict[str, Any]) -> Self:
        """Copy a body. Raises ValueError if it is not as `DocumentStore.put` describes."""
        copied = json.loads(json.dumps(body, allow_nan=False))
        return cls(copied, _state(copied), _received(copied))


class DocumentStore(ABC):
    """JSON documents by id. Every method raises `StoreError` if the storage itself fails.

    A store may have a retention time: then a document disappears when it was not written for that long. A new retention
    time applies to existing documents too.
    """

    def close(self) -> None:  # noqa: B027
        """Close the connections. The store must not be used afterwards."""

    @abstractmethod
    def get(self, document_id: str) -> Document:
        """Return a document. Raises `DocumentNotFound` if there is no such document, or it is damaged."""

    def get_or_none(self, document_id: str) -> Document | None:
        """Return a document, or None if there is no such document."""
        try:
            return self.get(document_id)
        except DocumentNotFound:
            return None

    @abstractmethod
    def get_many(self, document_ids: Collection[str]) -> dict[str, Document]:
        """Return documents by their ids, with one request for many of them.

        Parameters
        ----------
        document_ids
            Ids of any number of documents.

        Returns
        -------
        dict[str, Document]
            The documents by id. Ids for which `get` would find no document are absent.
        """

    @abstractmethod
    def create(self, document_id: str, body: dict[str, Any]) -> Document:
        """Write a document that must not exist yet. If several writers try at once, exactly one succeeds.

        Parameters
        ----------
        document_id, body
            As for `put`.

        Raises
        ------
        Conflict
            If there is a document with that id.
        ValueError
            If the id or the body is not as `put` describes.
        """

    @abstractmethod
    def put(self, document_id: str, body: dict[str, Any], *, if_match: str | None = None) -> Document:
        r"""Write a document, replacing the one that is there.

        Parameters
        ----------
        document_id
            Id of at most 255 characters without ``/``, ``\``, ``?`` and ``#``. It is neither ``.`` nor ``..``.
        body
            Object that JSON can represent, with ``state`` and ``received``.
        if_match
            ETag that the document must still have.

        Raises
        ------
        Conflict
            If `if_match` is given and the document has another ETag or is gone.
        ValueError
            If the id or the body is not as above.
        """

    def update(self, document_id: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Document:
        """Read, change and write a document, and start again if somebody else wrote it meanwhile.

        Parameters
        ----------
        document_id
            Id of the document.
        change
            Function from the body to the new body. It may be called several times.

        Raises
        ------
        DocumentNotFound
            If there is no such document.
        Conflict
            If other writers changed the document during each of 20 attempts.
        """
        for attempt in range(_ATTEMPTS):
            found = self.get(document_id)
            try:
                return self.put(document_id, change(found.body), if_match=found.etag)
            except Conflict:
                # Writers that wait for the same time would collide again.
                time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS) * attempt / _ATTEMPTS)  # noqa: S311
        raise Conflict(
            f"other writers changed it during {_ATTEMPTS} attempts",
            subject=f"Document {document_id}",
            remedy="Try again",
        )

    def latest(self) -> Document | None:
        """Return the document that was received last, or None if there is none."""
        return next(self.find(), None)

    @abstractmethod
    def find(self, state: str | None = None, *, after: tuple[str, str] = BEFORE_THE_NEWEST) -> Iterator[Document]:
        """Yield the documents in a state, or all, with the last received first. They are read page by page.

        Parameters
        ----------
        state
            State of the documents; None for all.
        after
            Place of a document, as `place_of` returns it. Only those behind it are yielded, also if it is gone.
        """

    @abstractmethod
    def ids(self, state: str) -> set[str]:
        """Return the ids of all documents in a state, without reading their bodies."""

    @abstractmethod
    def delete(self, document_id: str) -> None:
        """Delete a document, if there is one."""


def place_of(document: Document) -> tuple[str, str]:
    """Return the place of a document in the order of `DocumentStore.find`."""
    return _received(document.body), document.id


def id_batches(document_ids: Collection[str]) -> Iterator[list[str]]:
    """Yield the possible ones of these ids, each once, in lists that one query may name."""
    possible = sorted(set(filter(can_be_id, document_ids)))
    for start in range(0, len(possible), IDS_PER_QUERY):
        yield possible[start : start + IDS_PER_QUERY]


def can_be_id(document_id: str) -> bool:
    """Return whether every store can keep a document under this id."""
    return _ID.fullmatch(document_id) is not None


def check_id(document_id: str) -> None:
    """Raise ValueError if this cannot be the id of a document."""
    if not can_be_id(document_id):
        raise ValueError(f"{document_id!r} cannot be the id of a document")


def absent(document_id: str) -> DocumentNotFound:
    """Return the error for a document that does not exist."""
    return DocumentNotFound("there is no such document", subject=f"Document {document_id}", remedy="Check the id")


def damaged(document_id: str) -> DocumentNotFound:
    """Return the error for a document that is damaged, and counts as missing."""
    return DocumentNotFound(
        "the stored document is damaged",
        subject=f"Document {document_id}",
        remedy=f"If its file is still there, it is answered again. `mfcc purge {document_id}` removes what is left",
    )


def taken(document_id: str) -> Conflict:
    """Return the error for a new document whose id is taken."""
    return Conflict("the document exists already", subject=f"Document {document_id}", remedy="Read it")


def changed(document_id: str) -> Conflict:
    """Return the error for a document that changed since it was read."""
    return Conflict("the document changed since it was read", subject=f"Document {document_id}", remedy="Read it again")


def _state(body: dict[str, Any]) -> str:
    state = body.get("state")
    if not isinstance(state, str):
        raise ValueError(f"a document's state is a word, not {state!r}")  # noqa: TRY004  a wrong value, as `put` promises
    return state


def _received(body: dict[str, Any]) -> str:
    received = body.get("received")
    if not isinstance(received, str):
        raise ValueError(f"a document's time of receipt is an ISO 8601 text, not {received!r}")  # noqa: TRY004  a wrong value, as `put` promises
    moment = datetime.fromisoformat(received)
    if moment.tzinfo is None:
        raise ValueError(f"a document's time of receipt has an offset, unlike {received!r}")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
