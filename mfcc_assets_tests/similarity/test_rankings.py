import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.errors import UnknownRanking
from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.ids import AudioId
from mfcc_assets.ranking_names import DEFAULT_RANKING, PRESENT_NAMES, RANKING_NAMES
from mfcc_assets.similarity.dtw.distance import ARTICLE, DTW
from mfcc_assets.similarity.rankings import (
    GAUSSIAN,
    LOW_TIMBRE,
    RANKINGS,
    TIMBRE,
    WARPED,
    RankedTrack,
    Ranking,
    distances_by_summary_part,
    rank,
    ranking_named,
)
from mfcc_assets_tests import naive


def feature_table(*seeds: int) -> FeatureTable:
    """Features of made-up tracks. Only the columns that summary parts compare are not 0."""
    rngs = [np.random.default_rng(seed) for seed in seeds]
    spread = np.array([rng.normal(0, 1, (20, 3)) for rng in rngs])
    return FeatureTable(
        means=np.array([rng.normal(0, 3, 3) for rng in rngs]),
        covariances=np.einsum("tij,tik->tjk", spread, spread).astype(np.float32),
        segment_means=np.zeros((len(seeds), 24), np.float32),
        roughness=np.zeros((len(seeds), 3), np.float32),
        timbre=np.array([rng.normal(0, 1, 20) for rng in rngs]).astype(np.float32),
        low_timbre=np.array([rng.normal(0, 1, 12) for rng in rngs]).astype(np.float32),
        treble=np.zeros(len(seeds), np.float32),
    )


def test_there_are_four_rankings_to_choose_from():
    assert {name: ranking.parts for name, ranking in RANKINGS.items()} == {
        "article": ("article",),
        "dtw": ("dtw",),
        "gaussian": (GAUSSIAN,),
        "fused": (TIMBRE, LOW_TIMBRE, "dtw"),
    }
    assert all((ranking.weights > 0).all() for ranking in RANKINGS.values())


def test_the_settings_know_the_names_of_all_rankings():
    assert set(RANKING_NAMES) == set(RANKINGS) > {DEFAULT_RANKING, *PRESENT_NAMES.values()}


def test_an_unknown_ranking_is_refused_with_the_known_ones():
    with pytest.raises(
        UnknownRanking, match=r"loudness: there is no such ranking\. Choose one of: article, dtw, fused, gaussian\."
    ):
        ranking_named("loudness")


@pytest.mark.parametrize("name", RANKINGS)
def test_a_ranking_is_found_by_its_name(name):
    assert ranking_named(name) is RANKINGS[name]


def test_only_the_last_part_can_be_warped():
    fused = Ranking({TIMBRE: 1.0, GAUSSIAN: 0.5, "dtw": 2.0})
    assert fused.warped is DTW
    assert fused.summary_parts == (TIMBRE, GAUSSIAN)
    assert fused.weights.tolist() == [1, 0.5, 2]


def test_a_ranking_without_a_warped_part_has_only_summary_parts():
    ranking = Ranking({GAUSSIAN: 1.0, TIMBRE: 1.0})
    assert ranking.warped is None
    assert ranking.summary_parts == ranking.parts == (GAUSSIAN, TIMBRE)


def test_a_ranking_of_one_warped_part_has_no_summary_parts():
    assert Ranking({"article": 1.0}).warped is ARTICLE
    assert Ranking({"article": 1.0}).summary_parts == ()
    assert Ranking({"article": 1.0}).summary_distances(feature_table(0), feature_table(1, 2)).shape == (2, 0)


@pytest.mark.parametrize(
    "parts",
    [(), ("loudness",), (TIMBRE, "loudness"), ("dtw", TIMBRE), ("article", "dtw")],
    ids=["none", "unknown", "one unknown", "warped before another", "warped twice"],
)
def test_invalid_parts_are_refused(parts):
    with pytest.raises(ValueError, match="a ranking cannot have these parts"):
        Ranking(dict.fromkeys(parts, 1.0))


@pytest.mark.parametrize(("part", "column"), [(TIMBRE, "timbre"), (LOW_TIMBRE, "low_timbre")])
def test_the_distance_in_timbre_is_the_distance_of_the_points(part, column):
    query, others = feature_table(0), feature_table(1, 2, 3)
    (at,) = getattr(query, column)
    expected = [np.linalg.norm(point - at) for point in getattr(others, column)]
    np.testing.assert_allclose(distances_by_summary_part(part, query, others), expected, rtol=1e-6)


def test_the_distance_of_gaussians_is_their_divergence():
    query, others = feature_table(0), feature_table(1, 2, 3)
    expected = [
        naive.divergence(query.means[0], query.covariances[0], mean, covariance)
        for mean, covariance in zip(others.means, others.covariances, strict=True)
    ]
    np.testing.assert_allclose(distances_by_summary_part(GAUSSIAN, query, others), expected, rtol=1e-5)


