"""Orders of tracks in which each sounds like the one before."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from operator import add

import numpy as np
from numpy.typing import NDArray

_IMPROVEMENT = 1e-12
"""Rounding alone must not keep two orders taking turns."""

_NEAREST = 1e-6
"""The least chance that another track is nearer: for none at all, no distance to other seeds could make up."""


def points_between(start: NDArray[np.float32], end: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Evenly spaced points (count, d) of the straight line from one vector (d,) to another, both included."""
    shares = np.linspace(0, 1, count, dtype=np.float32)[:, np.newaxis]
    return (1 - shares) * start + shares * end


def in_layers(from_start: NDArray[np.floating], to_end: NDArray[np.floating], layers: int) -> list[NDArray[np.intp]]:
    """Put candidates one after the other by their share of the way, and cut the row into even layers.

    A path that takes one of each layer meets none twice.

    Parameters
    ----------
    from_start, to_end : (candidates,)
        Distances to both ends of the path.
    layers
        At most as many as there are candidates.

    Returns
    -------
    Rows of the candidates in each layer: as many in each, give or take one.

    Raises
    ------
    ValueError
        There are fewer candidates than layers, or no layer.
    """
    if not 1 <= layers <= len(from_start):
        raise ValueError(f"{len(from_start)} candidates do not fill {layers} layers")
    # Where both distances are 0, a candidate is as near to the one end as to the other.
    share = (from_start + np.finfo(float).tiny) / (from_start + to_end + 2 * np.finfo(float).tiny)
    return np.array_split(np.argsort(share, kind="stable"), layers)


def smoothest_path(
    layers: Sequence[Sequence[int]],
    distances: NDArray[np.floating],
    surplus: Callable[[Sequence[int]], int],
    *,
    width: int = 8,
) -> list[int] | None:
    """Take one track of each layer, none twice, so that each step is as small as can be.

    Paths with less surplus come first, then those whose largest step is smaller, then those with the smaller sum of all
    steps.

    Parameters
    ----------
    layers
        Rows of the tracks that each place of the path may have; a track may be in several layers.
    distances : (tracks, tracks)
        From each track to those of the next layers.
    surplus
        How many tracks of a path's beginning are there against a wish.
    width
        Ways that are kept to each track of a layer. Where no track is in two layers and there is no surplus, one is
        enough for the best path of all.

    Returns
    -------
    A row of each layer; None where no way was found that meets no track twice.

    Raises
    ------
    ValueError
        There is no layer, or an empty one.

    Notes
    -----
    Dynamic programming, twice (Bellman, "Dynamic Programming", 1957): the smallest bottleneck first, and then the
    shortest path of steps that do not exceed it. Both at once would be wrong: of two ways to a track the one with the
    smaller bottleneck may be the longer one, and a later step make both bottlenecks the same. That no track comes twice
    makes the problem one of the hard ones; several ways to each track leave room to get round it.
    """
    if not layers or not all(len(layer) for layer in layers):
        raise ValueError("every place of a path has a track at least")
    bottleneck = _best_way(layers, distances, surplus, width, max, inf)
    if bottleneck is None:
        return None
    shortest = _best_way(layers, distances, surplus, width, add, bottleneck.cost)
    return (shortest or bottleneck).rows


@dataclass(frozen=True, order=True)
class _Way:
    surplus: int
    cost: float
    rows: list[int]


def _best_way(
    layers: Sequence[Sequence[int]],
    distances: NDArray[np.floating],
    surplus: Callable[[Sequence[int]], int],
    width: int,
    combine: Callable[[float, float], float],
    longest_step: float,
) -> _Way | None:
    ways = [_Way(surplus([row]), 0.0, [row]) for row in layers[0]]
    for layer in layers[1:]:
        longer = []
        for row in layer:
            steps = [(way, float(distances[way.rows[-1], row])) for way in ways if row not in way.rows]
            to_row = [
                _Way(surplus([*way.rows, row]), combine(way.cost, step), [*way.rows, row])
                for way, step in steps
                if step <= longest_step
            ]
            longer += sorted(to_row)[:width]
        ways = longer
    return min(ways, default=None)


def flowing_order(distances: NDArray[np.floating], first: int) -> list[int]:
    """Order tracks so that each is near to the one before.

    Parameters
    ----------
    distances : (n, n)
        Symmetric.
    first
        Where the order begins.

    Returns
    -------
    Every row once.

    Raises
    ------
    ValueError
        The matrix is not square, or `first` is no row of it.

    Notes
    -----
    The nearest of those left, again and again, and then 2-opt (Croes, "A Method for Solving Traveling-Salesman
    Problems", Operations Research 6, 1958): a stretch is turned round as long as that makes the way shorter.
    """
    if distances.ndim != 2 or distances.shape[0] != distances.shape[1] or not 0 <= first < len(distances):
        raise ValueError(f"no order from {first} through distances of shape {distances.shape}")
    order, left = [first], [row for row in range(len(distances)) if row != first]
    while left:
        nearest = min(left, key=lambda row: distances[order[-1], row])
        order.append(nearest)
        left.remove(nearest)
    while (turned := _shorter(order, distances)) is not None:
        order = turned
    return order


def in_turns(distances: NDArray[np.floating]) -> list[int]:
    """Rank candidates for several seeds, which take turns.

    A candidate is handed over by the seed on whose own list it stands highest, the first of several. Of those that it
    hands over, a seed begins with the one for which it is the least likely that another track is nearer to all seeds.

    Parameters
    ----------
    distances : (seeds, candidates)
        Corrected for hubs: minus the logarithm of the chance that another track is farther away.

    Returns
    -------
    Every column once, best first.

    Raises
    ------
    ValueError
        There is no seed or no candidate.

    Notes
    -----
    What ranks is the product of the chances that another track is nearer, as Fisher ("Statistical Methods for Research
    Workers", 1925, section 21.1) combines independent evidence. A track very near to one seed so comes before one half
    way from all, which the mean of distances would put first, and one that is near to several comes before both.
    """
    if distances.ndim != 2 or not distances.size:
        raise ValueError(f"no turns can be taken by distances of shape {distances.shape}")
    places = distances.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    handed_over_by = places.argmin(axis=0)
    nearer = np.maximum(-np.expm1(-distances), _NEAREST)
    best_first = np.argsort(np.log(nearer).sum(axis=0), kind="stable")
    hands = [best_first[handed_over_by[best_first] == seed] for seed in range(len(distances))]
    turns = max(len(hand) for hand in hands)
    return [int(hand[turn]) for turn in range(turns) for hand in hands if turn < len(hand)]


def _shorter(order: list[int], distances: NDArray[np.floating]) -> list[int] | None:
    """The order with one stretch turned round, where that is shorter; None where it is for no stretch."""
    for start in range(1, len(order) - 1):
        for stop in range(start + 2, len(order) + 1):
            saved = distances[order[start - 1], order[start]] - distances[order[start - 1], order[stop - 1]]
            if stop < len(order):
                saved += distances[order[stop - 1], order[stop]] - distances[order[start], order[stop]]
            if saved > _IMPROVEMENT:
                return [*order[:start], *order[start:stop][::-1], *order[stop:]]
    return None
