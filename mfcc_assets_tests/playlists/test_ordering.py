"""Orders of tracks in which each track is near to the one before it."""

from itertools import pairwise, permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from mfcc_assets.playlists.ordering import (
    flowing_order,
    points_between,
    rank_by_turns,
    smoothest_path,
    split_into_layers,
)


def no_violations(_path) -> int:
    return 0


@st.composite
def mazes(draw: st.DrawFn) -> tuple[list[list[int]], NDArray[np.float64]]:
    """Draw two to five layers of up to three of six tracks, and the distances between the tracks."""
    layers = draw(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True), min_size=2, max_size=5))
    distances = draw(arrays.arrays(np.float64, (6, 6), elements=st.integers(0, 6).map(float)))
    return layers, distances + distances.T


def cost(distances: NDArray[np.float64], path) -> tuple[float, float]:
    taken = [distances[here, there] for here, there in pairwise(path)]
    return max(taken), sum(taken)


@given(mazes())
def test_the_path_with_the_smallest_steps_and_without_a_repeated_track_is_found(maze) -> None:
    layers, distances = maze
    path = smoothest_path(layers, distances, no_violations, width=1000)
    every = [other for other in product(*layers) if len(set(other)) == len(other)]
    assert (path is None) == (not every)
    if path is not None:
        assert tuple(path) in every
        assert cost(distances, path) == min(cost(distances, other) for other in every)


@given(st.lists(st.integers(1, 3), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_a_width_of_one_is_enough_if_no_track_is_in_two_layers(sizes, random) -> None:
    rows = iter(range(sum(sizes)))
    layers = [[next(rows) for _ in range(size)] for size in sizes]
    distances = np.array([[random.randint(0, 6) for _ in range(sum(sizes))] for _ in range(sum(sizes))], float)
    path = smoothest_path(layers, distances, no_violations, width=1)
    assert cost(distances, path) == min(cost(distances, other) for other in product(*layers))


@given(mazes(), st.integers(1, 3))
def test_a_path_of_small_width_repeats_no_track(maze, width: int) -> None:
    layers, distances = maze
    path = smoothest_path(layers, distances, no_violations, width=width)
    assert path is None or len(set(path)) == len(path) == len(layers)


def test_a_larger_first_step_is_taken_if_a_later_step_is_the_largest_anyway() -> None:
    distances = np.zeros((5, 5))
    distances[0, [1, 2]] = 3, 5
    distances[[1, 2], 3] = 3, 0
    distances[3, 4] = 5
    assert smoothest_path([[0], [1, 2], [3], [4]], distances, no_violations) == [0, 2, 3, 4]


def test_fewer_violations_go_before_smaller_steps() -> None:
    distances = np.ones((4, 4))
    distances[0, 2] = distances[2, 3] = 9
    layers = [[0], [1, 2], [3]]
    assert smoothest_path(layers, distances, no_violations) == [0, 1, 3]
    assert smoothest_path(layers, distances, lambda path: path.count(1)) == [0, 2, 3]


@pytest.mark.parametrize("layers", [[], [[0], []]])
def test_a_path_without_tracks_is_refused(layers) -> None:
    with pytest.raises(ValueError, match="at least one track"):
        smoothest_path(layers, np.zeros((1, 1)), no_violations)


def test_points_lie_evenly_on_the_line_between_both_ends() -> None:
    points = points_between(np.zeros(2, np.float32), np.array([3, 6], np.float32), 4)
    assert points.tolist() == [[0, 0], [1, 2], [2, 4], [3, 6]]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=20), st.data())
def test_layers_split_the_candidates_evenly_by_their_position_on_the_way(distances, data) -> None:
    from_start, to_end = np.array(distances, dtype=np.float64).T
    count = data.draw(st.integers(1, len(distances)))
    layers = split_into_layers(from_start, to_end, count)
    assert sorted(np.concatenate(layers).tolist()) == list(range(len(distances)))
    assert len(layers) == count
    assert max(map(len, layers)) - min(map(len, layers)) <= 1
    shares = [[a / (a + b) if a + b else 0.5 for a, b in np.array(distances)[layer]] for layer in layers]
    assert all(max(here) <= min(there) + 1e-12 for here, there in pairwise(shares))


