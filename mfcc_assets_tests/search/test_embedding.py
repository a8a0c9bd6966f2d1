import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.search.embedding import Embedding
from mfcc_assets.similarity.rankings import LOW_TIMBRE, RANKINGS, TIMBRE, WARPED

SCALES = np.linspace(1, 20, 13)


def feature_table(count: int, seed: int = 0) -> FeatureTable:
    """Features of made-up tracks whose timbre and segment means vary in a few directions."""
    rng = np.random.default_rng(seed)
    few = rng.normal(0, 1, (count, 8))
    mixing = np.random.default_rng(1)
    return FeatureTable(
        means=np.zeros((count, 13)),
        covariances=np.zeros((count, 13, 13), np.float32),
        segment_means=((few @ mixing.normal(0, 1, (8, 104))) * np.tile(SCALES, 8)).astype(np.float32),
        roughness=np.zeros((count, 13), np.float32),
        timbre=(few @ mixing.normal(0, 1, (8, 50))).astype(np.float32),
        low_timbre=(few @ mixing.normal(0, 1, (8, 40))).astype(np.float32),
        treble=np.zeros(count, np.float32),
    )


def distances(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, np.newaxis].astype(np.float64) - points, axis=2)


@pytest.mark.parametrize("name", WARPED)
def test_points_of_a_warped_ranking_are_the_segment_means_in_its_units(name):
    tracks = feature_table(20)
    points = Embedding.of(RANKINGS[name], SCALES, tracks)(tracks)
    units = np.tile(SCALES, 8) if WARPED[name].normalised else np.ones(104)
    factor = np.linalg.norm(points[0]) / np.linalg.norm(tracks.segment_means[0] / units)
    np.testing.assert_allclose(points, factor * tracks.segment_means / units, rtol=1e-4, atol=1e-5)


def test_points_of_a_ranking_of_several_parts_are_as_far_apart_as_the_joined_vectors():
    tracks, ranking = feature_table(60), RANKINGS["fused"]
    points = Embedding.of(ranking, SCALES, tracks)(tracks)
    joined = []
    for part, weight in ranking.weights_by_part.items():
        timbre = tracks.low_timbre if part == LOW_TIMBRE else tracks.timbre
        vectors = (tracks.segment_means / np.tile(SCALES, 8) if part in WARPED else timbre).astype(np.float64)
        spread = np.sqrt(np.square(vectors - vectors.mean(axis=0)).sum(axis=1).mean())
        # The whole band counts less in the vector index, because it does not count for tracks of unlike codings.
        share = 0.35 if part == TIMBRE else 1.0
        joined.append(vectors * np.sqrt(share * weight) / spread)
    np.testing.assert_allclose(distances(points), distances(np.hstack(joined)), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("name", RANKINGS)
def test_the_embedding_holds_for_tracks_that_were_not_in_the_sample(name):
    tracks = feature_table(60)
    embedding = Embedding.of(RANKINGS[name], SCALES, tracks.rows(np.arange(30)))
    points = embedding(tracks)
    assert points.dtype == np.float32
    np.testing.assert_allclose(embedding(tracks.rows(np.array([50])))[0], points[50], rtol=1e-4, atol=1e-5)
    assert (distances(points).argmin(axis=1) == np.arange(60)).all()


@pytest.mark.parametrize("name", RANKINGS)
@pytest.mark.parametrize("count", [0, 1])
def test_a_sample_of_no_track_or_one_track_gives_an_embedding(name, count):
    embedding = Embedding.of(RANKINGS[name], SCALES, feature_table(count))
    assert embedding.axes.shape[1] >= 1
    assert np.isfinite(embedding(feature_table(3))).all()
    assert embedding(feature_table(0)).shape == (0, embedding.axes.shape[1])


def test_the_number_of_cores_changes_no_point():
    tracks, points = feature_table(400), []
    for threads in (1, 2):
        with threadpool_limits(threads):
            points.append(Embedding.of(RANKINGS["fused"], SCALES, tracks)(tracks))
    np.testing.assert_array_equal(points[0], points[1])
