import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.errors import UnknownRanking
from mfcc_assets.features.track_features import Summaries
from mfcc_assets.similarity.dtw.distance import ARTICLE, DTW
from mfcc_assets.similarity.rankings import (
    DEFAULT_RANKING,
    GAUSSIAN,
    RANKINGS,
    SOUND,
    WARPED,
    Ranked,
    Ranking,
    rank,
    ranking_named,
    still_distances,
)
from mfcc_assets_tests import naive


def summaries(*seeds: int) -> Summaries:
    """Of tracks that were never heard: only what still parts look at is more than zeros."""
    rngs = [np.random.default_rng(seed) for seed in seeds]
    spread = np.array([rng.normal(0, 1, (20, 3)) for rng in rngs])
    return Summaries(
        means=np.array([rng.normal(0, 3, 3) for rng in rngs]),
        covariances=np.einsum("tij,tik->tjk", spread, spread).astype(np.float32),
        embeddings=np.zeros((len(seeds), 24), np.float32),
        roughness=np.zeros((len(seeds), 3), np.float32),
        timbre=np.array([rng.normal(0, 1, 20) for rng in rngs]).astype(np.float32),
    )


def test_there_are_four_rankings_to_choose_from():
    assert {name: ranking.parts for name, ranking in RANKINGS.items()} == {
        "article": ("article",),
        "dtw": ("dtw",),
        "timbre": (GAUSSIAN,),
        "fused": (SOUND, "dtw"),
    }
    assert all((ranking.weights > 0).all() for ranking in RANKINGS.values())


def test_the_default_ranking_is_a_known_one():
    assert DEFAULT_RANKING in RANKINGS


def test_an_unknown_ranking_is_refused_with_the_known_ones():
    with pytest.raises(
        UnknownRanking, match=r"loudness: there is no such ranking\. Choose one of: article, dtw, fused, timbre\."
    ):
        ranking_named("loudness")


@pytest.mark.parametrize("name", RANKINGS)
def test_a_ranking_is_found_by_its_name(name):
    assert ranking_named(name) is RANKINGS[name]


def test_the_last_part_can_be_warped_and_the_others_are_still():
    fused = Ranking({SOUND: 1.0, GAUSSIAN: 0.5, "dtw": 2.0})
    assert fused.warped is DTW
    assert fused.still_parts == (SOUND, GAUSSIAN)
    assert fused.weights.tolist() == [1, 0.5, 2]


def test_a_ranking_without_a_warped_part_has_only_still_ones():
    still = Ranking({GAUSSIAN: 1.0, SOUND: 1.0})
    assert still.warped is None
    assert still.still_parts == still.parts == (GAUSSIAN, SOUND)


def test_a_ranking_of_a_warped_part_alone_has_no_still_one():
    assert Ranking({"article": 1.0}).warped is ARTICLE
    assert Ranking({"article": 1.0}).still_parts == ()
    assert Ranking({"article": 1.0}).still_distances(summaries(0), summaries(1, 2)).shape == (2, 0)


@pytest.mark.parametrize(
    "parts",
    [(), ("loudness",), (SOUND, "loudness"), ("dtw", SOUND), ("article", "dtw")],
    ids=["none", "unknown", "one unknown", "warped before another", "warped twice"],
)
def test_parts_that_make_no_ranking_are_refused(parts):
    with pytest.raises(ValueError, match="these parts make no ranking"):
        Ranking(dict.fromkeys(parts, 1.0))


def test_timbre_is_as_far_apart_as_its_points():
    query, others = summaries(0), summaries(1, 2, 3)
    expected = [np.linalg.norm(point - query.timbre[0]) for point in others.timbre]
    np.testing.assert_allclose(still_distances(SOUND, query, others), expected, rtol=1e-6)


def test_gaussians_are_as_far_apart_as_their_divergence():
    query, others = summaries(0), summaries(1, 2, 3)
    expected = [
        naive.divergence(query.means[0], query.covariances[0], mean, covariance)
        for mean, covariance in zip(others.means, others.covariances, strict=True)
    ]
    np.testing.assert_allclose(still_distances(GAUSSIAN, query, others), expected, rtol=1e-5)


@pytest.mark.parametrize("part", [GAUSSIAN, SOUND])
def test_still_distances_are_the_same_both_ways_and_none_from_a_track_to_itself(part):
    here, there, query = summaries(0), summaries(1), summaries(0, 1)
    assert still_distances(part, here, there) == pytest.approx(still_distances(part, there, here))
    assert still_distances(part, here, query) == pytest.approx([0, still_distances(part, here, there)[0]], abs=1e-6)


def test_a_ranking_lays_the_distances_by_its_still_parts_side_by_side():
    query, others = summaries(0), summaries(1, 2, 3)
    found = Ranking({SOUND: 1.0, GAUSSIAN: 0.5}).still_distances(query, others)
    assert found.shape == (3, 2)
    for column, part in enumerate((SOUND, GAUSSIAN)):
        np.testing.assert_array_equal(found[:, column], still_distances(part, query, others))


def test_the_warped_parts_are_the_distances_that_can_be_chosen():
    assert dict(WARPED) == {"article": ARTICLE, "dtw": DTW}


def test_candidates_come_nearest_first_and_equals_by_id():
    assert rank([("b", 2.0), ("c", 1.0), ("a", 2.0)]) == [Ranked("c", 1.0), Ranked("a", 2.0), Ranked("b", 2.0)]


def test_a_candidate_without_a_distance_is_left_out():
    assert rank([("a", float("nan")), ("b", 1.0), ("c", float("inf"))]) == [Ranked("b", 1.0), Ranked("c", float("inf"))]


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([0.0, 1.0, 2.5, np.inf, np.nan])), st.randoms())
def test_the_order_of_the_candidates_does_not_matter(distances, random):
    shuffled = random.sample(sorted(distances.items()), len(distances))
    assert rank(shuffled) == rank(distances.items())
