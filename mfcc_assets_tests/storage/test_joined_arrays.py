"""Arrays in one file."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from mfcc_assets.storage.joined_arrays import joined_arrays, split_arrays

ARRAYS = of_numpy.arrays(
    st.sampled_from(["<u4", "<i8", "<f8", "|S5", "|u1"]), of_numpy.array_shapes(min_dims=1, max_dims=2, min_side=0)
)


@given(st.dictionaries(st.text(max_size=5), ARRAYS, max_size=4))
def test_arrays_are_read_as_they_were(arrays):
    found = split_arrays(joined_arrays(arrays))
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("written", [b"", b"no JSON\n", b"[1]\n", joined_arrays({"a": np.arange(3)})[:-1]])
def test_other_content_is_refused(written):
    with pytest.raises(ValueError, match="damaged"):
        split_arrays(written)
