import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core.dispatcher import Dispatcher

from mfcc_assets.similarity.dtw import anti_diagonals, kernels, path
from mfcc_assets.similarity.dtw.kernels import Curves, bounded_distance, dtw_distance, dtw_distances, warm_up
from mfcc_assets.similarity.dtw.path import warping_path
from mfcc_assets_tests import naive

# Müller, Fundamentals of Music Processing, section 3.2: two curves and their accumulated cost.
X = np.array([1.0, 3, 9, 2, 1])
Y = np.array([2.0, 0, 0, 8, 7, 2])
ACCUMULATED_COST = np.array(
    [
        [1, 2, 3, 10, 16, 17],
        [2, 4, 5, 8, 12, 13],
        [9, 11, 13, 6, 8, 15],
        [9, 11, 13, 12, 11, 8],
        [10, 10, 11, 18, 17, 9],
    ]
)

# float32 adds whole numbers exactly, so the kernel and the naive function must agree to the last bit.
curves = st.lists(st.integers(-100, 100), min_size=1, max_size=25).map(lambda values: np.array(values, dtype=float))
shares = st.floats(0, 1, exclude_min=True)
bands = st.none() | shares
lengths = st.integers(1, 40)


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    warm_up()
    warping_path(X, Y)


def test_every_cell_of_the_textbook_matrix_is_right():
    by_prefixes = [[dtw_distance(X[: i + 1], Y[: j + 1]) for j in range(Y.size)] for i in range(X.size)]
    np.testing.assert_array_equal(by_prefixes, ACCUMULATED_COST)
    np.testing.assert_array_equal(naive.dtw(X, Y), ACCUMULATED_COST)


@given(curves, curves, bands)
def test_the_distance_equals_that_of_the_naive_function(a, b, band):
    assert dtw_distance(a, b, band=band) == naive.dtw(a, b, band)[-1, -1]


@pytest.mark.parametrize("band", [None, 0.001, 0.1, 0.5])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 50), (50, 1), (2, 50), (50, 3), (60, 61), (37, 111), (111, 37)])
def test_the_distance_of_very_unequal_lengths_equals_that_of_the_naive_function(n, m, band):
    rng = np.random.default_rng(n * m)
    a, b = rng.integers(-9, 9, n).astype(float), rng.integers(-9, 9, m).astype(float)
    assert dtw_distance(a, b, band=band) == naive.dtw(a, b, band)[-1, -1]


@given(curves, curves, bands)
def test_the_distance_is_symmetric(a, b, band):
    assert dtw_distance(a, b, band=band) == dtw_distance(b, a, band=band)


@given(curves, bands)
def test_the_distance_of_a_curve_to_itself_is_0(a, band):
    assert dtw_distance(a, a, band=band) == 0


@given(curves, curves, shares, shares)
def test_a_wider_band_never_gives_a_larger_distance(a, b, one, other):
    narrow, wide = sorted((one, other))
    assert dtw_distance(a, b, band=narrow) >= dtw_distance(a, b, band=wide) >= dtw_distance(a, b)


@given(curves, curves)
def test_a_band_of_one_allows_every_path(a, b):
    assert dtw_distance(a, b, band=1.0) == dtw_distance(a, b)


def test_a_narrow_band_compares_curves_of_equal_length_frame_by_frame():
    rng = np.random.default_rng(0)
    a, b = rng.integers(-9, 9, 100), rng.integers(-9, 9, 100)
    assert dtw_distance(a, b, band=0.001) == np.abs(a - b).sum()


def test_a_band_allows_a_shift_of_at_most_its_half_width():
    bump = np.zeros(100)
    bump[20:30] = 1
    # 0.29 * 100 is a little below 29 in floating point.
    assert dtw_distance(bump, np.roll(bump, 29), band=0.29) == 0
    assert dtw_distance(bump, np.roll(bump, 30), band=0.29) > 0
    assert dtw_distance(bump, np.roll(bump, 30)) == 0


