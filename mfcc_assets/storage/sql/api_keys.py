"""The keys of users and programs, as rows of the database."""

from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa

from mfcc_assets.storage.sql.database import Database, reconnecting
from mfcc_assets.storage.sql.rows import named_columns, read_records, select_record
from mfcc_assets.storage.sql.schema import API_KEYS
from mfcc_assets.storage.sql.upserts import Upsert

_UPSERT = Upsert(API_KEYS)


@dataclass(frozen=True)
class StoredKey:
    """What is stored of a key. The text of the key is not.

    Attributes
    ----------
    key_id
        Random id, 16 hex digits, which is no secret.
    name
        Name of the user or program.
    is_operator
        Whether the key may publish indexes and see everybody's uploads.
    key_hash
        SHA-256 of the key's text, 64 hex digits.
    created_at
        When the key was made.
    revoked_at
        When the key was revoked; None if it is in use.
    """

    key_id: str
    name: str
    is_operator: bool
    key_hash: str
    created_at: datetime
    revoked_at: datetime | None = None


@reconnecting
class ApiKeys:
    """The keys that were made. A revoked key stays as a row, so that the time of its end is known.

    Parameters
    ----------
    database
        Database with the newest schema.

    Raises
    ------
    StoreError
        From every method, if the database cannot be reached, is locked for too long, or refuses.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def stored_key(self, key_id: str) -> StoredKey | None:
        """Return the key of an id; None if there is no such key."""
        query = select_record(StoredKey, API_KEYS).where(API_KEYS.c.KEY_ID == key_id)
        return next(iter(read_records(self._database, StoredKey, query)), None)

    def stored_keys(self) -> list[StoredKey]:
        """Return all keys, the oldest first."""
        query = select_record(StoredKey, API_KEYS).order_by(API_KEYS.c.CREATED_AT, API_KEYS.c.KEY_ID)
        return read_records(self._database, StoredKey, query)

    def record_key(self, key: StoredKey) -> None:
        """Store a key. It replaces what was stored of the key with this id."""
        with self._database.writing() as connection:
            connection.execute(_UPSERT, named_columns(asdict(key)))

    def mark_revoked(self, key_id: str, revoked_at: datetime) -> None:
        """Store when a key was revoked, unless it was revoked before."""
        with self._database.writing() as connection:
            connection.execute(
                sa.update(API_KEYS)
                .where(API_KEYS.c.KEY_ID == key_id, API_KEYS.c.REVOKED_AT.is_(None))
                .values(REVOKED_AT=revoked_at)
            )
