"""Bytes with a checksum behind them. Programs that show pictures ignore what follows the end of a picture."""

import hashlib

_CHECKSUM_BYTES = 16


def with_checksum(content: bytes) -> bytes:
    """Return bytes as they are stored, with their checksum behind them.

    Examples
    --------
    >>> without_checksum(with_checksum(b"a picture"))
    b'a picture'
    """
    return content + _checksum(content)


def without_checksum(written: bytes) -> bytes:
    """Return the bytes before their checksum. Raises ValueError if they are not what `with_checksum` was given."""
    content, checksum = written[:-_CHECKSUM_BYTES], written[-_CHECKSUM_BYTES:]
    if checksum != _checksum(content):
        raise ValueError("the bytes are not what was written")
    return content


def _checksum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_CHECKSUM_BYTES).digest()
