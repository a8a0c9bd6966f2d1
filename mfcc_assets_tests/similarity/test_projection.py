"""Tests of products that are the same on every machine."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.similarity.projection import projected


@given(st.integers(0, 12), st.integers(0, 40), st.integers(0, 30), st.integers(0, 2**32 - 1))
def test_products_are_those_of_the_slow_twin_bit_by_bit(rows: int, width: int, dimensions: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors, axes = (random.normal(size=shape).astype(np.float32) for shape in ((rows, width), (width, dimensions)))
    expected = np.zeros((rows, dimensions), np.float32)
    for place in range(width):
        expected += vectors[:, [place]] * axes[[place]]

    assert np.array_equal(projected(vectors, axes), expected)
    assert np.allclose(expected, vectors.astype(np.float64) @ axes, atol=1e-4)


def test_a_row_has_the_same_product_alone_and_among_others() -> None:
    random = np.random.default_rng(0)
    vectors, axes = (random.normal(size=shape).astype(np.float32) for shape in ((50, 300), (300, 128)))

    alone = np.concatenate([projected(vectors[[row]], axes) for row in range(50)])

    assert np.array_equal(alone, projected(vectors, axes))


@pytest.mark.parametrize("shapes", [((2, 3), (4, 5)), ((3,), (3, 5)), ((2, 3), (3,))])
def test_shapes_that_do_not_fit_are_refused(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="have no product"):
        projected(*(np.zeros(shape, np.float32) for shape in shapes))
