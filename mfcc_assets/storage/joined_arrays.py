"""Arrays in one file without checksums, for content whose digest is known. Reading it copies nothing."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGNMENT = 8


def joined_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the content of a file with these arrays: a line of JSON that describes them, and their bytes.

    Examples
    --------
    >>> split_arrays(joined_arrays({"counts": np.array([1, 2])}))["counts"].tolist()
    [1, 2]
    """
    described = [[name, array.dtype.str, array.shape] for name, array in arrays.items()]
    line = json.dumps(described).encode()
    parts = [line + b" " * (_aligned(len(line) + 1) - len(line) - 1) + b"\n"]
    for array in arrays.values():
        content = np.ascontiguousarray(array).tobytes()
        parts.append(content + b"\0" * (_aligned(len(content)) - len(content)))
    return b"".join(parts)


def split_arrays(written: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays in the content of a file. They are read-only.

    Raises
    ------
    ValueError
        If the content is not what `joined_arrays` returned. A change that keeps all lengths is not noticed.
    """
    line, end, _ = written.partition(b"\n")
    found = {}
    start = len(line) + len(end)
    try:
        for name, kind, shape in json.loads(line):
            count = math.prod(shape)
            dtype = np.dtype(kind)
            found[name] = np.frombuffer(written, dtype, count, start).reshape(shape)
            start += _aligned(count * dtype.itemsize)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the file is damaged ({error})") from error
    return found


def _aligned(length: int) -> int:
    return -(-length // _ALIGNMENT) * _ALIGNMENT
