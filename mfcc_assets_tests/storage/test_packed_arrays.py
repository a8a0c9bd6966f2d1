"""Arrays in one file with a checksum."""

import re

import numpy as np
import pytest

from mfcc_assets.storage.packed_arrays import packed, unpacked

ARRAYS = {"contributions": np.random.default_rng(0).normal(size=(4, 13)), "moments": np.arange(30, dtype=np.int64)}


def bits() -> dict[str, tuple[object, ...]]:
    return {name: (array.dtype, array.shape, array.tobytes()) for name, array in ARRAYS.items()}


def test_packed_arrays_can_be_unpacked():
    found = unpacked(packed(ARRAYS))
    assert {name: (array.dtype, array.shape, array.tobytes()) for name, array in found.items()} == bits()
    assert unpacked(packed({})) == {}


def test_objects_of_python_are_refused():
    with pytest.raises(ValueError, match="objects"):
        packed({"names": np.array(["a", None], dtype=object)})


def test_no_changed_bit_is_read_as_another_value():
    written = packed(ARRAYS)
    for bit in range(8 * len(written)):
        changed = bytearray(written)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            found = unpacked(bytes(changed))
        except ValueError:
            continue
        assert {name: (array.dtype, array.shape, array.tobytes()) for name, array in found.items()} == bits()


def test_no_changed_bit_of_a_long_file_is_another_error():
    written = packed({"rows": np.arange(1_000), "factors": np.linspace(0, 1, 1_000)})
    headers = [found.start() for found in re.finditer(rb"\x93NUMPY", written)]
    places = {place for header in headers for place in range(header, header + 128)}
    for bit in (8 * place + bit for place in places for bit in range(8)):
        changed = bytearray(written)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            found = unpacked(bytes(changed))
        except ValueError:
            continue
        np.testing.assert_array_equal(found["rows"], np.arange(1_000))


@pytest.mark.parametrize("written", [b"", b"damaged", packed(ARRAYS)[:-30], packed(ARRAYS)[30:]])
def test_a_damaged_file_is_a_value_error(written):
    with pytest.raises(ValueError, match=r"damaged|written|pickled"):
        unpacked(written)