def test_a_slower_performance_stays_inside_the_slanted_band():
    a = np.random.default_rng(0).integers(-9, 9, 50)
    assert dtw_distance(a, np.repeat(a, 3), band=0.02) == 0
    assert dtw_distance(np.repeat(a, 3), a, band=0.02) == 0


@given(lengths, lengths, shares)
def test_every_band_connects_the_corners(n, m, band):
    assert np.isfinite(dtw_distance(np.zeros(n), np.zeros(m), band=band))


@pytest.mark.parametrize("band", [None, 0.1])
@pytest.mark.parametrize(("n", "m"), [(40, 31), (31, 40), (1, 7), (7, 1)])
def test_every_coefficient_is_warped_independently(n, m, band):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((n, 13)), rng.standard_normal((m, 13))
    alone = [dtw_distance(a[:, k], b[:, k], band=band) for k in range(13)]
    np.testing.assert_array_equal(dtw_distances(a, b, band=band), alone)


@pytest.mark.parametrize("band", [None, 0.5])
def test_one_coefficient_after_another_gives_the_same_distances_as_all_at_once(band):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((400, 2)), rng.standard_normal((380, 2))
    assert kernels.widest_diagonal(400, 380, kernels.reach(400, 380, band)) >= kernels.WIDE_DIAGONAL
    for k, distance in enumerate(dtw_distances(a, b, band=band)):
        assert bounded_distance(Curves(a), Curves(b), np.eye(2)[k], np.inf, band=band)[0] == distance


@pytest.mark.parametrize("band", [None, 0.1])
def test_sums_in_float32_have_a_relative_error_below_1e_minus_5(band):
    a, b = np.random.default_rng(0).standard_normal((2, 300)).cumsum(axis=1)
    assert dtw_distance(a, b, band=band) == pytest.approx(naive.dtw(a, b, band)[-1, -1], rel=1e-5)


tracks = st.tuples(lengths, lengths, st.integers(1, 3), st.integers(0, 2**32 - 1)).map(
    lambda drawn: _two_tracks(*drawn)
)


def _two_tracks(n, m, d, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(-9, 9, (n, d)).astype(float), rng.integers(-9, 9, (m, d)).astype(float)


def _weighted_distance(a, b, weights, band):
    return sum(w * naive.dtw(x, y, band)[-1, -1] for w, x, y in zip(weights, a.T, b.T, strict=True))


@given(tracks, st.floats(0, 1.5), bands, st.booleans())
def test_a_comparison_stops_early_only_if_the_distance_exceeds_the_limit(two, share, band, with_remaining):
    a, b = two
    weights = np.arange(a.shape[1])  # The first coefficient has the weight 0.
    truth = _weighted_distance(a, b, weights, band)
    remaining = naive.remaining_cost(a, b, band) if with_remaining else None
    distance, cells = bounded_distance(Curves(a), Curves(b), weights, share * truth, band=band, remaining=remaining)
    assert distance == truth or (distance == np.inf and truth > share * truth)
    in_band = sum(naive.in_band(i, j, len(a), len(b), band) for i in range(len(a)) for j in range(len(b)))
    assert cells <= in_band * a.shape[1]
    assert cells == in_band * a.shape[1] or distance == np.inf


@pytest.mark.parametrize("band", [None, 0.1])
def test_a_lower_limit_and_a_bound_of_the_remaining_cost_save_cells(band):
    rng = np.random.default_rng(0)
    a, b = rng.integers(-9, 9, (200, 3)).astype(float), rng.integers(-9, 9, (180, 3)).astype(float) + 15
    weights = np.ones(3)
    truth, all_cells = bounded_distance(Curves(a), Curves(b), weights, np.inf, band=band)
    cells = [bounded_distance(Curves(a), Curves(b), weights, share * truth, band=band)[1] for share in (0.2, 0.5, 0.8)]
    assert sorted(cells) == cells
    assert cells[0] < 0.3 * all_cells
    remaining = naive.remaining_cost(a, b, band)
    distance, fewer = bounded_distance(Curves(a), Curves(b), weights, 0.5 * truth, band=band, remaining=remaining)
    assert distance == np.inf
    assert fewer < cells[1]


@pytest.mark.parametrize("step", [0.1, 0.3, 1 / 3, 0.7])
def test_a_comparison_never_stops_early_because_of_rounding_errors(step):
    length = 3_000
    zeros, constant = np.zeros((length, 1)), np.full((length, 1), step)
    exact_remaining = step * np.arange(length - 1, -1, -1.0)[:, np.newaxis]
    rounded = dtw_distance(zeros[:, 0], constant[:, 0])
    assert rounded != step * length
    distance, _ = bounded_distance(Curves(zeros), Curves(constant), [1], rounded, remaining=exact_remaining)
    assert distance == rounded


@given(tracks, bands)
def test_a_distance_without_a_limit_is_the_weighted_sum_over_all_coefficients(two, band):
    a, b = two
    weights = 1 / np.arange(1, a.shape[1] + 1)
    distance, _ = bounded_distance(Curves(a), Curves(b), weights, np.inf, band=band)
    assert distance == pytest.approx(weights @ dtw_distances(a, b, band=band), rel=1e-15)


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((0, 2)), np.full((3, 2), np.nan)])
def test_invalid_curves_are_refused(bad):
    with pytest.raises(ValueError, match="expected"):
        Curves(bad)


