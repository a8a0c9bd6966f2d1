"""Documents in a file of SQLite: an adapter of `DocumentStore` that needs no server."""

import json
import logging
import math
import os
import secrets
import sqlite3
import time
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from mfcc_assets.errors import DocumentNotFound, StoreError
from mfcc_assets.storage.disk_space import full_disk, means_full
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
    damaged,
    id_batches,
    taken,
)
from mfcc_assets.storage.sqlite_files import (
    EMPTY_LOG,
    LOCK_SECONDS,
    OVERWRITE_DELETED,
    WRITABLE,
    address_of_unchanging,
    is_damage,
    means_read_only,
    switch_to_write_ahead_log,
)

_TABLE = """
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    received TEXT NOT NULL,
    etag TEXT NOT NULL,
    body TEXT NOT NULL,
    written REAL NOT NULL DEFAULT 0,
    crc32 INTEGER
) WITHOUT ROWID
"""

_INDEXES = (
    "CREATE INDEX IF NOT EXISTS documents_by_received ON documents (received, id)",
    # This index holds every column of the query for ids, so that SQLite reads nothing else.
    "CREATE INDEX IF NOT EXISTS documents_in_state ON documents (state, received, id, written)",
    "CREATE INDEX IF NOT EXISTS documents_by_written ON documents (written)",
    "DROP INDEX IF EXISTS documents_by_state",  # files made before documents could expire have it
)

_ADDED_COLUMNS = {"written": "REAL NOT NULL DEFAULT 0", "crc32": "INTEGER"}
"""Columns that the files of older versions lack."""

_ONE = "SELECT id, body, etag, crc32 FROM documents WHERE id = ? AND written > ?"

_MANY = "SELECT id, body, etag, crc32 FROM documents WHERE written > ? AND id IN ({marks})"

_INSERT = """
INSERT OR REPLACE INTO documents (id, state, received, etag, body, written, crc32) VALUES (?, ?, ?, ?, ?, ?, ?)
"""

_ALL = """
SELECT id, body, etag, crc32, received FROM documents
WHERE written > ? AND (received, id) < (?, ?) ORDER BY received DESC, id DESC LIMIT ?
"""

_IN_STATE = """
SELECT id, body, etag, crc32, received FROM documents
WHERE state = ? AND written > ? AND (received, id) < (?, ?) ORDER BY received DESC, id DESC LIMIT ?
"""


_logger = logging.getLogger(__name__)


