"""Orders in which each track is near to the one before."""

from itertools import pairwise, permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from mfcc_assets.playlists.ordering import flowing_order, in_layers, in_turns, points_between, smoothest_path


def no_surplus(_path) -> int:
    return 0


@st.composite
def mazes(draw: st.DrawFn) -> tuple[list[list[int]], NDArray[np.float64]]:
    """Some layers of up to three of six tracks, and the distances between these."""
    layers = draw(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True), min_size=2, max_size=5))
    distances = draw(arrays.arrays(np.float64, (6, 6), elements=st.integers(0, 6).map(float)))
    return layers, distances + distances.T


def cost(distances: NDArray[np.float64], path) -> tuple[float, float]:
    taken = [distances[here, there] for here, there in pairwise(path)]
    return max(taken), sum(taken)


@given(mazes())
def test_of_all_paths_without_a_repetition_the_one_with_the_smallest_steps_is_taken(maze) -> None:
    layers, distances = maze
    path = smoothest_path(layers, distances, no_surplus, width=1000)
    every = [other for other in product(*layers) if len(set(other)) == len(other)]
    assert (path is None) == (not every)
    if path is not None:
        assert tuple(path) in every
        assert cost(distances, path) == min(cost(distances, other) for other in every)


@given(st.lists(st.integers(1, 3), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_one_way_to_each_track_is_enough_where_none_is_in_two_layers(sizes, random) -> None:
    rows = iter(range(sum(sizes)))
    layers = [[next(rows) for _ in range(size)] for size in sizes]
    distances = np.array([[random.randint(0, 6) for _ in range(sum(sizes))] for _ in range(sum(sizes))], float)
    path = smoothest_path(layers, distances, no_surplus, width=1)
    assert cost(distances, path) == min(cost(distances, other) for other in product(*layers))


@given(mazes(), st.integers(1, 3))
def test_a_path_of_few_ways_meets_none_twice_either(maze, width: int) -> None:
    path = smoothest_path(*maze, no_surplus, width=width)
    assert path is None or len(set(path)) == len(path) == len(maze[0])


def test_a_longer_beginning_is_taken_where_a_later_step_is_the_largest_anyway() -> None:
    distances = np.zeros((5, 5))
    distances[0, [1, 2]] = 3, 5
    distances[[1, 2], 3] = 3, 0
    distances[3, 4] = 5
    assert smoothest_path([[0], [1, 2], [3], [4]], distances, no_surplus) == [0, 2, 3, 4]


def test_less_surplus_goes_before_smaller_steps() -> None:
    distances = np.ones((4, 4))
    distances[0, 2] = distances[2, 3] = 9
    layers = [[0], [1, 2], [3]]
    assert smoothest_path(layers, distances, no_surplus) == [0, 1, 3]
    assert smoothest_path(layers, distances, lambda path: path.count(1)) == [0, 2, 3]


@pytest.mark.parametrize("layers", [[], [[0], []]])
def test_a_path_of_nothing_is_refused(layers) -> None:
    with pytest.raises(ValueError, match="has a track at least"):
        smoothest_path(layers, np.zeros((1, 1)), no_surplus)


def test_points_lie_evenly_on_the_line_between_both_ends() -> None:
    points = points_between(np.zeros(2, np.float32), np.array([3, 6], np.float32), 4)
    assert points.tolist() == [[0, 0], [1, 2], [2, 4], [3, 6]]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=20), st.data())
def test_layers_part_the_candidates_evenly_by_their_share_of_the_way(distances, data) -> None:
    from_start, to_end = np.array(distances, dtype=np.float64).T
    count = data.draw(st.integers(1, len(distances)))
    layers = in_layers(from_start, to_end, count)
    assert sorted(np.concatenate(layers).tolist()) == list(range(len(distances)))
    assert len(layers) == count
    assert max(map(len, layers)) - min(map(len, layers)) <= 1
    shares = [[a / (a + b) if a + b else 0.5 for a, b in np.array(distances)[layer]] for layer in layers]
    assert all(max(here) <= min(there) + 1e-12 for here, there in pairwise(shares))


@pytest.mark.parametrize("layers", [0, 3])
def test_layers_that_cannot_be_filled_are_refused(layers: int) -> None:
    with pytest.raises(ValueError, match="2 candidates do not fill"):
        in_layers(np.ones(2), np.ones(2), layers)


def apart(places) -> NDArray[np.float64]:
    return np.abs(np.subtract.outer(np.array(places, dtype=np.float64), places))


def test_an_order_goes_along_the_line_that_tracks_lie_on() -> None:
    assert flowing_order(apart([5, 1, 4, 2, 3]), first=1) == [1, 3, 4, 2, 0]


@given(st.lists(st.integers(0, 99), min_size=1, max_size=6), st.lists(st.integers(0, 99), min_size=6, max_size=6))
def test_an_order_has_every_track_once_and_no_stretch_to_turn_round(across, along) -> None:
    distances = apart(across) + apart(along[: len(across)])
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


def test_an_order_from_a_track_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no order from 2"):
        flowing_order(np.zeros((2, 2)), 2)


def test_seeds_take_turns_with_the_tracks_that_stand_highest_on_their_own_lists() -> None:
    near_the_first, near_the_second = [0.1, 0.9], [0.8, 0.2]
    distances = np.array([near_the_first, [0.2, 0.9], near_the_second, [0.9, 0.4]]).T
    assert in_turns(distances) == [0, 2, 1, 3]


def test_a_seed_hands_over_a_track_near_to_both_before_one_very_near_to_it_alone_and_that_before_one_half_way() -> None:
    half, alone, both = [0.6, 0.7], [0.06, 5.0], [0.2, 0.2]
    of_the_other = [[9.0, 0.01], [8.0, 0.02], [7.0, 0.03]]
    ranked = in_turns(np.array([half, alone, both, *of_the_other]).T)
    assert [track for track in ranked if track < 3] == [2, 1, 0]


def test_a_seed_with_few_near_tracks_has_as_many_turns_as_one_with_many() -> None:
    crowd = [[distance, 0.9] for distance in (0.01, 0.02, 0.03, 0.04, 0.05, 0.06)]
    lonely = [[0.95, 0.5], [0.95, 0.6], [0.95, 0.7]]
    ranked = in_turns(np.array([*crowd, *lonely]).T)
    assert ranked[:6] == [0, 6, 1, 7, 2, 8]


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 9)), elements=st.floats(0, 40)))
def test_every_candidate_has_its_turn(distances) -> None:
    assert sorted(in_turns(distances)) == list(range(distances.shape[1]))


@pytest.mark.parametrize("shape", [(0, 2), (2, 0), (3,)])
def test_turns_of_nobody_or_about_nothing_are_refused(shape) -> None:
    with pytest.raises(ValueError, match="no turns"):
        in_turns(np.zeros(shape))
