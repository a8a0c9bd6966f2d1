"""The contract of `ApiKeys`, over every database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mfcc_assets.storage.sql.api_keys import ApiKeys, StoredKey
from mfcc_assets.storage.sql.database import Database

MADE = datetime(2026, 11, 1, 12, 30, 15, 123456, tzinfo=UTC)
KEY = StoredKey("0123456789abcdef", "Zoë's 🎷", True, "0f" * 32, MADE)


def test_a_key_is_found_by_its_id_and_another_id_finds_none(database: Database) -> None:
    keys = ApiKeys(database)
    keys.record_key(KEY)
    assert keys.stored_key(KEY.key_id) == KEY
    assert keys.stored_key("f" * 16) is None


def test_the_oldest_key_is_listed_first(database: Database) -> None:
    keys = ApiKeys(database)
    younger = replace(KEY, key_id="a" * 16, created_at=MADE + timedelta(microseconds=1), is_operator=False)
    for key in (younger, KEY):
        keys.record_key(key)
    assert keys.stored_keys() == [KEY, younger]


def test_a_key_that_is_stored_again_replaces_its_row(database: Database) -> None:
    keys = ApiKeys(database)
    for name in ("one", "two"):
        keys.record_key(replace(KEY, name=name))
    assert [key.name for key in keys.stored_keys()] == ["two"]


def test_the_time_at_which_a_key_was_first_revoked_stays(database: Database) -> None:
    keys = ApiKeys(database)
    other = replace(KEY, key_id="b" * 16)
    for key in (KEY, other):
        keys.record_key(key)
    for hours in (1, 2):
        keys.mark_revoked(KEY.key_id, MADE + timedelta(hours=hours))
    assert keys.stored_key(KEY.key_id) == replace(KEY, revoked_at=MADE + timedelta(hours=1))
    assert keys.stored_key(other.key_id) == other
