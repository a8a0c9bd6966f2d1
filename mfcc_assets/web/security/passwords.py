"""The password of the pages. Only its argon2id hash is kept."""

import unicodedata
from threading import BoundedSemaphore

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

LEAST_CHARACTERS = 12

_HASHER = PasswordHasher()
_WAIT_SECONDS = 2.0

# A hash takes 64 MiB of memory and a tenth of a second of a core. Many at once would be an attack on the server.
_hashing = BoundedSemaphore(2)


def hash_of(password: str) -> str:
    """Return the argon2id hash of a password. Each call has another salt, and so another result."""
    return _HASHER.hash(_composed(password))


def is_hash(text: str) -> bool:
    """Return whether a text is an argon2id hash.

    Examples
    --------
    >>> is_hash("a password")
    False
    """
    try:
        return extract_parameters(text).type is Type.ID
    except InvalidHashError:
        return False


def matches(password: str, hashed: str) -> bool:
    """Return whether a password has this hash. At most two passwords are compared at the same time.

    Raises
    ------
    TimeoutError
        If others are compared for two seconds.
    """
    if not _hashing.acquire(timeout=_WAIT_SECONDS):
        raise TimeoutError("other passwords are being compared")
    try:
        return _HASHER.verify(hashed, _composed(password))
    except (VerificationError, InvalidHashError):
        return False
    finally:
        _hashing.release()


def _composed(password: str) -> str:
    # Some keyboards write é as one character and others as two.
    return unicodedata.normalize("NFC", password)
