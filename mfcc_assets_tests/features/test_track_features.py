from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.features.fingerprint import fingerprint
from mfcc_assets.features.low_band import low_band_cepstra, treble
from mfcc_assets.features.mfcc import compute_cepstra
from mfcc_assets.features.parameters import CepstraParameters, FeaturesParameters
from mfcc_assets.features.statistics import segment_means
from mfcc_assets.features.timbre import COEFFICIENTS, WIDTH, timbre_vector
from mfcc_assets.features.track_features import Analysis, FeatureTable, TrackFeatures, analyse, track_features_of
from mfcc_assets_tests.audio_samples import music

PARAMETERS = FeaturesParameters()
CEPSTRA_PARAMETERS = PARAMETERS.cepstra
SIGNAL = music(3.0, seed=1).astype(np.float32)


def cepstra(frames: int, seed: int) -> np.ndarray:
    """Return random cepstra of a track without silence."""
    random = np.random.default_rng(seed)
    return np.hstack([random.uniform(-5, 0, (frames, 1)), random.normal(0, 10, (frames, 12))]).astype(np.float32)


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


@pytest.mark.parametrize("coefficients", [12, 13, 22])
def test_an_analysis_has_cepstra_of_the_given_parameters_and_the_timbre_of_finer_ones(coefficients):
    parameters = replace(CEPSTRA_PARAMETERS, coefficients=coefficients)
    analysis = analyse([SIGNAL], parameters)
    np.testing.assert_allclose(analysis.cepstra, compute_cepstra([SIGNAL], parameters), rtol=1e-5, atol=1e-4)
    finer = compute_cepstra([SIGNAL], replace(CEPSTRA_PARAMETERS, coefficients=max(COEFFICIENTS, coefficients)))
    np.testing.assert_array_equal(analysis.timbre, timbre_vector(finer))
    assert analysis.timbre.shape == (WIDTH,)


def test_the_analysis_does_not_depend_on_how_the_signal_is_cut_into_blocks():
    whole, cut = analyse([SIGNAL], CEPSTRA_PARAMETERS), analyse(np.array_split(SIGNAL, 7), CEPSTRA_PARAMETERS)
    np.testing.assert_array_equal(cut.cepstra, whole.cepstra)
    np.testing.assert_array_equal(cut.timbre, whole.timbre)


def test_an_analysis_keeps_the_first_coefficients_of_finer_cepstra():
    finer = np.random.default_rng(0).normal(0, 1, (300, COEFFICIENTS)).astype(np.float32)
    analysis = Analysis.of_cepstra(finer, 13)
    np.testing.assert_array_equal(analysis.cepstra, finer[:, :13])
    np.testing.assert_array_equal(analysis.timbre, timbre_vector(finer))


def test_cepstra_with_too_few_coefficients_for_timbre_are_refused():
    with pytest.raises(ValueError, match="26 cepstra"):
        Analysis.of_cepstra(np.zeros((300, 13), np.float32), 13)


@pytest.mark.parametrize("frames", [1, 7, 50, 24_000])
def test_track_features_hold_gaussian_contour_segment_means_fingerprint_timbre_and_treble(frames):
    analysed = analysis(frames, seed=1)
    given_cepstra, track_features = analysed.cepstra, track_features_of(analysed, PARAMETERS)
    low = low_band_cepstra(given_cepstra, PARAMETERS.cepstra)
    np.testing.assert_allclose(track_features.mean, low.mean(axis=0, dtype=np.float64))
    np.testing.assert_allclose(
        track_features.covariance, np.cov(low.T.astype(np.float64), bias=True), rtol=1e-9, atol=1e-9
    )
    assert track_features.contour.shape == (max(1, round(frames / 50)), 10)
    np.testing.assert_array_equal(track_features.contour, segment_means(low, len(track_features.contour)))
    np.testing.assert_array_equal(track_features.segment_means.reshape(8, 10), segment_means(low, 8))
    np.testing.assert_array_equal(track_features.fingerprint, fingerprint(given_cepstra, PARAMETERS.cepstra))
    np.testing.assert_array_equal(track_features.timbre, analysed.timbre)
    of_whole_band = given_cepstra.mean(axis=0, dtype=np.float64)
    assert track_features.treble == pytest.approx(treble(of_whole_band, PARAMETERS.cepstra))
    arrays = [getattr(track_features, field.name) for field in fields(TrackFeatures) if field.name != "treble"]
    assert {array.dtype.name for array in arrays} == {"float32", "float64"}


def test_the_contour_has_the_rate_of_the_parameters():
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
def test_unusable_cepstra_are_refused(unusable):
    with pytest.raises(ValueError, match=r"frame|finite"):
        track_features_of(with_timbre(unusable), PARAMETERS)


def test_a_feature_table_has_one_row_for_each_track():
    together = feature_table(1, 2, 3)
    assert len(together) == 3
    for row, seed in enumerate((1, 2, 3)):
        single = track_features_of(analysis(300 + seed, seed), PARAMETERS)
        np.testing.assert_array_equal(together.means[row], single.mean)
        np.testing.assert_array_equal(together.covariances[row], single.covariance.astype(np.float32))
        np.testing.assert_allclose(together.variances[row], np.diag(single.covariance), rtol=1e-6)
        np.testing.assert_array_equal(together.segment_means[row], single.segment_means)
        np.testing.assert_array_equal(together.timbre[row], single.timbre)
        assert together.treble[row] == np.float32(single.treble)
    assert together.low_timbre.shape == (3, 0)


@pytest.mark.parametrize("coefficients", [12, 13])
def test_the_feature_table_of_no_tracks_has_the_usual_columns(coefficients):
    none = FeatureTable.of([], FeaturesParameters(cepstra=CepstraParameters(coefficients=coefficients)))
    assert len(none) == 0
    low = coefficients * 20 // 26
    assert none.means.shape == none.variances.shape == (0, low)
    assert none.covariances.shape == (0, low, low)
    assert none.segment_means.shape == (0, 8 * low)
    assert none.timbre.shape == (0, WIDTH)
    assert none.low_timbre.shape == (0, 0)
    assert none.treble.shape == (0,)


@given(st.lists(st.integers(0, 4)))
def test_rows_are_selected_in_the_given_order(rows):
    assert_same(feature_table(*range(5)).rows(np.array(rows, dtype=np.int64)), feature_table(*rows))


def test_columns_of_different_lengths_are_refused():
    one, two = feature_table(1), feature_table(1, 2)
    for column in fields(FeatureTable):
        with pytest.raises(ValueError, match="the same tracks"):
            replace(one, **{column.name: getattr(two, column.name)})


@given(st.integers(0, 4))
def test_joined_tables_equal_the_table_of_all_tracks(count):
    seeds = tuple(range(4))
    assert_same(
        FeatureTable.joined([feature_table(*seeds[:count]), feature_table(*seeds[count:])]), feature_table(*seeds)
    )
