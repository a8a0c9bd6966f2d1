"""What is known of each upload: the port `MetadataStore`, and the adapter that keeps its documents in SQLite.

Of a document's body only two entries mean something here: ``state``, a word, and ``received``, an ISO 8601 time with
its offset.
"""

import json
import random
import re
import secrets
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mfcc_assets.core.errors import Conflict, DocumentNotFound, StoreError

_ATTEMPTS = 20
_LONGEST_PAUSE_SECONDS = 0.1
_ID = re.compile(r"[^/\\?#\x00-\x1f\ud800-\udfff]{1,255}")
_LOCK_TIMEOUT_SECONDS = 30.0
_PAGE = 100

_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    received TEXT NOT NULL,
    etag TEXT NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_by_received ON documents (received, id);
CREATE INDEX IF NOT EXISTS documents_by_state ON documents (state, received, id);
COMMIT;
"""
_ALL = """
SELECT id, body, etag, received FROM documents
WHERE (received, id) < (?, ?) ORDER BY received DESC, id DESC LIMIT ?
"""
_IN_STATE = """
SELECT id, body, etag, received FROM documents
WHERE state = ? AND (received, id) < (?, ?) ORDER BY received DESC, id DESC LIMIT ?
"""
_BEFORE_THE_NEWEST = ("~", "")  # no time sorts behind it


@dataclass(frozen=True)
class Document:
    """A JSON object, and the tag that changes whenever it is written."""

    id: str
    body: dict[str, Any]
    etag: str


class MetadataStore(ABC):
    """JSON documents by id. Every method raises `StoreError` where the storage itself fails."""

    @abstractmethod
    def get(self, document_id: str) -> Document:
        """Raises `DocumentNotFound` if there is no such document."""

    @abstractmethod
    def put(self, document_id: str, body: dict[str, Any], *, if_match: str | None = None) -> Document:
        r"""Write a document, replacing the one that is there.

        Parameters
        ----------
        document_id
            At most 255 characters, none of them ``/``, ``\``, ``?`` or ``#``.
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
        """Ids of all documents in a state, without their bodies: 100,000 take 0.07 s instead of 0.8 s."""

    @abstractmethod
    def delete(self, document_id: str) -> None:
        """Remove a document; it may be gone already."""


class SqliteDocuments(MetadataStore):
    """Documents in one SQLite file, for any number of threads and processes of one machine.

    A writer waits up to 30 seconds for another; readers wait for nobody. Each call opens the file anew, so that no
    connection is shared by two threads or carried across a fork: reading takes 0.5 ms, writing 27 ms.

    Parameters
    ----------
    path
        The file, made if missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The folder cannot be made ({error.strerror})",
                subject=str(path.parent),
                remedy="Check its permissions",
            ) from error
        with self._connection() as connection:
            _switch_to_write_ahead_log(connection)
            connection.executescript(_SCHEMA)

    def get(self, document_id: str) -> Document:
        with self._connection() as connection:
            row = connection.execute("SELECT id, body, etag FROM documents WHERE id = ?", (document_id,)).fetchone()
        if row is None:
            raise DocumentNotFound(
                "There is no such document", subject=f"Document {document_id}", remedy="Check the id"
            )
        return _document(row)

    def put(self, document_id: str, body: dict[str, Any], *, if_match: str | None = None) -> Document:
        _check_id(document_id)
        document = Document(document_id, body=json.loads(json.dumps(body, allow_nan=False)), etag=secrets.token_hex(8))
        state, received = _state(document.body), _received(document.body)
        with self._writing() as connection:
            if if_match is not None:
                found = connection.execute("SELECT etag FROM documents WHERE id = ?", (document_id,)).fetchone()
                if found != (if_match,):
                    raise Conflict(
                        "The document changed since it was read",
                        subject=f"Document {document_id}",
                        remedy="Read it again",
                    )
            connection.execute(
                "INSERT OR REPLACE INTO documents (id, state, received, etag, body) VALUES (?, ?, ?, ?, ?)",
                (document_id, state, received, document.etag, json.dumps(document.body)),
            )
        return document

    def find(self, state: str | None = None) -> Iterator[Document]:
        query, asked = (_ALL, ()) if state is None else (_IN_STATE, (state,))
        last = _BEFORE_THE_NEWEST
        while True:
            # No reading transaction stays open between two pages: it would keep the write-ahead log from shrinking.
            with self._connection() as connection:
                rows = connection.execute(query, (*asked, *last, _PAGE)).fetchall()
            for *row, _ in rows:
                yield _document(row)
            if len(rows) < _PAGE:
                return
            last = (rows[-1][3], rows[-1][0])

    def ids(self, state: str) -> set[str]:
        with self._connection() as connection:
            return {found for (found,) in connection.execute("SELECT id FROM documents WHERE state = ?", (state,))}

    def delete(self, document_id: str) -> None:
        with self._writing() as connection:
            connection.execute("DELETE FROM documents WHERE id = ?", (document_id,))

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            # Without an isolation level transactions begin and end where this module says so.
            with closing(
                sqlite3.connect(self._path, timeout=_LOCK_TIMEOUT_SECONDS, isolation_level=None)
            ) as connection:
                yield connection
        except sqlite3.Error as error:
            raise StoreError(
                f"SQLite refuses ({error})",
                subject=str(self._path),
                remedy="Check the file's permissions, the disk's space, and who else holds the file",
            ) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection:
            # A transaction that begins by reading fails at once, without waiting, where another writes before it does.
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")


def _switch_to_write_ahead_log(connection: sqlite3.Connection) -> None:
    # Of six processes that opened a new file at once, SQLite refused one in 90 here without waiting as it was told.
    deadline = time.monotonic() + _LOCK_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _document(row: Sequence[str]) -> Document:
    document_id, body, etag = row
    return Document(document_id, json.loads(body), etag)


def _check_id(document_id: str) -> None:
    if not _ID.fullmatch(document_id):
        raise ValueError(f"{document_id!r} cannot be the id of a document")


def _state(body: dict[str, Any]) -> str:
    state = body.get("state")
    if not isinstance(state, str):
        raise ValueError(f"a document's state is a word, not {state!r}")
    return state


def _received(body: dict[str, Any]) -> str:
    """The time in UTC and of one width, so that texts sort as times do."""
    received = body.get("received")
    if not isinstance(received, str):
        raise ValueError(f"a document's time of receipt is an ISO 8601 text, not {received!r}")
    moment = datetime.fromisoformat(received)
    if moment.tzinfo is None:
        raise ValueError(f"a document's time of receipt has an offset, unlike {received!r}")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
