from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mfcc_assets.features.fingerprint import fingerprint
from mfcc_assets.features.parameters import CepstraParameters, FeaturesParameters
from mfcc_assets.features.statistics import segment_means
from mfcc_assets.features.timbre import WIDTH
from mfcc_assets.features.track_features import Analysis, FeatureTable, TrackFeatures, track_features_of
from mfcc_assets_tests import naive

PARAMETERS = FeaturesParameters()
CEPSTRA = npst.arrays(
    np.float32, st.tuples(st.integers(1, 60), st.integers(1, 3)), elements=st.floats(-100, 100, width=32)
)


def cepstra(frames: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 10, (frames, 13)).astype(np.float32)


def analysis(frames: int, seed: int) -> Analysis:
    return with_timbre(cepstra(frames, seed), seed)


def with_timbre(given_cepstra: np.ndarray, seed: int = 0) -> Analysis:
    return Analysis(given_cepstra, np.random.default_rng(seed).normal(0, 1, WIDTH).astype(np.float32))


def feature_table(*seeds: int) -> FeatureTable:
    return FeatureTable.of([track_features_of(analysis(300 + seed, seed), PARAMETERS) for seed in seeds], PARAMETERS)


def assert_same(one: FeatureTable, other: FeatureTable) -> None:
    for name in (field.name for field in fields(FeatureTable)):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert getattr(one, name).dtype == getattr(other, name).dtype


@given(CEPSTRA, st.integers(1, 40))
def test_segment_means_are_those_of_the_slow_twin(frames, segments):
    means = segment_means(frames, segments)
    assert means.dtype == np.float32
    np.testing.assert_allclose(means, naive.segment_means(frames, segments), rtol=1e-6, atol=1e-5)


@given(CEPSTRA)
def test_as_many_segments_as_frames_are_the_frames(frames):
    np.testing.assert_array_equal(segment_means(frames, len(frames)), frames)


@given(CEPSTRA, st.integers(1, 40))
def test_segment_means_stay_within_the_frames(frames, segments):
    means = segment_means(frames, segments)
    assert (means >= frames.min(axis=0)).all()
    assert (means <= frames.max(axis=0)).all()


def test_three_frames_in_two_segments_are_one_and_two():
    np.testing.assert_array_equal(segment_means(np.float32([[1, 2], [3, 4], [5, 8]]), 2), [[1, 2], [4, 6]])


def test_one_frame_in_four_segments_stands_for_all():
    np.testing.assert_array_equal(segment_means(np.float32([[1, 2]]), 4), [[1, 2]] * 4)


@pytest.mark.parametrize(
    ("frames", "segments"), [(np.zeros((0, 13), np.float32), 8), (np.zeros(13, np.float32), 8), (cepstra(9, 0), 0)]
)
def test_means_of_nothing_are_refused(frames, segments):
    with pytest.raises(ValueError, match="at least one"):
        segment_means(frames, segments)


@pytest.mark.parametrize("frames", [1, 7, 50, 24_000])
def test_a_summary_holds_gaussian_contour_embedding_sketch_and_timbre(frames):
    analysed = analysis(frames, seed=1)
    given_cepstra, track_features = analysed.cepstra, track_features_of(analysed, PARAMETERS)
    np.testing.assert_allclose(track_features.mean, given_cepstra.mean(axis=0, dtype=np.float64))
    np.testing.assert_allclose(
        track_features.covariance, np.cov(given_cepstra.T.astype(np.float64), bias=True), rtol=1e-9, atol=1e-9
    )
    assert track_features.contour.shape == (max(1, round(frames / 50)), 13)
    np.testing.assert_array_equal(track_features.contour, segment_means(given_cepstra, len(track_features.contour)))
    np.testing.assert_array_equal(track_features.segment_means.reshape(8, 13), segment_means(given_cepstra, 8))
    np.testing.assert_array_equal(track_features.fingerprint, fingerprint(given_cepstra, PARAMETERS.cepstra))
    np.testing.assert_array_equal(track_features.timbre, analysed.timbre)
    assert {getattr(track_features, field.name).dtype.name for field in fields(TrackFeatures)} == {"float32", "float64"}


def test_the_contour_has_the_rate_that_is_asked_for():
    assert len(track_features_of(analysis(1_000, 0), replace(PARAMETERS, contour_rate=5.0)).contour) == 50
    assert len(track_features_of(analysis(1_000, 0), replace(PARAMETERS, contour_rate=0.01)).contour) == 1


@pytest.mark.parametrize(
    "unusable",
    [
        np.zeros((0, 13), np.float32),
        np.zeros((9, 12), np.float32),
        np.zeros(13, np.float32),
        np.full((200, 13), np.nan, np.float32),
        np.full((200, 13), np.inf, np.float32),
    ],
    ids=["no frame", "another width", "one dimension", "NaN", "infinity"],
)
def test_cepstra_that_cannot_be_summarised_are_refused(unusable):
    with pytest.raises(ValueError, match=r"frame|finite"):
        track_features_of(with_timbre(unusable), PARAMETERS)


def test_summaries_of_many_tracks_keep_a_row_a_track():
    together = feature_table(1, 2, 3)
    assert len(together) == 3
    for row, seed in enumerate((1, 2, 3)):
        single = track_features_of(analysis(300 + seed, seed), PARAMETERS)
        np.testing.assert_array_equal(together.means[row], single.mean)
        np.testing.assert_array_equal(together.covariances[row], single.covariance.astype(np.float32))
        np.testing.assert_allclose(together.variances[row], np.diag(single.covariance), rtol=1e-6)
        np.testing.assert_array_equal(together.segment_means[row], single.segment_means)
        np.testing.assert_array_equal(together.timbre[row], single.timbre)


@pytest.mark.parametrize("coefficients", [12, 13])
def test_summaries_of_no_track_have_the_width_of_any(coefficients):
    none = FeatureTable.of([], FeaturesParameters(cepstra=CepstraParameters(coefficients=coefficients)))
    assert len(none) == 0
    assert none.means.shape == none.variances.shape == (0, coefficients)
    assert none.covariances.shape == (0, coefficients, coefficients)
    assert none.segment_means.shape == (0, 8 * coefficients)
    assert none.timbre.shape == (0, WIDTH)


@given(st.lists(st.integers(0, 4)))
def test_rows_are_taken_in_the_order_asked_for(rows):
    assert_same(feature_table(*range(5)).rows(np.array(rows, dtype=np.int64)), feature_table(*rows))


def test_rows_of_different_numbers_of_tracks_are_refused():
    one, two = feature_table(1), feature_table(1, 2)
    with pytest.raises(ValueError, match="the same tracks"):
        FeatureTable(one.means, one.covariances, two.segment_means, one.roughness, one.timbre)


@given(st.integers(0, 4))
def test_tracks_summarised_apart_and_added_are_tracks_summarised_together(count):
    seeds = tuple(range(4))
    assert_same(
        FeatureTable.joined([feature_table(*seeds[:count]), feature_table(*seeds[count:])]), feature_table(*seeds)
    )
