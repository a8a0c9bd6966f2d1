"""Keys by which users and programs call the library over the network.

The text of a key is its id and a signature of this id by a key of the library. So it is stored nowhere, and can be made
again where a protocol needs it: a client of Subsonic sends only a hash of it. The database has a hash of each text, and
a key opens the library only if its text has both the right signature and a stored hash. So neither a copy of the
database nor the key of the library alone gives a key that works.
"""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime

from mfcc_assets.errors import KeyNotFound, UnusableKeyName
from mfcc_assets.library import Library
from mfcc_assets.storage.sql.api_keys import StoredKey
from mfcc_assets.storage.sql.schema import LONGEST_KEY_NAME
from mfcc_assets.texts import printable

_ID_BYTES = 8
_TEXT = re.compile(r"mfcc_([0-9a-f]{16})_[\w-]{43}", re.ASCII)


@dataclass(frozen=True)
class ApiKey:
    """A key that is in use.

    Attributes
    ----------
    key_id
        Random id, 16 hex digits, which is no secret.
    name
        Name of the user or program. Several keys may have the same name.
    is_operator
        Whether the key may publish indexes and see everybody's uploads.
    created_at
        When the key was made.
    """

    key_id: str
    name: str
    is_operator: bool
    created_at: datetime


def make_key(library: Library, name: str, *, is_operator: bool) -> str:
    """Make a key, and return its text, which is stored nowhere.

    Parameters
    ----------
    library
        The library.
    name
        Name of the user or program, of at most 64 printable characters without spaces at its ends.
    is_operator
        Whether the key may publish indexes and see everybody's uploads.

    Raises
    ------
    UnusableKeyName
        If the name is empty or too long, or has characters that cannot be printed.
    """
    units = len(name.encode("utf-16-le", "replace")) // 2
    if not 0 < units <= LONGEST_KEY_NAME or name != name.strip() or name != printable(name):
        raise UnusableKeyName(
            "it cannot be the name of a key",
            subject=repr(name),
            remedy=f"Use 1 to {LONGEST_KEY_NAME} printable characters without spaces at the ends",
        )
    key_id = secrets.token_hex(_ID_BYTES)
    text = _text_of(library, key_id)
    library.api_keys.record_key(StoredKey(key_id, name, is_operator, _hash_of(text), datetime.now(UTC)))
    return text


def keys_in_use(library: Library) -> list[ApiKey]:
    """Return the keys that are in use, the oldest first."""
    return [_without_hash(stored) for stored in library.api_keys.stored_keys() if stored.revoked_at is None]


def revoke_key(library: Library, key_id: str) -> ApiKey:
    """End a key, and return what it was. It opens nothing from now on.

    Raises
    ------
    KeyNotFound
        If no key in use has this id.
    """
    stored = library.api_keys.stored_key(key_id)
    if stored is None or stored.revoked_at is not None:
        raise KeyNotFound(
            "no key in use has this id", subject=f"key {key_id}", remedy="Run `mfcc keys list` to see the keys"
        )
    library.api_keys.mark_revoked(key_id, datetime.now(UTC))
    return _without_hash(stored)


def key_of_text(library: Library, text: str) -> ApiKey | None:
    """Return the key of a text that a caller sent; None if it opens nothing.

    Parameters
    ----------
    library
        The library.
    text
        Text as `make_key` returned it.
    """
    form = _TEXT.fullmatch(text)
    stored = library.api_keys.stored_key(form[1]) if form else None
    if stored is None or not _is_valid(library, stored):
        return None
    is_right = hmac.compare_digest(text.encode(), _text_of(library, stored.key_id).encode())
    return _without_hash(stored) if is_right else None


def key_of_token(library: Library, name: str, token: str, salt: str) -> ApiKey | None:
    """Return the key of a name whose text and a salt give a token, as Subsonic's clients send it; None if none does.

    Parameters
    ----------
    library
        The library.
    name
        Name of the user or program.
    token
        MD5 of the key's text and the salt, 32 hex digits.
    salt
        Text that the caller chose.
    """
    sent = token.lower().encode("utf-8", "replace")
    for stored in library.api_keys.stored_keys():
        if stored.name != name or not _is_valid(library, stored):
            continue
        salted = (_text_of(library, stored.key_id) + salt).encode("utf-8", "replace")
        expected = hashlib.md5(salted, usedforsecurity=False).hexdigest().encode()
        if hmac.compare_digest(sent, expected):
            return _without_hash(stored)
    return None


def _is_valid(library: Library, stored: StoredKey) -> bool:
    """Return whether a key is in use, and its hash is that of the text which this library makes for its id."""
    expected = _hash_of(_text_of(library, stored.key_id))
    return stored.revoked_at is None and hmac.compare_digest(stored.key_hash, expected)


def _text_of(library: Library, key_id: str) -> str:
    signature = hmac.digest(library.key_for("api keys"), key_id.encode(), "sha256")
    return f"mfcc_{key_id}_{urlsafe_b64encode(signature).decode().rstrip('=')}"


def _hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _without_hash(stored: StoredKey) -> ApiKey:
    return ApiKey(stored.key_id, stored.name, stored.is_operator, stored.created_at)
