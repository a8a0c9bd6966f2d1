"""Functions that put tracks in an order in which each track sounds like the one before it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from operator import add

import numpy as np
from numpy.typing import NDArray

_MINIMUM_IMPROVEMENT = 1e-12
"""Smallest improvement of an order that counts. Rounding errors alone would otherwise let two orders alternate for
ever."""

_MINIMUM_CHANCE = 1e-6
"""Smallest chance, for one seed, that another track is nearer. A chance of zero could not be outweighed by the
distances to the other seeds."""


def points_between(start: NDArray[np.float32], end: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return evenly spaced points (count, d) on the line from one vector (d,) to another, including both ends.

    Examples
    --------
    >>> points_between(np.zeros(1, np.float32), np.ones(1, np.float32), 3).tolist()
    [[0.0], [0.5], [1.0]]
    """
    shares = np.linspace(0, 1, count, dtype=np.float32)[:, np.newaxis]
    return (1 - shares) * start + shares * end


def split_into_layers(
    from_start: NDArray[np.floating], to_end: NDArray[np.floating], layers: int
) -> list[NDArray[np.intp]]:
    """Sort candidates by their position between the two ends of a path, and split them into layers of equal size.

    A path that takes one candidate from each layer contains none twice.

    Parameters
    ----------
    from_start, to_end : (candidates,)
        Distances of each candidate to the start and to the end of the path.
    layers
        Number of layers. There must be at least as many candidates.

    Returns
    -------
    list of (k,) int
        Rows of the candidates in each layer. The sizes of two layers differ by one at most.

    Raises
    ------
    ValueError
        If there are fewer candidates than layers, or if `layers` is below 1.
    """
    if not 1 <= layers <= len(from_start):
        raise ValueError(f"{len(from_start)} candidates do not fill {layers} layers")
    # A candidate with a distance of 0 to both ends lies in the middle.
    share = (from_start + np.finfo(float).tiny) / (from_start + to_end + 2 * np.finfo(float).tiny)
    return np.array_split(np.argsort(share, kind="stable"), layers)


def smoothest_path(
    layers: Sequence[Sequence[int]],
    distances: NDArray[np.floating],
    violations: Callable[[Sequence[int]], int],
    *,
    width: int = 8,
) -> list[int] | None:
    """Take one track from each layer, none twice, so that the largest step is as small as possible.

    The best path has the fewest violations. Among paths with equally many, it has the smallest largest step, and then
    the smallest sum of all steps.

    Parameters
    ----------
    layers
        Rows of the tracks that may stand at each position of the path. A track may be in several layers.
    distances : (tracks, tracks)
        Distances from each track to the tracks of the next layer.
    violations
        Returns the number of tracks in the beginning of a path that break a rule which may be broken if necessary.
    width
        Number of paths to each track of a layer that are kept. If no track is in two layers and there are no
        violations, a width of 1 finds the best path.

    Returns
    -------
    list of int or None
        One row from each layer, or None if no path without a repeated track was found.

    Raises
    ------
    ValueError
        If there is no layer, or if a layer is empty.

    Notes
    -----
    Dynamic programming (Bellman, "Dynamic Programming", 1957) runs twice: it first finds the smallest bottleneck, and
    then the shortest path whose steps do not exceed it. A single run for both criteria would be wrong. Of two paths to
    a track, the one with the smaller bottleneck may be longer, and a later step may make both bottlenecks equal. The
    rule that no track is repeated makes the problem NP-hard. Keeping several paths to each track usually finds a way
    around a repetition.

    Examples
    --------
    >>> distances = np.array([[0, 1, 5, 9], [1, 0, 9, 2], [5, 9, 0, 1], [9, 2, 1, 0]])
    >>> smoothest_path([[0], [1, 2], [3]], distances, violations=lambda path: 0)
    [0, 1, 3]
    """
    if not layers or not all(len(layer) for layer in layers):
        raise ValueError("every layer of a path needs at least one track")
    bottleneck = _best_path(layers, distances, violations, width, max, inf)
    if bottleneck is None:
        return None
    shortest = _best_path(layers, distances, violations, width, add, bottleneck.cost)
    return (shortest or bottleneck).rows


@dataclass(frozen=True, order=True)
class _Path:
    """A path through the first layers. Paths are compared by violations, then by cost."""

    violations: int
    cost: float
    rows: list[int]


