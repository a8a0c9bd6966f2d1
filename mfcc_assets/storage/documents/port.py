"""What is known of each upload: the port `DocumentStore`.

Of a document's body only two entries mean something here: ``state``, a word, and ``received``, an ISO 8601 time with
its offset.
"""

import json
import random
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from mfcc_assets.errors import Conflict, DocumentNotFound

PAGE = 100
"""Documents that `DocumentStore.find` reads at once."""

BEFORE_THE_NEWEST = ("~", "")
"""A time of receipt and an id that no document's sort behind."""

_ATTEMPTS = 20
_LONGEST_PAUSE_SECONDS = 0.1

# Dots alone would be a step in the address of a document in Cosmos DB.
_ID = re.compile(r"(?!\.{1,2}$)[^/\\?#\x00-\x1f\ud800-\udfff]{1,255}")


@dataclass(frozen=True)
class Document:
    """A JSON object, and the tag that changes whenever it is written."""

    id: str
    body: dict[str, Any]
    etag: str


@dataclass(frozen=True)
class DocumentBody:
    """A body that any store can order and hold, apart from the object it was made of.

    Attributes
    ----------
    state
        The body's.
    received
        The body's, in UTC and of one width, so that texts sort as times do.
    """

    body: dict[str, Any]
    state: str
    received: str

    @classmethod
    def of(cls, body: dict[str, Any]) -> Self:
        """Raises `ValueError` if the body is not as `DocumentStore.put` takes it."""
        copied = json.loads(json.dumps(body, allow_nan=False))
        return cls(copied, _state(copied), _received(copied))


class DocumentStore(ABC):
    """JSON documents by id. Every method raises `StoreError` where the storage itself fails.

    Where a store is told how long documents are retained, one is gone so many seconds after it was last written. A
    changed retention holds for the documents that are there, too.
    """

    def close(self) -> None:  # noqa: B027
        """Give connections back, where the store keeps any; it is not used any more."""

    @abstractmethod
    def get(self, document_id: str) -> Document:
        """Raises `DocumentNotFound` if there is no such document."""

    @abstractmethod
    def create(self, document_id: str, body: dict[str, Any]) -> Document:
        """Write a document that must not be there yet: of several who do so at once, one succeeds.

        Parameters
        ----------
        document_id, body
            As for `put`.

        Raises
        ------
        Conflict
            If there is a document of that id.
        ValueError
            If the id or the body is not as `put` takes them.
        """

    @abstractmethod
    def put(self, document_id: str, body: dict[str, Any], *, if_match: str | None = None) -> Document:
        r"""Write a document, replacing the one that is there.

        Parameters
        ----------
        document_id
            At most 255 characters, none of them ``/``, ``\``, ``?`` or ``#``, and neither ``.`` nor ``..``.
        body
            What JSON can hold, with ``state`` and ``received``.
        if_match
            The ETag that the document must still have.

        Raises
        ------
        Conflict
            If `if_match` is given and the document has another ETag or is gone.
        ValueError
            If the id or the body is not as above.
        """

    def update(self, document_id: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Document:
        """Read a document, change it and write it, again if somebody else wrote it meanwhile.

        Parameters
        ----------
        document_id
            The document.
        change
            Takes the body and returns the new one. It may be called several times.

        Raises
        ------
        DocumentNotFound
            If there is no such document.
        Conflict
            If others wrote it during each of 20 attempts.
        """
        for attempt in range(_ATTEMPTS):
            found = self.get(document_id)
            try:
                return self.put(document_id, change(found.body), if_match=found.etag)
            except Conflict:
                # Writers that wait equally long would meet again.
                time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS) * attempt / _ATTEMPTS)  # noqa: S311
        raise Conflict(
            f"Others wrote it during {_ATTEMPTS} attempts", subject=f"Document {document_id}", remedy="Try again"
        )

    def latest(self) -> Document | None:
        """The document received last, or None if there is none."""
        return next(self.find(), None)

    @abstractmethod
    def find(self, state: str | None = None) -> Iterator[Document]:
        """Documents in a state, or all, the last received first, read page by page as the caller goes."""

    @abstractmethod
    def ids(self, state: str) -> set[str]:
        """Ids of all documents in a state, without their bodies: in SQLite 100,000 take 0.04 s instead of 0.6 s."""

    @abstractmethod
    def delete(self, document_id: str) -> None:
        """Remove a document; it may be gone already."""


def can_be_id(document_id: str) -> bool:
    """Whether any store could keep a document under it."""
    return _ID.fullmatch(document_id) is not None


def check_id(document_id: str) -> None:
    """Raises `ValueError` unless it can be the id of a document."""
    if not can_be_id(document_id):
        raise ValueError(f"{document_id!r} cannot be the id of a document")


def absent(document_id: str) -> DocumentNotFound:
    """What to raise where there is no such document."""
    return DocumentNotFound("There is no such document", subject=f"Document {document_id}", remedy="Check the id")


def taken(document_id: str) -> Conflict:
    """What to raise where a new document's id is taken."""
    return Conflict("There is one already", subject=f"Document {document_id}", remedy="Read it")


def changed(document_id: str) -> Conflict:
    """What to raise where a document is not what it was when it was read."""
    return Conflict("The document changed since it was read", subject=f"Document {document_id}", remedy="Read it again")


def _state(body: dict[str, Any]) -> str:
    state = body.get("state")
    if not isinstance(state, str):
        raise ValueError(f"a document's state is a word, not {state!r}")
    return state


def _received(body: dict[str, Any]) -> str:
    received = body.get("received")
    if not isinstance(received, str):
        raise ValueError(f"a document's time of receipt is an ISO 8601 text, not {received!r}")
    moment = datetime.fromisoformat(received)
    if moment.tzinfo is None:
        raise ValueError(f"a document's time of receipt has an offset, unlike {received!r}")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
