"""Arrays in one npz file with a checksum. The checksums of the format leave out the list of its members."""

import io
import zlib
from collections.abc import Mapping
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

_CHECKSUM = "crc32"


def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the content of a file with these arrays by name.

    Raises
    ------
    ValueError
        If an array holds objects of Python, which could run code when they are read.

    Examples
    --------
    >>> unpacked(packed({"counts": np.array([1, 2])}))
    {'counts': array([1, 2])}
    """
    if any(array.dtype.hasobject for array in arrays.values()):
        raise ValueError("objects cannot be stored as an array")
    written = io.BytesIO()
    # NumPy 2.1 would take its option `allow_pickle` for one more array.
    np.savez(written, **{**arrays, _CHECKSUM: np.array(_checksum(arrays))})  # type: ignore[arg-type]
    return written.getvalue()


def unpacked(written: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays in the content of a file. Raises ValueError if it is not what `packed` returned."""
    try:
        _require_right_checksums(written)
        with np.load(io.BytesIO(written), allow_pickle=False) as stored:
            arrays = dict(stored)
        checksum = int(arrays.pop(_CHECKSUM))
    except (EOFError, KeyError, OSError, RuntimeError, TypeError, ValueError, BadZipFile, zlib.error) as error:
        raise ValueError(f"the file is damaged ({error})") from error
    if checksum != _checksum(arrays):
        raise ValueError("the arrays are not what was written")
    return arrays


def _require_right_checksums(written: bytes) -> None:
    """Check all members before NumPy reads them. It parses the header of an array as Python before its checksum."""
    with ZipFile(io.BytesIO(written)) as members:
        if damaged := members.testzip():
            raise BadZipFile(f"the checksum of {damaged} is wrong")


def _checksum(arrays: Mapping[str, NDArray[Any]]) -> int:
    checksum = 0
    for name, array in sorted(arrays.items()):
        checksum = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), checksum)
        checksum = zlib.crc32(np.ascontiguousarray(array).data, checksum)
    return checksum