@pytest.mark.parametrize("layers", [0, 3])
def test_layers_that_cannot_be_filled_are_refused(layers: int) -> None:
    with pytest.raises(ValueError, match="2 candidates do not fill"):
        split_into_layers(np.ones(2), np.ones(2), layers)


def on_a_line(positions) -> NDArray[np.float64]:
    """Return the distances between points on a line."""
    return np.abs(np.subtract.outer(np.array(positions, dtype=np.float64), positions))


def test_an_order_follows_the_line_that_tracks_lie_on() -> None:
    assert flowing_order(on_a_line([5, 1, 4, 2, 3]), first=1) == [1, 3, 4, 2, 0]


@given(st.lists(st.integers(0, 99), min_size=1, max_size=6), st.lists(st.integers(0, 99), min_size=6, max_size=6))
def test_an_order_has_every_track_once_and_no_section_to_reverse(across, along) -> None:
    distances = on_a_line(across) + on_a_line(along[: len(across)])
    order = flowing_order(distances, first=len(across) - 1)

    def length(order) -> float:
        return sum(distances[here, there] for here, there in pairwise(order))

    assert order[0] == len(across) - 1
    assert sorted(order) == list(range(len(across)))
    for start in range(1, len(order)):
        for stop in range(start + 1, len(order) + 1):
            assert length(order) <= length([*order[:start], *order[start:stop][::-1], *order[stop:]])
    shortest = min(length((order[0], *rest)) for rest in permutations(order[1:]))
    assert length(order) <= 2 * shortest


def test_an_order_from_a_missing_track_is_refused() -> None:
    with pytest.raises(ValueError, match="row 2"):
        flowing_order(np.zeros((2, 2)), 2)


def test_seeds_take_turns_with_the_tracks_that_stand_highest_in_their_own_rankings() -> None:
    near_the_first, near_the_second = [0.1, 0.9], [0.8, 0.2]
    distances = np.array([near_the_first, [0.2, 0.9], near_the_second, [0.9, 0.4]]).T
    assert rank_by_turns(distances) == [0, 2, 1, 3]


def test_a_seed_prefers_a_track_near_to_both_then_one_very_near_to_itself_then_one_half_way() -> None:
    half_way, near_to_one, near_to_both = [0.6, 0.7], [0.06, 5.0], [0.2, 0.2]
    of_the_other = [[9.0, 0.01], [8.0, 0.02], [7.0, 0.03]]
    ranked = rank_by_turns(np.array([half_way, near_to_one, near_to_both, *of_the_other]).T)
    assert [track for track in ranked if track < 3] == [2, 1, 0]


def test_a_seed_with_few_near_tracks_has_as_many_turns_as_a_seed_with_many() -> None:
    crowd = [[distance, 0.9] for distance in (0.01, 0.02, 0.03, 0.04, 0.05, 0.06)]
    lonely = [[0.95, 0.5], [0.95, 0.6], [0.95, 0.7]]
    ranked = rank_by_turns(np.array([*crowd, *lonely]).T)
    assert ranked[:6] == [0, 6, 1, 7, 2, 8]


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 9)), elements=st.floats(0, 40)))
def test_every_candidate_is_ranked_once(distances) -> None:
    assert sorted(rank_by_turns(distances)) == list(range(distances.shape[1]))


@pytest.mark.parametrize("shape", [(0, 2), (2, 0), (3,)])
def test_turns_without_a_seed_or_a_candidate_are_refused(shape) -> None:
    with pytest.raises(ValueError, match="no seed or no candidate"):
        rank_by_turns(np.zeros(shape))
