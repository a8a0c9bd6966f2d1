from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import skew

from mfcc_assets.similarity.hubness import ROUNDS, Correction, DistanceStatistics
from mfcc_assets_tests import naive

MOST_TRACKS = 40

seeds = st.integers(0, 2**32 - 1)
slow = settings(max_examples=30)


def distances_between(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, np.newaxis] - points, axis=2)


def parts(tracks: int, seed: int = 0) -> np.ndarray:
    """Distances (tracks, tracks, 3) between random points in 10 dimensions, by three parts of very different size."""
    rng = np.random.default_rng(seed)
    return np.stack([unit * distances_between(rng.normal(0, 1, (tracks, 10))) for unit in (1, 100, 0.01)], axis=-1)


def weights_of(distances: np.ndarray) -> np.ndarray:
    """Weights of the parts for each pair: three parts share them differently for each pair, and one part has 1."""
    if distances.shape[2] == 1:
        return np.ones(distances.shape)
    random = np.random.default_rng(0).uniform(0, 1, (MOST_TRACKS, MOST_TRACKS))
    shares = np.abs(random - random.T)[: len(distances), : len(distances)]
    return np.stack([1 - shares, shares, np.full(shares.shape, 0.5)], axis=-1)


def statistics_of(distances: np.ndarray, sample: list[int]) -> DistanceStatistics:
    """Statistics of all tracks; some of them are the reference sample."""
    weights, among = weights_of(distances), np.ix_(sample, sample)
    reference = DistanceStatistics.of_reference(distances[among], weights[among])
    others = np.arange(len(distances))[:, np.newaxis] != sample
    return DistanceStatistics.of_tracks(distances[:, sample], others, reference, weights[:, sample])


def row(statistics: DistanceStatistics, number: int) -> DistanceStatistics:
    return statistics.rows(np.array([number]))


def corrected_distances(distances: np.ndarray, sample: list[int]) -> np.ndarray:
    statistics, weights = statistics_of(distances, sample), weights_of(distances)
    return np.array(
        [
            Correction.of(to_all, row(statistics, query), statistics, weights[query]).of_known()
            for query, to_all in enumerate(distances)
        ]
    )


def correction(tracks: int, seed: int = 0) -> Correction:
    """Correction of the distances of the first track to all. The distances by the last part are not known."""
    distances = parts(tracks, seed)
    statistics = statistics_of(distances, list(range(0, tracks, 2)))
    return Correction.of(distances[0, :, :-1], row(statistics, 0), statistics, weights_of(distances)[0])


@slow
@given(st.integers(4, 12), seeds, st.data())
def test_corrected_distances_equal_those_of_the_naive_function(tracks, seed, data):
    sample = data.draw(st.lists(st.integers(0, tracks - 1), min_size=4, unique=True))
    found = corrected_distances(parts(tracks, seed), sample)
    expected = naive.corrected_distances(parts(tracks, seed), sample, weights_of(parts(tracks, seed)), ROUNDS)
    apart = ~np.eye(tracks, dtype=bool)
    np.testing.assert_allclose(found[apart], expected[apart], rtol=1e-6)


