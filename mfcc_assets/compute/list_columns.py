"""Columns of Arrow whose rows are arrays of numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def list_column(arrays: Sequence[NDArray[Any] | None], numbers: pa.DataType) -> pa.ListArray:
    """Return a column of arrays. None is a null.

    Examples
    --------
    >>> list_column([np.array([1, 2]), None], pa.int64()).to_pylist()
    [[1, 2], None]
    """
    lengths = [0 if array is None else len(array) for array in arrays]
    joined = np.concatenate([np.empty(0, numbers.to_pandas_dtype()), *(each for each in arrays if each is not None)])
    starts = pa.array(np.append(0, np.cumsum(lengths, dtype=np.int64)).astype(np.int32))
    nulls = pa.array([array is None for array in arrays], pa.bool_())
    return pa.ListArray.from_arrays(starts, pa.array(joined, numbers), mask=nulls)


def arrays_of(column: pa.ListArray) -> list[NDArray[Any] | None]:
    """Return the arrays of a column, without copies. It is the inverse of `list_column`.

    Examples
    --------
    >>> arrays_of(pa.array([[0.5], None], pa.list_(pa.float64())))
    [array([0.5]), None]
    """
    return [scalar.values.to_numpy() if scalar.is_valid else None for scalar in column]