class SqliteDocuments(DocumentStore):
    """Documents in one SQLite file, for any number of threads and processes of one machine.

    SQLite notices damage of its own structures only. So each document has a CRC-32. A damaged document counts as
    missing, apart from a warning in the log: it must not keep others from their answers, and can be written anew.

    A writer waits up to 30 seconds for another writer. Readers never wait. Each call opens the file anew, so that two
    threads never share a connection and no connection survives a fork.

    Parameters
    ----------
    path
        Path of the file. It is made if it is missing.
    retention_seconds
        Time from the last write of a document until it disappears. None keeps all documents.
    page_size
        Number of documents that `find` reads at once.
    """

    def __init__(self, path: Path, *, retention_seconds: int | None = None, page_size: int = PAGE) -> None:
        self._path, self._page_size = path, page_size
        self._told: set[str] = set()
        self._retention_seconds = math.inf if retention_seconds is None else retention_seconds
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the folder cannot be made ({error.strerror})",
                subject=str(path.parent),
                remedy="Check its permissions",
            ) from error
        if self._is_only_read:
            return
        with self._connection() as connection:
            switch_to_write_ahead_log(connection)
        with self._transaction() as connection:
            _make_tables(connection)

    def get(self, document_id: str) -> Document:
        if not can_be_id(document_id):
            raise absent(document_id)
        with self._connection() as connection:
            row = connection.execute(_ONE, (document_id, self._due)).fetchone()
        if row is None:
            raise absent(document_id)
        return _document(row)

    def get_many(self, document_ids: Collection[str]) -> dict[str, Document]:
        found: dict[str, Document] = {}
        with self._connection() as connection:
            for ids in id_batches(document_ids):
                marks = ", ".join("?" * len(ids))
                for row in connection.execute(_MANY.format(marks=marks), (self._due, *ids)).fetchall():
                    with suppress(DocumentNotFound):
                        found[row[0]] = _document(row)
        return found

    def create(self, document_id: str, body: dict[str, Any]) -> Document:
        check_id(document_id)
        checked = DocumentBody.of(body)
        with self._writing() as connection:
            row = connection.execute(_ONE, (document_id, self._due)).fetchone()
            if row is not None and not _is_damaged(row):
                raise taken(document_id)
            return _write(connection, document_id, checked)

    def put(self, document_id: str, body: dict[str, Any], *, if_match: str | None = None) -> Document:
        check_id(document_id)
        checked = DocumentBody.of(body)
        with self._writing() as connection:
            if if_match is not None:
                found = connection.execute("SELECT etag FROM documents WHERE id = ?", (document_id,)).fetchone()
                if found != (if_match,):
                    raise changed(document_id)
            return _write(connection, document_id, checked)

    def find(self, state: str | None = None, *, after: tuple[str, str] = BEFORE_THE_NEWEST) -> Iterator[Document]:
        query, parameters = (_ALL, ()) if state is None else (_IN_STATE, (state,))
        last = after
        while True:
            # Each page has a transaction of its own: a long one would keep the write-ahead log from shrinking.
            with self._connection() as connection:
                rows = connection.execute(query, (*parameters, self._due, *last, self._page_size)).fetchall()
            for row in rows:
                try:
                    yield _document(row)
                except DocumentNotFound as error:
                    if str(error) not in self._told:
                        self._told.add(str(error))
                        _logger.warning("%s", error)
            if len(rows) < self._page_size:
                return
            last = (rows[-1][-1], rows[-1][0])

    def ids(self, state: str) -> set[str]:
        query = "SELECT id FROM documents WHERE state = ? AND written > ?"
        with self._connection() as connection:
            return {found for (found,) in connection.execute(query, (state, self._due))}

    def delete(self, document_id: str) -> None:
        if not can_be_id(document_id):
            return
        with self._writing() as connection:
            connection.execute("DELETE FROM documents WHERE id = ?", (document_id,))
        with self._connection() as connection:
            # The write-ahead log still holds what was deleted.
            connection.execute(EMPTY_LOG).fetchall()

    @property
    def _due(self) -> float:
        """Documents that were last written at this time or earlier have expired."""
        return time.time() - self._retention_seconds

    @property
    def _is_only_read(self) -> bool:
        """Whether this user can only read the documents. Where no file can be made, there is no document."""
        is_missing = not self._path.exists() and not os.access(self._path.parent, os.W_OK)
        return is_missing or address_of_unchanging(self._path) is not None

    def _open(self) -> sqlite3.Connection:
        # Without an isolation level this module begins and ends each transaction itself.
        unchanging = address_of_unchanging(self._path)
        if unchanging is not None:
            return sqlite3.connect(unchanging, uri=True, timeout=LOCK_SECONDS, isolation_level=None)
        if not self._is_only_read:
            return sqlite3.connect(self._path, timeout=LOCK_SECONDS, isolation_level=None)
        connection = sqlite3.connect(":memory:", isolation_level=None)
        _make_tables(connection)
        connection.execute("PRAGMA query_only=ON")
        return connection

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(self._open()) as connection:
                connection.execute(OVERWRITE_DELETED)
                # A damaged text may not be UTF-8. By default, it would fail the query, and so hide all other documents.
                connection.text_factory = lambda text: text.decode(errors="replace")
                yield connection
        except sqlite3.Error as error:
            if is_damage(error):
                raise StoreError(
                    f"the file of the documents is damaged ({error})",
                    subject=str(self._path),
                    remedy="Move it away: the uploads whose files are still there are answered again",
                ) from error
            if means_full(error):
                raise full_disk(self._path.parent) from error
            if means_read_only(error, self._path):
                raise StoreError(
                    f"the documents cannot be written ({error})",
                    subject=str(self._path),
                    remedy=WRITABLE,
                ) from error
            raise StoreError(
                f"SQLite refuses ({error})",
                subject=str(self._path),
                remedy="Check the file's permissions, the disk's space, and which other process holds the file",
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection:
            # A transaction that reads first and then writes would fail at once, without waiting, after another write.
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._transaction() as connection:
            connection.execute("DELETE FROM documents WHERE written <= ?", (self._due,))
            yield connection


def _make_tables(connection: sqlite3.Connection) -> None:
    connection.execute(_TABLE)
    columns = {name for _, name, *_ in connection.execute("PRAGMA table_info(documents)")}
    for name, kind in _ADDED_COLUMNS.items():
        if name not in columns:
            connection.execute(f"ALTER TABLE documents ADD COLUMN {name} {kind}")
    if "written" not in columns:
        # Nobody knows when the documents of older files were written, so their retention begins now.
        connection.execute("UPDATE documents SET written = ?", (time.time(),))
    for statement in _INDEXES:
        connection.execute(statement)


def _write(connection: sqlite3.Connection, document_id: str, checked: DocumentBody) -> Document:
    document, body = Document(document_id, checked.body, etag=secrets.token_hex(8)), json.dumps(checked.body)
    connection.execute(
        _INSERT,
        (document_id, checked.state, checked.received, document.etag, body, time.time(), _checksum(document_id, body)),
    )
    return document


def _document(row: Sequence[Any]) -> Document:
    """Return the document of a row: id, body, ETag and CRC-32. Raises `DocumentNotFound` if it is damaged."""
    document_id, text, etag, checksum, *_ = row
    if checksum is not None and checksum != _checksum(document_id, text):
        raise damaged(document_id)
    try:
        body = json.loads(text)
        if checksum is None:
            DocumentBody.of(body)  # an older version wrote it, so nothing but its form can be checked
    except (AttributeError, ValueError) as error:
        raise damaged(document_id) from error
    return Document(document_id, body, etag)


def _is_damaged(row: Sequence[Any]) -> bool:
    try:
        _document(row)
    except DocumentNotFound:
        return True
    return False


def _checksum(document_id: str, body: str) -> int:
    return zlib.crc32(f"{document_id} {body}".encode())
