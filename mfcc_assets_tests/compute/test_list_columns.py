"""Columns whose rows are arrays."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.compute.list_columns import arrays_of, list_column

ROWS = st.lists(st.none() | st.lists(st.integers(-5, 5), max_size=4), max_size=10)


@given(ROWS, st.integers(0, 9))
def test_arrays_come_back_from_a_column_and_from_its_slices(rows, first: int) -> None:
    column = list_column([None if row is None else np.array(row, np.int64) for row in rows], pa.int64())

    assert column.to_pylist() == rows
    found = arrays_of(column.slice(first))
    assert [None if array is None else array.tolist() for array in found] == rows[first:]


@pytest.mark.parametrize(("numbers", "kind"), [(pa.int64(), np.int64), (pa.float64(), np.float64)])
def test_the_numbers_keep_their_type(numbers: pa.DataType, kind: type) -> None:
    column = list_column([np.array([1], kind), np.array([], kind)], numbers)

    assert column.type == pa.list_(numbers)
    assert {array.dtype for array in arrays_of(column) if array is not None} == {np.dtype(kind)}