@pytest.mark.parametrize("part", [GAUSSIAN, TIMBRE, LOW_TIMBRE])
def test_summary_distances_are_symmetric_and_0_between_equal_tracks(part):
    here, there, query = feature_table(0), feature_table(1), feature_table(0, 1)
    assert distances_by_summary_part(part, here, there) == pytest.approx(distances_by_summary_part(part, there, here))
    assert distances_by_summary_part(part, here, query) == pytest.approx(
        [0, distances_by_summary_part(part, here, there)[0]], abs=1e-6
    )


def test_each_summary_part_of_a_ranking_has_a_column():
    query, others = feature_table(0), feature_table(1, 2, 3)
    found = Ranking({TIMBRE: 1.0, GAUSSIAN: 0.5}).summary_distances(query, others)
    assert found.shape == (3, 2)
    for column, part in enumerate((TIMBRE, GAUSSIAN)):
        np.testing.assert_array_equal(found[:, column], distances_by_summary_part(part, query, others))


FUSED = RANKINGS["fused"]
TREBLE = st.floats(-20, 5)


@given(TREBLE)
def test_tracks_of_equal_treble_are_compared_by_the_whole_band_only(treble):
    assert FUSED.pair_weights(np.array(treble), np.array([treble])).tolist() == [[1, 0, 0.25]]


@given(TREBLE, st.floats(6, 30), st.sampled_from([1, -1]))
def test_tracks_of_very_different_treble_are_compared_by_the_low_band_only(treble, apart, sign):
    weights = FUSED.pair_weights(np.array(treble), np.array([treble + sign * apart]))
    np.testing.assert_allclose(weights, [[0, 1, 0.25]], atol=1e-9)


@given(TREBLE, st.lists(st.floats(0, 30), min_size=2, max_size=9))
def test_the_low_band_counts_the_more_the_more_treble_differs(treble, apart):
    weights = FUSED.pair_weights(np.array(treble), treble + np.sort(apart))
    assert (np.diff(weights[:, 0]) <= 1e-12).all()
    assert (np.diff(weights[:, 1]) >= -1e-12).all()
    np.testing.assert_allclose(weights[:, 0] + weights[:, 1], 1)
    assert (weights[:, 2] == 0.25).all()


@given(st.lists(TREBLE, min_size=1, max_size=9))
def test_both_tracks_of_a_pair_give_it_the_same_weights(treble):
    column = np.array(treble, np.float32)
    weights = FUSED.pair_weights(column[:, np.newaxis], column)
    assert weights.shape == (len(treble), len(treble), 3)
    np.testing.assert_array_equal(weights, weights.swapaxes(0, 1))
    for row, of_track in enumerate(treble):
        np.testing.assert_array_equal(FUSED.pair_weights(np.array([of_track], np.float32), column), weights[row])


@pytest.mark.parametrize(
    "ranking", [*(RANKINGS[name] for name in ("article", "dtw", "gaussian")), Ranking({TIMBRE: 2.0, "dtw": 0.5})]
)
def test_treble_changes_no_weight_if_a_ranking_does_not_compare_both_bands(ranking):
    weights = ranking.pair_weights(np.array(0.0), np.array([0.0, 1.0, 9.0]))
    np.testing.assert_array_equal(weights, np.tile(ranking.weights, (3, 1)))


def test_there_are_two_warped_parts():
    assert dict(WARPED) == {"article": ARTICLE, "dtw": DTW}


A, B, C = (AudioId(letter) for letter in "abc")


def test_candidates_are_sorted_by_distance_and_then_by_id():
    assert rank([(B, 2.0), (C, 1.0), (A, 2.0)]) == [
        RankedTrack(C, 1.0),
        RankedTrack(A, 2.0),
        RankedTrack(B, 2.0),
    ]


def test_a_candidate_without_a_distance_is_left_out():
    assert rank([(A, float("nan")), (B, 1.0), (C, float("inf"))]) == [
        RankedTrack(B, 1.0),
        RankedTrack(C, float("inf")),
    ]


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([0.0, 1.0, 2.5, np.inf, np.nan])), st.randoms())
def test_the_order_of_the_candidates_does_not_matter(distances, random):
    shuffled = random.sample(sorted(distances.items()), len(distances))
    assert rank(shuffled) == rank(distances.items())


def test_a_part_that_compares_contours_compares_no_feature_tables():
    with pytest.raises(ValueError, match="dtw does not compare feature tables"):
        distances_by_summary_part("dtw", feature_table(1), feature_table(2))
