import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.similarity.gaussian import jensen_shannon
from mfcc_assets_tests import naive

seeds = st.integers(0, 2**32 - 1)


def gaussian(seed: int, width: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of dependent coefficients. Each has an independent share of its variance, at least 1."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(0, 3, (width, width))
    return rng.normal(0, 5, width), mixing @ mixing.T + np.eye(width)


def distance(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> float:
    (found,) = jensen_shannon(*one, other[0][np.newaxis], other[1][np.newaxis])
    return float(found)


@given(seeds, seeds)
def test_the_distance_equals_that_of_the_naive_function(one, other):
    expected = naive.divergence(*gaussian(one), *gaussian(other))
    assert distance(gaussian(one), gaussian(other)) == pytest.approx(expected, rel=1e-4, abs=1e-4)


@given(seeds, seeds)
def test_the_distance_is_symmetric_and_0_between_equal_gaussians(one, other):
    assert distance(gaussian(one), gaussian(other)) == pytest.approx(distance(gaussian(other), gaussian(one)))
    assert distance(gaussian(one), gaussian(one)) == pytest.approx(0, abs=1e-6)


@given(seeds, st.floats(0.1, 10), st.floats(1.1, 10))
def test_the_distance_grows_with_the_difference_of_the_means(seed, offset, further):
    mean, covariance = gaussian(seed)
    near, far = ((mean + times * offset, covariance) for times in (1, further))
    assert 0 < distance((mean, covariance), near) < distance((mean, covariance), far)


def test_the_distance_grows_with_the_difference_of_the_covariances():
    mean, covariance = gaussian(0)
    factors = [1, 2, 5, 20]
    apart = [distance((mean, covariance), (mean, factor * covariance)) for factor in factors]
    assert apart == sorted(set(apart))


@given(seeds, seeds, st.floats(0.1, 100))
def test_the_unit_of_the_coefficients_does_not_change_the_distance(one, other, unit):
    in_units = [(mean * unit, covariance * unit**2) for mean, covariance in (gaussian(one), gaussian(other))]
    assert distance(*in_units) == pytest.approx(distance(gaussian(one), gaussian(other)), rel=1e-3, abs=1e-3)


def test_distances_to_many_equal_the_distances_to_each():
    others = [gaussian(seed) for seed in range(1, 6)]
    found = jensen_shannon(*gaussian(0), *(np.array(column) for column in zip(*others, strict=True)))
    np.testing.assert_allclose(found, [distance(gaussian(0), other) for other in others])


def test_there_are_no_distances_to_no_gaussians():
    assert jensen_shannon(*gaussian(0), np.empty((0, 4)), np.empty((0, 4, 4))).shape == (0,)


def test_constant_tracks_have_a_finite_distance():
    still, another = (np.zeros(4), np.zeros((4, 4))), (np.ones(4), np.zeros((4, 4)))
    assert distance(still, still) == 0
    assert 0 < distance(still, another) < np.inf
    assert 0 < distance(still, gaussian(0)) < np.inf


def test_distances_are_finite_if_two_coefficients_are_equal():
    mean, covariance = gaussian(0, width=3)
    followed = covariance[np.ix_([0, 1, 2, 2], [0, 1, 2, 2])]
    assert 0 < distance((mean[[0, 1, 2, 2]], followed), gaussian(1)) < np.inf


@pytest.mark.parametrize(
    ("covariance", "means", "covariances"),
    [
        (np.eye(3), np.zeros((2, 4)), np.zeros((2, 4, 4))),
        (np.ones(4), np.zeros((2, 4)), np.zeros((2, 4, 4))),
        (np.eye(4), np.zeros((2, 3)), np.zeros((2, 4, 4))),
        (np.eye(4), np.zeros((2, 4)), np.zeros((3, 4, 4))),
        (np.eye(4), np.zeros((2, 4)), np.zeros((2, 4))),
        (np.eye(4), np.zeros(4), np.zeros((4, 4))),
    ],
)
def test_shapes_that_do_not_agree_are_refused(covariance, means, covariances):
    with pytest.raises(ValueError, match="expected Gaussians of 4 dimensions"):
        jensen_shannon(np.zeros(4), covariance, means, covariances)
