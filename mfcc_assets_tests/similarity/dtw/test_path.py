import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.similarity.dtw.kernels import dtw_distance
from mfcc_assets.similarity.dtw.path import cheapest_path, warping_path
from mfcc_assets_tests import naive

# Müller, Fundamentals of Music Processing, section 3.2: two curves and their warping path.
X = np.array([1.0, 3, 9, 2, 1])
Y = np.array([2.0, 0, 0, 8, 7, 2])
PATH = [(0, 0), (0, 1), (1, 2), (2, 3), (2, 4), (3, 5), (4, 5)]

# float32 adds whole numbers exactly, so the cost of the path must equal the distance to the last bit.
curves = st.lists(st.integers(-100, 100), min_size=1, max_size=25).map(lambda values: np.array(values, dtype=float))
bands = st.none() | st.floats(0, 1, exclude_min=True)


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    warping_path(X, Y)


def test_the_path_is_that_of_the_textbook():
    np.testing.assert_array_equal(warping_path(X, Y), PATH)


@given(curves, curves, bands)
def test_the_path_has_the_least_cost_inside_the_band(a, b, band):
    path = warping_path(a, b, band=band)
    steps = {tuple(step) for step in np.diff(path, axis=0)}
    assert tuple(path[0]) == (0, 0)
    assert tuple(path[-1]) == (a.size - 1, b.size - 1)
    assert steps <= {(1, 0), (0, 1), (1, 1)}
    assert all(naive.in_band(i, j, a.size, b.size, band) for i, j in path.tolist())
    assert np.abs(a[path[:, 0]] - b[path[:, 1]]).sum() == dtw_distance(a, b, band=band)


def test_the_path_prefers_diagonal_steps():
    np.testing.assert_array_equal(warping_path(np.zeros(4), np.zeros(4)), [(0, 0), (1, 1), (2, 2), (3, 3)])


def test_the_cheapest_path_goes_through_the_cells_of_least_cost():
    costs = np.ones((4, 4))
    cells = [(0, 0), (0, 1), (1, 2), (2, 2), (3, 3)]
    costs[tuple(zip(*cells, strict=True))] = 0
    np.testing.assert_array_equal(cheapest_path(costs), cells)


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((0, 2)), np.full((2, 2), np.nan)])
def test_a_matrix_that_is_empty_not_finite_or_not_two_dimensional_is_refused(bad):
    with pytest.raises(ValueError, match="expected"):
        cheapest_path(bad)


@pytest.mark.parametrize("bad", [[], [1.0, np.nan], [np.inf], [1e39], [[1.0], [2.0]], 1.0])
def test_a_curve_that_is_empty_not_finite_or_not_one_dimensional_is_refused(bad):
    with pytest.raises(ValueError, match="expected"):
        warping_path(bad, [1.0])
    with pytest.raises(ValueError, match="expected"):
        warping_path([1.0], bad)


@pytest.mark.parametrize("band", [0, -0.1, 1.01, np.nan])
def test_a_band_outside_0_to_1_is_refused(band):
    with pytest.raises(ValueError, match="band"):
        warping_path([1.0], [1.0], band=band)