@pytest.mark.parametrize(
    ("weights", "remaining"),
    [
        ([1], None),
        ([[1, 1]], None),
        ([1, 1], np.zeros((2, 2))),
        ([1, -1], None),
        ([1, np.nan], None),
        ([1, np.inf], None),
    ],
)
def test_invalid_weights_and_remaining_costs_are_refused(weights, remaining):
    curves = Curves(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="weights"):
        bounded_distance(curves, curves, weights, 1.0, remaining=remaining)


def test_no_kernel_is_compiled_after_warming_up():
    every_kernel = [
        value for module in (anti_diagonals, path) for value in vars(module).values() if isinstance(value, Dispatcher)
    ]
    assert len(every_kernel) >= 4
    compiled = [list(kernel.signatures) for kernel in every_kernel]
    read_only = np.ones((4, 2), dtype=np.float32)
    read_only.flags.writeable = False

    dtw_distances(read_only, np.asfortranarray(np.ones((5, 2))), band=0.5)
    dtw_distance([1, 2], np.ones(6)[::2])
    bounded_distance(Curves(read_only), Curves(np.ones((5, 2))), [1, 1], 7, band=0.5, remaining=read_only)
    warping_path(read_only[:, 0], np.ones(3, dtype=np.int16), band=0.5)

    assert [list(kernel.signatures) for kernel in every_kernel] == compiled


@pytest.mark.parametrize("bad", [[], [1.0, np.nan], [np.inf], [1e39], [[1.0], [2.0]], 1.0])
def test_a_curve_that_is_empty_not_finite_or_not_one_dimensional_is_refused(bad):
    with pytest.raises(ValueError, match="expected"):
        dtw_distance(bad, [1.0])
    with pytest.raises(ValueError, match="expected"):
        dtw_distance([1.0], bad)


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((0, 2)), np.zeros((3, 0)), np.full((3, 2), np.nan)])
def test_a_track_that_is_empty_not_finite_or_not_two_dimensional_is_refused(bad):
    with pytest.raises(ValueError, match="expected"):
        dtw_distances(bad, np.zeros((3, 2)))


def test_tracks_that_differ_in_coefficients_are_refused():
    with pytest.raises(ValueError, match="12 and 13 coefficients"):
        dtw_distances(np.zeros((3, 12)), np.zeros((3, 13)))
    with pytest.raises(ValueError, match="12 and 13 coefficients"):
        bounded_distance(Curves(np.zeros((3, 12))), Curves(np.zeros((3, 13))), np.ones(12), 1.0)


@pytest.mark.parametrize("band", [0, -0.1, 1.01, np.nan])
def test_a_band_outside_0_to_1_is_refused(band):
    with pytest.raises(ValueError, match="band"):
        dtw_distance([1.0], [1.0], band=band)
