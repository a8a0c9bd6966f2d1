import numpy as np
import pytest

from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.timbre import WIDTH
from mfcc_assets.features.track_features import Analysis, TrackFeatures, track_features_of
from mfcc_assets.ids import AudioId
from mfcc_assets.similarity.dtw.distance import pooled_scales
from mfcc_assets.similarity.dtw.estimate import AveragedContours
from mfcc_assets.similarity.hubness import ROUNDS
from mfcc_assets.similarity.pairwise import (
    REFERENCE_SIZE,
    Comparison,
    Reference,
    Tracks,
    distances_by,
    evenly_spaced,
    in_list_order,
    in_space,
    part_distances,
    uncorrected_names,
    usual_distances,
)
from mfcc_assets.similarity.rankings import GAUSSIAN, LOW_TIMBRE, RANKINGS, TIMBRE, WARPED
from mfcc_assets.similarity.timbre_space import TimbreSpace
from mfcc_assets_tests import naive

PARAMETERS = FeaturesParameters()
COUNT = 9
SCALES = np.linspace(1, 20, 10)


def track_features(seed: int) -> TrackFeatures:
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 1, (20 + seed, 13)).cumsum(axis=0) + 5 * rng.normal(0, 1, 13)
    cepstra = np.repeat(steps, 50, axis=0).astype(np.float32)
    return track_features_of(Analysis(cepstra, rng.normal(0, 1, WIDTH).astype(np.float32)), PARAMETERS)


@pytest.fixture(scope="module")
def tracks() -> Tracks:
    return Tracks.of([track_features(seed) for seed in range(COUNT)], PARAMETERS)


def by_part_one_by_one(tracks: Tracks, part: str) -> np.ndarray:
    """Distances of all pairs by the formula of one part."""
    scales = pooled_scales(tracks.feature_table.means, tracks.feature_table.variances)
    in_space = TimbreSpace.of(tracks.feature_table.timbre).table(tracks.feature_table)
    points = (in_space.low_timbre if part == LOW_TIMBRE else in_space.timbre).astype(np.float64)

    def distance(i: int, j: int) -> float:
        if part in WARPED:
            return naive.warped_distance(WARPED[part], tracks.contours[i], tracks.contours[j], scales)
        if part == GAUSSIAN:
            means, covariances = tracks.feature_table.means, tracks.feature_table.covariances
            return naive.divergence(means[i], covariances[i], means[j], covariances[j])
        return float(np.linalg.norm(points[i] - points[j]))

    return np.array([[distance(i, j) if i != j else 0.0 for j in range(COUNT)] for i in range(COUNT)])


@pytest.mark.parametrize("part", [GAUSSIAN, TIMBRE, LOW_TIMBRE, *WARPED])
def test_distances_by_a_part_are_symmetric_and_equal_those_of_each_pair(tracks, part):
    found = Comparison(tracks).by_part(part)
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_allclose(found, by_part_one_by_one(tracks, part), rtol=3e-3)


@pytest.mark.parametrize("name", RANKINGS)
def test_distances_by_a_ranking_equal_those_of_the_naive_function_in_the_order_of_lists(tracks, name):
    ranking = RANKINGS[name]
    comparison = Comparison(tracks)
    distances = np.stack([comparison.by_part(part) for part in ranking.parts], axis=-1)
    treble = tracks.feature_table.treble
    weights = ranking.pair_weights(treble[:, np.newaxis], treble)
    expected = naive.corrected_distances(distances, list(range(COUNT)), weights, ROUNDS)
    np.fill_diagonal(expected, np.inf)
    np.testing.assert_allclose(comparison.by_ranking(ranking), in_list_order(expected), rtol=1e-6)


def test_uncorrected_distances_are_those_before_the_correction(tracks):
    comparison = Comparison(tracks)
    expected = comparison.by_part("dtw") + np.diag(np.full(COUNT, np.inf))
    np.testing.assert_array_equal(comparison.uncorrected("dtw"), expected)