@slow
@given(st.integers(5, 15), seeds)
def test_corrected_distances_are_symmetric_if_they_are_small_for_both_tracks(pairs, seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(0, 1, (pairs, 10))
    twins = np.vstack([points, points + rng.normal(0, 0.1, points.shape)])
    found = corrected_distances(distances_between(twins)[:, :, np.newaxis], list(range(0, 2 * pairs, 2)))
    rows = np.arange(pairs)
    np.testing.assert_allclose(found[rows, rows + pairs], found[rows + pairs, rows], rtol=1e-9)


def test_of_two_pairs_with_the_same_mean_the_one_that_is_not_near_for_the_query_is_farther():
    """The second candidate is an outlier. 10 is usual for the query, and small only beside the outlier's distances."""
    mean_sums, deviations = [0.0] * (1 + ROUNDS), np.ones((1, 2 + ROUNDS))
    query = DistanceStatistics(np.array([[10.0, *mean_sums]]), deviations)
    means = np.array([[10.0, *mean_sums], [12.0, *mean_sums]])
    candidates = DistanceStatistics(means, np.repeat(deviations, 2, axis=0))
    near, outlier = Correction.of(np.array([[9.0], [10.0]]), query, candidates, np.ones((2, 1))).of_known()
    assert outlier > 1.2 * near


@slow
@given(seeds, st.floats(6, 20))
def test_an_outlier_is_far_from_every_query(seed, away):
    """All distances of the outlier are large and nearly equal. By mutual proximity alone it is near to some queries."""
    points = np.random.default_rng(seed).normal(0, 1, (60, 10))
    points[0] += away
    found = corrected_distances(distances_between(points)[:, :, np.newaxis], list(range(1, 60, 2)))
    np.fill_diagonal(found, inf)
    places_of_the_outlier = found[1:].argsort(axis=1).argsort(axis=1)[:, 0]
    # A query that lies at the edge itself may have a few tracks behind the outlier. Place 58 is the last.
    assert places_of_the_outlier.min() >= 40
    assert places_of_the_outlier.mean() >= 57


@pytest.mark.parametrize("size", [1, 2])
def test_a_reference_of_one_or_two_tracks_gives_finite_distances(size):
    found = corrected_distances(parts(6), list(range(size)))
    assert np.isfinite(found).all()
    assert (found >= 0).all()


def test_tracks_with_equal_distances_have_finite_corrected_distances():
    found = corrected_distances(np.ones((5, 5, 3)) - np.eye(5)[:, :, np.newaxis], [0, 1, 2])
    assert np.isfinite(found).all()


def test_equal_tracks_have_finite_corrected_distances():
    found = corrected_distances(np.zeros((5, 5, 3)), [0, 1, 2])
    np.testing.assert_allclose(found, found[0, 0])
    assert np.isfinite(found).all()


def test_the_statistics_of_the_sample_equal_those_of_the_same_tracks_against_it():
    distances = parts(12)
    reference = DistanceStatistics.of_reference(distances, weights_of(distances))
    as_any_other = statistics_of(distances, list(range(12)))
    np.testing.assert_allclose(as_any_other.means, reference.means)
    np.testing.assert_allclose(as_any_other.deviations, reference.deviations)


def test_the_statistics_are_mean_and_deviation_of_the_distances_to_the_others_by_their_weights():
    distances = parts(12)
    reference = DistanceStatistics.of_reference(distances, weights_of(distances))
    for track in range(12):
        others = [other for other in range(12) if other != track]
        counts = weights_of(distances)[track, others] + 0.001
        means = np.average(distances[track, others], axis=0, weights=counts)
        variances = np.average((distances[track, others] - means) ** 2, axis=0, weights=counts)
        np.testing.assert_allclose(reference.means[track, :3], means)
        np.testing.assert_allclose(reference.deviations[track, :3], np.sqrt(variances))


def test_pairs_for_which_a_part_does_not_count_hardly_change_what_is_usual_by_it():
    distances, weights = parts(12), np.ones((12, 12, 3))
    weights[:, 6:, 0] = weights[6:, :, 0] = 0
    farther = distances.copy()
    farther[:6, 6:, 0] *= 2
    farther[6:, :6, 0] *= 2
    near, far = (DistanceStatistics.of_reference(each, weights) for each in (distances, farther))
    np.testing.assert_allclose(far.means[:6, 0], near.means[:6, 0], rtol=5e-3)
    assert (far.means[6:, 0] > 1.2 * near.means[6:, 0]).all()


def test_a_track_for_which_a_part_never_counts_has_what_is_usual_by_all_pairs():
    distances, weights = parts(12), np.ones((12, 12, 3))
    weights[0, :, 0] = weights[:, 0, 0] = 0
    reference = DistanceStatistics.of_reference(distances, weights)
    np.testing.assert_allclose(reference.means[0, 0], distances[0, 1:, 0].mean())
    np.testing.assert_allclose(reference.deviations[0, 0], distances[0, 1:, 0].std())


def test_a_copy_in_the_sample_does_not_change_the_statistics_of_a_track():
    points = np.random.default_rng(1).normal(0, 1, (12, 10))
    with_copy = np.vstack([points, points[:1] + 0.01])
    distances = distances_between(with_copy)[:, :, np.newaxis]
    without = statistics_of(distances, list(range(12)))

    found = row(statistics_of(distances, list(range(13))), 0)

    np.testing.assert_array_equal(found.means[:, 0], without.means[:1, 0])
    np.testing.assert_array_equal(found.deviations[:, 0], without.deviations[:1, 0])


def test_a_new_track_changes_no_distance_between_others():
    sample = [0, 2, 4, 6]
    before, after = (corrected_distances(parts(20)[:count, :count], sample) for count in (12, 20))
    np.testing.assert_array_equal(after[:12, :12], before)


def test_the_unit_of_a_part_does_not_change_corrected_distances():
    units = np.array([1000, 1, 7])
    found = corrected_distances(units * parts(12), list(range(8)))
    np.testing.assert_allclose(found, corrected_distances(parts(12), list(range(8))))


def test_the_correction_reduces_hubs():
    points = np.random.default_rng(0).normal(0, 1, (300, 30))
    distances = distances_between(points)
    after = corrected_distances(distances[:, :, np.newaxis], list(range(0, 300, 3)))
    assert skewness(after) < 0.5 * skewness(distances)


def skewness(distances: np.ndarray, count: int = 5) -> float:
    """Skewness of the numbers of lists that contain each track."""
    to_others = distances + np.diag(np.full(len(distances), inf))
    return float(skew(np.bincount(np.argsort(to_others, axis=1)[:, :count].ravel(), minlength=len(distances))))


def test_some_rows_can_be_taken():
    statistics = statistics_of(parts(12), [0, 1, 2, 3])
    some = statistics.rows(np.array([3, 1]))
    assert len(some) == 2
    np.testing.assert_array_equal(some.means, statistics.means[[3, 1]])
    np.testing.assert_array_equal(some.deviations, statistics.deviations[[3, 1]])


def test_z_scores_are_numbers_of_deviations_above_the_mean():
    statistics = DistanceStatistics(np.array([[1.0, 10.0], [2.0, 20.0]]), np.array([[1.0, 5.0], [0.5, 4.0]]))
    assert statistics.z_scores(np.array([3.0, 3.0]), 0).tolist() == [2, 2]
    assert statistics.z_scores(np.array([[3.0, 0.0], [3.0, 0.0]]), slice(2)).tolist() == [[2, -2], [2, -5]]
    assert row(statistics, 1).z_scores(np.array([1.0, 2.0, 3.0]), 0).tolist() == [-2, 0, 2]


class TestACorrection:
    def test_it_maps_the_distance_by_the_last_part_to_the_corrected_distance(self):
        last = parts(12)[0, :, -1]
        np.testing.assert_allclose(correction(12)(last), corrected_distances(parts(12), list(range(0, 12, 2)))[0])

    def test_it_ignores_the_distance_if_all_parts_are_known(self):
        distances, statistics = parts(12), statistics_of(parts(12), list(range(0, 12, 2)))
        known = Correction.of(distances[0], row(statistics, 0), statistics, weights_of(distances)[0])
        expected = corrected_distances(distances, list(range(0, 12, 2)))[0]
        np.testing.assert_allclose(known(np.zeros(12)), expected)
        np.testing.assert_allclose(known(np.arange(12.0)), expected)

    @given(seeds, st.floats(0, 0.2), st.floats(1e-4, 0.2))
    def test_it_grows_with_the_distance(self, seed, distance, more):
        corrects = correction(8, seed)
        near, far = (corrects(np.full(8, value)) for value in (distance, distance + more))
        assert (near <= far).all()
        # Some are so near that the logarithm of their probability is 0.
        assert (near < far)[far > 0].all()

    def test_some_rows_are_corrected_the_same(self):
        rows, last = np.array([7, 2, 2]), parts(12)[0, :, -1]
        np.testing.assert_array_equal(correction(12).rows(rows)(last[rows]), correction(12)(last)[rows])

    @given(seeds, st.floats(0.01, 100))
    def test_the_largest_distances_are_corrected_to_the_limit(self, seed, limit):
        corrects = correction(8, seed)
        farthest = corrects.largest_distances(limit)
        there = farthest >= 0
        np.testing.assert_array_equal(there, corrects(np.zeros(8)) <= limit)
        assert (farthest[~there] == -inf).all()
        corrects_those = corrects.rows(np.flatnonzero(there))
        np.testing.assert_allclose(corrects_those(farthest[there]), limit, rtol=1e-6)
        assert (corrects_those(farthest[there] * (1 + 1e-6) + 1e-12) > limit).all()

    @given(seeds)
    def test_a_track_whose_corrected_distance_is_the_limit_is_included(self, seed):
        corrects, last = correction(8, seed), parts(8, seed)[0, :, -1]
        for track, limit in enumerate(corrects(last)):
            assert corrects.largest_distances(limit)[track] >= last[track]

    def test_an_infinite_limit_allows_every_distance_and_a_negative_limit_none(self):
        assert (correction(8).largest_distances(inf) == inf).all()
        assert (correction(8).largest_distances(-1.0) == -inf).all()

    def test_a_limit_allows_every_distance_or_none_if_all_parts_are_known(self):
        statistics = statistics_of(parts(12), list(range(0, 12, 2)))
        known = Correction.of(parts(12)[0], row(statistics, 0), statistics, weights_of(parts(12))[0])
        distances = known(np.zeros(12))
        limit = float(np.median(distances))
        largest = known.largest_distances(limit)
        np.testing.assert_array_equal(largest >= 1e20, distances <= limit)
        np.testing.assert_array_equal(largest == -inf, distances > limit)

    def test_a_correction_of_no_candidates_gives_no_distances(self):
        none = correction(8).rows(np.empty(0, np.intp))
        assert none(np.empty(0)).shape == none.largest_distances(1.0).shape == (0,)
