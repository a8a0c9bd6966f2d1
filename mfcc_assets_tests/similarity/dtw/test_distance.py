import numpy as np
import pytest

from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.similarity.dtw.distance import (
    ARTICLE,
    DTW,
    SMALLEST_SCALE,
    WarpedDistance,
    pooled_scales,
)
from mfcc_assets.similarity.dtw.kernels import dtw_distance, dtw_distances
from mfcc_assets.similarity.rankings import rank
from mfcc_assets_tests import naive

COEFFICIENTS = 13
SCALES = np.linspace(1, 20, COEFFICIENTS)


def contour(frames, seed):
    walk = np.random.default_rng(seed).standard_normal((frames, COEFFICIENTS)).cumsum(axis=0)
    return walk * SCALES


def three_candidates():
    """A query, and three candidates that are less and less similar to it."""
    query = contour(120, seed=1)
    slower = np.repeat(query, 2, axis=0)
    disturbed = query + SCALES * np.random.default_rng(2).standard_normal(query.shape)
    return query, [("slower", slower), ("disturbed", disturbed), ("another", contour(120, seed=3) + 9 * SCALES)]


@pytest.mark.parametrize("warped", [ARTICLE, DTW], ids=["article", "dtw"])
def test_every_distance_ranks_similar_tracks_first(warped):
    query, candidates = three_candidates()
    ranked = rank(
        (audio_id, naive.warped_distance(warped, query, candidate, SCALES))
        for audio_id, candidate in reversed(candidates)
    )
    assert [track.audio_id for track in ranked] == ["slower", "disturbed", "another"]


@pytest.mark.parametrize("warped", [ARTICLE, DTW], ids=["article", "dtw"])
def test_every_distance_is_symmetric_and_0_between_equal_tracks(warped):
    a, b = contour(50, seed=1), contour(70, seed=2)
    assert warped.distances(a, RaggedFrames.of([a], COEFFICIENTS), SCALES).tolist() == [0]
    (there,) = warped.distances(a, RaggedFrames.of([b], COEFFICIENTS), SCALES)
    (back,) = warped.distances(b, RaggedFrames.of([a], COEFFICIENTS), SCALES)
    assert there == back > 0


def test_the_articles_distance_is_the_sum_over_the_coefficients():
    a, b = contour(40, seed=1), contour(60, seed=2)
    one_by_one = sum(dtw_distance(a[:, k], b[:, k]) for k in range(COEFFICIENTS))
    assert naive.warped_distance(ARTICLE, a, b, SCALES) == pytest.approx(one_by_one)


def test_the_articles_distance_grows_with_length_and_the_normalised_one_does_not():
    a, b = contour(100, seed=1), contour(100, seed=2)
    twice_a, twice_b = np.repeat(a, 2, axis=0), np.repeat(b, 2, axis=0)
    assert naive.warped_distance(ARTICLE, twice_a, twice_b, SCALES) > 1.8 * naive.warped_distance(ARTICLE, a, b, SCALES)
    once, twice = naive.warped_distance(DTW, a, b, SCALES), naive.warped_distance(DTW, twice_a, twice_b, SCALES)
    assert twice == pytest.approx(once, rel=0.05)


def test_the_unit_of_a_coefficient_does_not_change_the_normalised_distance():
    a, b = contour(60, seed=1), contour(50, seed=2)
    unit = np.ones(COEFFICIENTS)
    unit[4] = 1000
    assert naive.warped_distance(DTW, a * unit, b * unit, SCALES * unit) == pytest.approx(
        naive.warped_distance(DTW, a, b, SCALES)
    )
    assert naive.warped_distance(DTW, a / SCALES, b / SCALES, np.ones(COEFFICIENTS)) == pytest.approx(
        naive.warped_distance(DTW, a, b, SCALES)
    )


def test_a_normalised_weight_is_one_over_the_scale_and_the_frames_of_both_tracks():
    np.testing.assert_allclose(DTW.weights(np.array([1.0, 4]), 10), [0.1, 0.025])
    np.testing.assert_array_equal(ARTICLE.weights(np.array([1.0, 4]), 10), [1, 1])


@pytest.mark.parametrize("warped", [ARTICLE, DTW], ids=["article", "dtw"])
def test_the_weights_of_many_pairs_are_the_same_as_of_each_pair(warped):
    frames = np.array([10, 20, 35])
    found = warped.weights(SCALES, frames[:, np.newaxis])
    np.testing.assert_array_equal(found, [warped.weights(SCALES, each) for each in frames.tolist()])


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("band", [None, 0.05])
def test_a_distance_is_the_weighted_sum_of_the_dtw_distances_within_the_band(band, normalised):
    a, b = contour(40, seed=1), contour(60, seed=2)
    warped = WarpedDistance(band, normalised)
    weighted = warped.weights(SCALES, 100) * dtw_distances(a, b, band=band)
    assert naive.warped_distance(warped, a, b, SCALES) == pytest.approx(weighted.sum())


@pytest.mark.parametrize("warped", [ARTICLE, DTW], ids=["article", "dtw"])
@pytest.mark.parametrize("scale", [0, -1, np.inf, np.nan])
def test_scales_that_are_not_positive_and_finite_are_refused(warped, scale):
    scales = SCALES.copy()
    scales[3] = scale
    with pytest.raises(ValueError, match="positive, finite scales"):
        naive.warped_distance(warped, contour(5, seed=1), contour(5, seed=2), scales)


def test_scales_of_another_number_of_coefficients_are_refused():
    with pytest.raises(ValueError, match="mismatch"):
        naive.warped_distance(DTW, contour(5, seed=1), contour(5, seed=2), np.ones(12))


def test_scales_are_the_deviation_of_all_frames_if_the_tracks_have_equal_lengths():
    tracks = [contour(50, seed) for seed in range(6)]
    scales = pooled_scales(
        np.array([track.mean(axis=0) for track in tracks]), np.array([track.var(axis=0) for track in tracks])
    )
    np.testing.assert_allclose(scales, np.concatenate(tracks).std(axis=0))


def test_a_long_track_and_a_short_track_have_the_same_weight_in_the_scales():
    short, long = contour(50, seed=1), contour(200, seed=2)
    scales = pooled_scales(
        np.array([short.mean(axis=0), long.mean(axis=0)]), np.array([short.var(axis=0), long.var(axis=0)])
    )
    np.testing.assert_allclose(scales, np.concatenate([short, short, short, short, long]).std(axis=0))


def test_a_constant_coefficient_gets_the_smallest_scale():
    scales = pooled_scales(np.array([[5.0, 1.0], [5.0, 3.0]]), np.array([[0.0, 4.0], [0.0, 4.0]]))
    np.testing.assert_allclose(scales, [SMALLEST_SCALE, np.sqrt(5)])


@pytest.mark.parametrize(
    ("means", "variances"),
    [
        (np.zeros((0, 13)), np.zeros((0, 13))),
        (np.zeros((2, 13)), np.zeros((3, 13))),
        (np.zeros(13), np.zeros(13)),
        (np.full((2, 13), np.nan), np.zeros((2, 13))),
        (np.zeros((2, 13)), np.full((2, 13), -1.0)),
    ],
)
def test_invalid_means_and_variances_are_refused(means, variances):
    with pytest.raises(ValueError, match="expected"):
        pooled_scales(means, variances)
