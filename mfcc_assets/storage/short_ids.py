"""Ids of hexadecimal digits as half as many bytes, for files with many of them."""

import binascii
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEX_WIDTH = 32
"""Number of hexadecimal digits of an audio id."""


def shortened(ids: NDArray[np.bytes_]) -> NDArray[Any]:
    """Return audio ids (n,) as numbers (n, 16) uint8. Ids of another form are returned as they are.

    Examples
    --------
    >>> shortened(np.array([b"0102" * 8])).shape
    (1, 16)
    """
    if ids.dtype.itemsize == _HEX_WIDTH and len(ids):
        text = ids.tobytes()
        try:
            halves = binascii.unhexlify(text)
        except binascii.Error:
            return ids
        if binascii.hexlify(halves) == text:
            return np.frombuffer(halves, np.uint8).reshape(len(ids), -1)
    return ids


def lengthened(stored: NDArray[Any]) -> NDArray[np.bytes_]:
    """Return the ids (n,) of which `shortened` made an array.

    Examples
    --------
    >>> lengthened(shortened(np.array([b"0102" * 8]))).tolist() == [b"0102" * 8]
    True
    """
    if stored.dtype != np.uint8:
        return stored
    return np.frombuffer(binascii.hexlify(stored.tobytes()), f"S{_HEX_WIDTH}")