def test_rankings_of_one_part_have_an_uncorrected_name():
    assert uncorrected_names(RANKINGS) == {
        "article_uncorrected": "article",
        "dtw_uncorrected": "dtw",
        "gaussian_uncorrected": GAUSSIAN,
    }


def test_each_part_of_a_ranking_has_a_column(tracks):
    found = part_distances(RANKINGS["fused"], tracks[0], tracks, SCALES)
    for column, part in enumerate(RANKINGS["fused"].parts):
        np.testing.assert_array_equal(found[:, column], distances_by(part, tracks[0], tracks, SCALES))


@pytest.mark.parametrize("name", RANKINGS)
def test_a_track_of_the_reference_is_compared_neither_with_itself_nor_with_its_copies(tracks, name):
    ids = [AudioId(f"{row}") for row in range(COUNT)]
    reference = Reference.of(ids, tracks, RANKINGS[name], SCALES)
    for row, audio_id in enumerate(ids):
        found = reference.statistics_of({audio_id}, tracks[row])
        np.testing.assert_allclose(found.means[0], reference.statistics.means[row], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(found.deviations[0], reference.statistics.deviations[row], rtol=1e-5, atol=1e-5)
        as_copy = reference.statistics_of({AudioId("copy"), audio_id}, tracks[row])
        np.testing.assert_array_equal(as_copy.means, found.means)
        without_a_neighbour = reference.statistics_of({audio_id, ids[row - 1]}, tracks[row])
        assert without_a_neighbour.means[0, 0] != found.means[0, 0]


@pytest.mark.parametrize("count", [0, 1])
def test_a_reference_of_no_track_or_one_track_can_be_made(tracks, count):
    few = tracks.rows(np.arange(count))
    reference = Reference.of([AudioId("0")][:count], few, RANKINGS["fused"], SCALES)
    assert len(reference.statistics) == count
    assert np.isfinite(reference.statistics_of({AudioId("1")}, tracks[1]).means).all()


def test_a_sample_has_all_tracks_of_a_small_library_and_evenly_spaced_tracks_of_a_large_one():
    assert evenly_spaced(0, REFERENCE_SIZE).tolist() == []
    assert evenly_spaced(REFERENCE_SIZE, REFERENCE_SIZE).tolist() == list(range(REFERENCE_SIZE))
    rows = evenly_spaced(100_000, REFERENCE_SIZE)
    assert len(rows) == REFERENCE_SIZE
    assert (rows[0], rows[-1]) == (0, 99_999)
    assert np.ptp(np.diff(rows)) <= 1


@pytest.fixture(scope="module")
def sample() -> Tracks:
    """So many tracks that most of their distances to a track are estimated."""
    tracks = Tracks.of([track_features(seed) for seed in range(64)], PARAMETERS)
    return in_space(tracks, TimbreSpace.of(tracks.feature_table.timbre))


@pytest.mark.parametrize("name", RANKINGS)
def test_what_is_usual_is_measured_by_distances_that_are_right_on_average(sample: Tracks, name: str) -> None:
    ranking, query = RANKINGS[name], sample[5]
    exact = part_distances(ranking, query, sample, SCALES)
    found = usual_distances(ranking, query, sample, AveragedContours.of(sample.contours), SCALES)
    if len(ranking.parts) == 1:
        np.testing.assert_array_equal(found, exact)
        return
    np.testing.assert_array_equal(found[:, :-1], exact[:, :-1])
    np.testing.assert_array_equal(found[::8, -1], exact[::8, -1])
    others = np.arange(len(sample)) != 5
    np.testing.assert_allclose(found[others, -1], exact[others, -1], rtol=0.5)
    assert found[others, -1].mean() == pytest.approx(exact[others, -1].mean(), rel=0.05)


def test_every_distance_to_a_small_sample_is_exact(sample: Tracks) -> None:
    some = sample.rows(np.arange(50))
    found = usual_distances(RANKINGS["fused"], sample[60], some, AveragedContours.of(some.contours), SCALES)
    np.testing.assert_array_equal(found, part_distances(RANKINGS["fused"], sample[60], some, SCALES))
