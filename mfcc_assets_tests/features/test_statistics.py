import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mfcc_assets.features.statistics import second_moments, segment_means
from mfcc_assets_tests import naive

POINTS = npst.arrays(
    np.float32, st.tuples(st.integers(1, 5), st.integers(0, 70)), elements=st.floats(-100, 100, width=32)
)
CEPSTRA = npst.arrays(
    np.float32, st.tuples(st.integers(1, 60), st.integers(1, 3)), elements=st.floats(-100, 100, width=32)
)


@given(POINTS)
def test_second_moments_agree_with_the_slow_twin(points):
    found = second_moments(points)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, naive.second_moments(points), rtol=1e-5, atol=1)


@given(POINTS)
def test_second_moments_are_symmetric(points):
    found = second_moments(points)
    np.testing.assert_array_equal(found, found.T)


def test_a_coordinate_of_ones_adds_the_count_and_the_sums():
    found = second_moments(np.array([[1, 2, 3], [4, 5, 6], [1, 1, 1]], np.float32))
    np.testing.assert_array_equal(found, [[14, 32, 6], [32, 77, 15], [6, 15, 3]])


@pytest.mark.parametrize(("precision", "tolerance"), [(np.float32, 1e-1), (np.float64, 1e-8)])
def test_sums_are_in_the_precision_of_the_points(precision, tolerance):
    points = np.random.default_rng(0).normal(0, 10, (3, 4_000)).astype(precision)
    np.testing.assert_allclose(second_moments(points), naive.second_moments(points), rtol=0, atol=tolerance)


def test_the_memory_layout_of_the_points_does_not_matter():
    points = np.random.default_rng(0).normal(0, 10, (50, 3))
    np.testing.assert_array_equal(second_moments(points.T), second_moments(points.T.copy()))


@given(CEPSTRA, st.integers(1, 40))
def test_segment_means_agree_with_the_slow_twin(frames, segments):
    means = segment_means(frames, segments)
    assert means.dtype == np.float32
    np.testing.assert_allclose(means, naive.segment_means(frames, segments), rtol=1e-6, atol=1e-5)


@given(CEPSTRA)
def test_the_means_of_single_frames_are_the_frames(frames):
    np.testing.assert_array_equal(segment_means(frames, len(frames)), frames)


@given(CEPSTRA, st.integers(1, 40))
def test_segment_means_lie_between_the_smallest_and_the_largest_frame(frames, segments):
    means = segment_means(frames, segments)
    assert (means >= frames.min(axis=0)).all()
    assert (means <= frames.max(axis=0)).all()


def test_three_frames_are_cut_into_segments_of_one_and_two():
    np.testing.assert_array_equal(segment_means(np.array([[1, 2], [3, 4], [5, 8]], np.float32), 2), [[1, 2], [4, 6]])


def test_one_frame_is_the_mean_of_all_four_segments():
    np.testing.assert_array_equal(segment_means(np.array([[1, 2]], np.float32), 4), [[1, 2]] * 4)


@pytest.mark.parametrize(
    ("frames", "segments"),
    [(np.zeros((0, 13), np.float32), 8), (np.zeros(13, np.float32), 8), (np.zeros((9, 13), np.float32), 0)],
)
def test_segment_means_of_nothing_are_refused(frames, segments):
    with pytest.raises(ValueError, match="at least one"):
        segment_means(frames, segments)
