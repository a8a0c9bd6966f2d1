import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mfcc_assets.features.statistics import second_moments
from mfcc_assets_tests import naive

POINTS = npst.arrays(
    np.float32, st.tuples(st.integers(1, 5), st.integers(0, 70)), elements=st.floats(-100, 100, width=32)
)


@given(POINTS)
def test_moments_are_those_of_the_slow_twin(points):
    found = second_moments(points)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, naive.second_moments(points), rtol=1e-5, atol=1)


@given(POINTS)
def test_moments_are_symmetric(points):
    found = second_moments(points)
    np.testing.assert_array_equal(found, found.T)


def test_with_a_coordinate_of_ones_they_hold_count_and_sums():
    found = second_moments(np.float32([[1, 2, 3], [4, 5, 6], [1, 1, 1]]))
    np.testing.assert_array_equal(found, [[14, 32, 6], [32, 77, 15], [6, 15, 3]])


@pytest.mark.parametrize(("precision", "tolerance"), [(np.float32, 1e-1), (np.float64, 1e-8)])
def test_sums_are_in_the_precision_of_the_points(precision, tolerance):
    points = np.random.default_rng(0).normal(0, 10, (3, 4_000)).astype(precision)
    np.testing.assert_allclose(second_moments(points), naive.second_moments(points), rtol=0, atol=tolerance)


def test_points_may_lie_in_memory_as_they_like():
    points = np.random.default_rng(0).normal(0, 10, (50, 3))
    np.testing.assert_array_equal(second_moments(points.T), second_moments(points.T.copy()))
