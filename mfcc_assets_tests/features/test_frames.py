from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets_tests import naive

COEFFICIENTS = 3


# The frames hold whole numbers, because float32 adds them exactly.
@st.composite
def some_tracks(draw, fewest=0):
    lengths = draw(st.lists(st.integers(1, 20), min_size=fewest, max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return [rng.integers(-100, 100, (length, COEFFICIENTS)).astype(np.float32) for length in lengths]


def stack(tracks):
    return RaggedFrames.of(tracks, COEFFICIENTS)


def assert_tracks(stacked, tracks):
    assert len(stacked) == len(tracks)
    for found, track in zip(stacked, tracks, strict=True):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, track, rtol=1e-6)


@given(some_tracks())
def test_tracks_are_returned_unchanged(tracks):
    stacked = stack(tracks)
    assert_tracks(stacked, tracks)
    assert stacked.lengths.tolist() == [len(track) for track in tracks]
    assert stacked.starts.tolist() == [sum(len(track) for track in tracks[:row]) for row in range(len(tracks) + 1)]
    for row, track in enumerate(tracks):
        np.testing.assert_array_equal(stacked[row], track)


@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_tracks_of_any_precision_are_joined_in_float32(kind):
    tracks = [np.ones((2, COEFFICIENTS), kind), np.zeros((1, COEFFICIENTS), kind)]
    assert_tracks(stack(iter(tracks)), tracks)


def test_tracks_with_another_number_of_coefficients_are_refused():
    with pytest.raises(ValueError, match="dimension"):
        stack([np.zeros((2, COEFFICIENTS + 1))])


@given(some_tracks(fewest=1), st.data())
def test_rows_are_selected_in_the_given_order_with_repetitions(tracks, data):
    rows = data.draw(st.lists(st.integers(0, len(tracks) - 1)))
    assert_tracks(stack(tracks).rows(rows), [tracks[row] for row in rows])


@given(some_tracks(), st.lists(st.integers(0, COEFFICIENTS - 1), min_size=1))
def test_columns_are_selected_from_every_track(tracks, columns):
    found = stack(tracks).columns(np.array(columns))
    assert_tracks(found, [track[:, columns] for track in tracks])
    assert found.frames.flags.c_contiguous


@given(some_tracks(), st.integers(1, 25))
def test_coarser_tracks_are_means_of_frames_of_one_track(tracks, factor):
    assert_tracks(stack(tracks).coarser(factor), [naive.coarser(track, factor) for track in tracks])


@given(some_tracks())
def test_a_factor_of_one_changes_nothing(tracks):
    assert_tracks(stack(tracks).coarser(1), tracks)


@given(some_tracks(), st.integers(1, 25))
def test_segments_agree_with_those_of_each_single_track(tracks, count):
    found = stack(tracks).segment_means(count)
    assert found.shape == (len(tracks), count, COEFFICIENTS)
    for segments, track in zip(found, tracks, strict=True):
        np.testing.assert_allclose(segments, naive.segment_means(track, count), rtol=1e-6)


@given(some_tracks())
def test_changes_are_summed_within_a_track_and_not_across_tracks(tracks):
    found = stack(tracks).roughness()
    assert found.shape == (len(tracks), COEFFICIENTS)
    for changes, track in zip(found, tracks, strict=True):
        total = sum((abs(after - before) for before, after in pairwise(track)), np.zeros(3))
        np.testing.assert_allclose(changes, total / len(track), rtol=1e-6)


def test_frames_stored_in_float16_are_averaged_in_float32():
    halves = RaggedFrames(np.full((3_000, COEFFICIENTS), 100, np.float16), np.array([0, 3_000]))
    assert_tracks(halves.coarser(3_000), [np.full((1, COEFFICIENTS), 100)])
    np.testing.assert_array_equal(halves.segment_means(1), np.full((1, 1, COEFFICIENTS), 100))
    np.testing.assert_array_equal(halves.roughness(), np.zeros((1, COEFFICIENTS)))


def test_a_track_of_one_frame_is_its_mean_and_has_no_changes():
    tracks = [np.full((1, COEFFICIENTS), value, np.float32) for value in (5, -3)]
    stacked = stack(tracks)
    assert_tracks(stacked.coarser(8), tracks)
    np.testing.assert_array_equal(stacked.segment_means(4), [np.repeat(track, 4, axis=0) for track in tracks])
    np.testing.assert_array_equal(stacked.roughness(), np.zeros((2, COEFFICIENTS)))


def test_no_tracks_give_empty_results():
    none = stack([])
    assert len(none) == len(none.coarser(4)) == len(none.rows([])) == len(none.columns(np.array([1]))) == 0
    assert none.segment_means(8).shape == (0, 8, COEFFICIENTS)
    assert none.roughness().shape == (0, COEFFICIENTS)
    assert list(none) == []
