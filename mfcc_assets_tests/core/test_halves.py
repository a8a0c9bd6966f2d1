import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.core.halves import distances_to_halves

EVERY_HALF = np.arange(1 << 16).astype(np.uint16).view(np.float16)
FINITE_HALVES = EVERY_HALF[np.isfinite(EVERY_HALF)]


def test_every_half_stands_for_its_own_number():
    found = distances_to_halves(np.zeros(1), FINITE_HALVES[:, np.newaxis], slice(0, 1))
    np.testing.assert_array_equal(found, np.abs(FINITE_HALVES).astype(np.float64))


@given(st.integers(0, 2**32 - 1), st.integers(0, 5), st.integers(0, 40), st.integers(1, 40))
def test_distances_are_those_of_the_columns_that_are_asked_for(seed, rows, first, width):
    rng = np.random.default_rng(seed)
    vectors = rng.choice(FINITE_HALVES[np.abs(FINITE_HALVES) < 100], (rows + 1, first + width + 3))
    query, columns = vectors[0], slice(first, first + width)
    apart = vectors[1:, columns].astype(np.float64) - query[columns].astype(np.float64)
    found = distances_to_halves(query, vectors[1:], columns)
    np.testing.assert_allclose(found, np.linalg.norm(apart, axis=1), rtol=1e-6)


def test_rows_need_not_lie_one_after_the_other():
    vectors = np.arange(12, dtype=np.float16).reshape(3, 4)
    np.testing.assert_array_equal(distances_to_halves(vectors[0], vectors[::-2], slice(0, 4)), [16, 0])


@pytest.mark.parametrize(
    "halves", [np.zeros((2, 3), np.float32), np.zeros((2, 4), np.float16), np.zeros(3, np.float16)]
)
def test_what_is_not_kept_as_halves_of_that_width_is_refused(halves):
    with pytest.raises(ValueError, match="halves of width"):
        distances_to_halves(np.zeros(3), halves, slice(0, 3))
