"""The order of lists by shared neighbours."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import log_ndtr

from mfcc_assets.similarity.shared_neighbours import (
    REORDERED,
    Neighbourhood,
    SharedNeighbours,
    deviations,
    neighbour_count,
)


def distances_between(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances of points to each other, infinite on the diagonal."""
    apart = np.linalg.norm(points[:, np.newaxis] - points, axis=2)
    np.fill_diagonal(apart, np.inf)
    return apart


def ranked(distances: NDArray[np.float64]) -> NDArray[np.intp]:
    """Rows (tracks, tracks - 1) of all others, nearest first."""
    return np.argsort(distances, axis=1, kind="stable")[:, :-1]


def shared_neighbours(distances: NDArray[np.float64], count: int) -> SharedNeighbours:
    nearest = ranked(distances)[:, :count]
    return SharedNeighbours.of(nearest, np.take_along_axis(distances, nearest, axis=1))


def naive_weights(distances: NDArray[np.float64], track: int, count: int) -> dict[int, float]:
    """The weights of a neighbourhood by its definition."""
    nearest = [set(row[:count].tolist()) for row in ranked(distances)]
    usual = np.median([distances[track, other] for other in nearest[track]])
    weights = {other: np.exp(-distances[track, other] / usual) for other in nearest[track] if track in nearest[other]}
    weights[track] = 1.0
    return {other: weight / sum(weights.values()) for other, weight in weights.items()}


def naive_jaccard(one: dict[int, float], two: dict[int, float]) -> float:
    everyone = set(one) | set(two)
    common = sum(min(one.get(track, 0), two.get(track, 0)) for track in everyone)
    return 1 - common / sum(max(one.get(track, 0), two.get(track, 0)) for track in everyone)


@settings(max_examples=30)
@given(tracks=st.integers(3, 40), count=st.integers(1, 15), seed=st.integers(0, 2**32 - 1))
def test_the_order_equals_that_of_the_slow_twin(tracks: int, count: int, seed: int) -> None:
    distances, count = distances_between(np.random.default_rng(seed).normal(size=(tracks, 4))), min(count, tracks - 1)
    shared = shared_neighbours(distances, count)
    weights = [naive_weights(distances, track, count) for track in range(tracks)]
    for query, others in enumerate(ranked(distances)):
        expected = [naive_jaccard(weights[query], weights[other]) for other in others]
        neighbourhood = shared.neighbourhood(query)
        np.testing.assert_allclose(shared.jaccard_distances(neighbourhood, others), expected, atol=1e-6)

        scores = deviations(distances[query, others]) + 6 * np.array(expected)
        found = shared.order(neighbourhood, others, distances[query, others])
        assert all(scores[one] <= scores[two] + 1e-5 for one, two in pairwise(found[:REORDERED]))
        assert found[REORDERED:].tolist() == list(range(REORDERED, tracks - 1))
        assert sorted(found) == list(range(tracks - 1))


@settings(max_examples=20)
@given(tracks=st.integers(8, 40), seed=st.integers(0, 2**32 - 1))
def test_a_new_track_has_the_neighbourhood_of_a_track_at_the_same_place(tracks: int, seed: int) -> None:
    count = 3
    distances = distances_between(np.random.default_rng(seed).normal(size=(tracks, 4)))
    whole = shared_neighbours(distances, count)
    library = shared_neighbours(distances[:-1, :-1], count)
    nearest = ranked(distances)[-1, :count]

    found = library.neighbourhood_of_new(nearest, distances[-1, nearest])

    in_whole = whole.neighbourhood(tracks - 1)
    assert sorted(found.members[1:].tolist()) == sorted(in_whole.members[1:].tolist())
    np.testing.assert_allclose(np.sort(found.weights), np.sort(in_whole.weights), rtol=1e-6)


def test_neighbourhoods_of_missing_tracks_and_of_lonely_tracks_are_finite() -> None:
    neighbours = np.array([[1, -1], [0, 2], [1, 0], [-1, -1]])
    shared = SharedNeighbours.of(neighbours, np.array([[0.0, 9.0], [0.0, 0.0], [0.0, 1.0], [9.0, 9.0]]))
    assert shared.neighbourhood(3).members.tolist() == [3]
    assert shared.weights.sum(axis=1) == pytest.approx(1)
    assert np.isfinite(shared.weights).all()
    assert shared.farthest.tolist() == [np.inf, 0.0, 1.0, np.inf]


@pytest.mark.parametrize("tracks", [0, 1])
def test_a_library_of_no_track_or_one_track_has_no_neighbours(tracks: int) -> None:
    shared = SharedNeighbours.of(np.empty((tracks, 0), int), np.empty((tracks, 0)))
    assert len(shared.members) == tracks
    nothing = np.empty(0, int)
    assert shared.order(Neighbourhood(np.zeros(1, np.int32), np.ones(1)), nothing, np.empty(0)).tolist() == []


def test_deviations_are_those_of_a_distance_that_is_equally_unusual_for_both_tracks() -> None:
    numbers = np.linspace(-8, 8, 33)
    np.testing.assert_allclose(deviations(-2 * log_ndtr(-numbers)), numbers, atol=1e-6)
    assert deviations(np.zeros(1))[0] < -9


@pytest.mark.parametrize(("tracks", "count"), [(2, 0), (14, 0), (15, 3), (30, 3), (64, 6), (150, 15), (10_000, 15)])
def test_a_small_library_has_smaller_neighbourhoods(tracks: int, count: int) -> None:
    assert neighbour_count(tracks) == count


@pytest.mark.parametrize("neighbours", [np.array([[1], [2]]), np.array([[1], [-2]]), np.array([0, 1])])
def test_neighbours_that_do_not_exist_are_refused(neighbours: NDArray[np.int64]) -> None:
    with pytest.raises(ValueError, match="neighbours"):
        SharedNeighbours.of(neighbours, np.zeros(neighbours.shape))