def _best_path(
    layers: Sequence[Sequence[int]],
    distances: NDArray[np.floating],
    violations: Callable[[Sequence[int]], int],
    width: int,
    combine: Callable[[float, float], float],
    longest_step: float,
) -> _Path | None:
    """Return the best path whose steps do not exceed `longest_step`; `combine` adds a step to the cost of a path."""
    paths = [_Path(violations([row]), 0.0, [row]) for row in layers[0]]
    for layer in layers[1:]:
        longer = []
        for row in layer:
            steps = [(path, float(distances[path.rows[-1], row])) for path in paths if row not in path.rows]
            to_row = [
                _Path(violations([*path.rows, row]), combine(path.cost, step), [*path.rows, row])
                for path, step in steps
                if step <= longest_step
            ]
            longer += sorted(to_row)[:width]
        paths = longer
    return min(paths, default=None)


def flowing_order(distances: NDArray[np.floating], first: int) -> list[int]:
    """Order all tracks so that each one is near to the one before it.

    Parameters
    ----------
    distances : (n, n)
        Symmetric distances between the tracks.
    first
        Row of the track with which the order begins.

    Returns
    -------
    list of int
        Every row once.

    Raises
    ------
    ValueError
        If the matrix is not square, or if `first` is not one of its rows.

    Notes
    -----
    The order begins as the nearest-neighbour tour. The 2-opt heuristic (Croes, "A Method for Solving
    Traveling-Salesman Problems", Operations Research 6, 1958) then reverses sections of it as long as that makes it
    shorter.

    Examples
    --------
    Tracks that lie on a line at 0, 2 and 1:

    >>> flowing_order(np.array([[0, 2, 1], [2, 0, 1], [1, 1, 0]]), first=0)
    [0, 2, 1]
    """
    if distances.ndim != 2 or distances.shape[0] != distances.shape[1] or not 0 <= first < len(distances):
        raise ValueError(f"expected a square matrix and one of its rows, got shape {distances.shape} and row {first}")
    order, left = [first], [row for row in range(len(distances)) if row != first]
    while left:
        nearest = min(left, key=lambda row: distances[order[-1], row])
        order.append(nearest)
        left.remove(nearest)
    while (shorter := _shorter(order, distances)) is not None:
        order = shorter
    return order


def rank_by_turns(distances: NDArray[np.floating]) -> list[int]:
    """Rank candidates for several seeds, which take turns to choose one.

    Each candidate belongs to the seed that ranks it highest, or to the first of several such seeds. A
    seed chooses its candidates in the order of their combined nearness to all seeds.

    Parameters
    ----------
    distances : (seeds, candidates)
        Distances that are corrected for hubs: minus the logarithm of the chance that another track is farther away.

    Returns
    -------
    list of int
        Every column once, best first.

    Raises
    ------
    ValueError
        If there is no seed or no candidate.

    Notes
    -----
    The combined nearness is the product over all seeds of the chance that another track is nearer, as Fisher
    ("Statistical Methods for Research Workers", 1925, section 21.1) combines independent evidence. A track very near to
    one seed therefore comes before a track half way between all seeds, which the mean of the distances would put first.
    A track near to several seeds comes before both.

    Examples
    --------
    >>> rank_by_turns(np.array([[0.1, 0.2, 5.0], [5.0, 5.0, 0.3]]))
    [0, 2, 1]
    """
    if distances.ndim != 2 or not distances.size:
        raise ValueError(f"distances of shape {distances.shape} hold no seed or no candidate")
    ranks = distances.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    seed_of_candidate = ranks.argmin(axis=0)
    chance_of_nearer = np.maximum(-np.expm1(-distances), _MINIMUM_CHANCE)
    best_first = np.argsort(np.log(chance_of_nearer).sum(axis=0), kind="stable")
    by_seed = [best_first[seed_of_candidate[best_first] == seed] for seed in range(len(distances))]
    turns = max(len(candidates) for candidates in by_seed)
    return [int(candidates[turn]) for turn in range(turns) for candidates in by_seed if turn < len(candidates)]


def _shorter(order: list[int], distances: NDArray[np.floating]) -> list[int] | None:
    """Return the order with one section reversed if that makes it shorter, and None if no reversal does."""
    for start in range(1, len(order) - 1):
        for stop in range(start + 2, len(order) + 1):
            saved = distances[order[start - 1], order[start]] - distances[order[start - 1], order[stop - 1]]
            if stop < len(order):
                saved += distances[order[stop - 1], order[stop]] - distances[order[start], order[stop]]
            if saved > _MINIMUM_IMPROVEMENT:
                return [*order[:start], *order[start:stop][::-1], *order[stop:]]
    return None
