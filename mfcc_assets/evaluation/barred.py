"""Ranked lists without some of their tracks, and lists that are thinned as much at random.

Files of one source have the same codec, rate and mastering. A list without the files that are like the query's own
shows how much of a ranking is heard in the files. Shorter lists are easier or harder in themselves. So they are
compared with lists that lost as many tracks at random.
"""

from collections.abc import Mapping, Set

import numpy as np

from mfcc_assets.evaluation.metrics import MINIMUM_TRACKS_OF_LABEL, RankedIds

Barred = Mapping[str, Set[str]]
"""The tracks that are left out of the list of each query."""


def without(ranked: RankedIds[str], barred: Barred) -> dict[str, list[str]]:
    """Return ranked lists without the tracks that are barred for each query.

    Examples
    --------
    >>> without({"a": ["b", "c"], "b": ["a"]}, {"a": {"b"}})
    {'a': ['c'], 'b': ['a']}
    """
    return {
        query: [track for track in tracks if track not in barred.get(query, ())] for query, tracks in ranked.items()
    }


def with_enough_left(ranked: RankedIds[str], labels: Mapping[str, str], barred: Barred) -> set[str]:
    """Return the queries for which at least two other tracks of their label can still be recommended."""
    return {
        query
        for query, tracks in without(ranked, barred).items()
        if query in labels
        and sum(labels.get(track) == labels[query] for track in tracks) >= MINIMUM_TRACKS_OF_LABEL - 1
    }


def barred_at_random(
    ranked: RankedIds[str], labels: Mapping[str, str], barred: Barred, draw: int
) -> dict[str, Set[str]]:
    """Return as many tracks at random as are barred for each query.

    As many of them are of the query's label as among those that are barred. So the right answers that remain are as
    many, and as rare, as without the barred tracks.

    Parameters
    ----------
    ranked
        Complete ranked lists.
    labels
        Label of each track that has one.
    barred
        The tracks that are barred for each query.
    draw
        Number of the draw, which decides what is drawn.
    """
    chance = np.random.default_rng(draw)
    drawn: dict[str, Set[str]] = {}
    for query, tracks in ranked.items():
        # The order of a ranked list would make the draw depend on the ranking.
        others = sorted(tracks)
        is_same = [labels.get(track) == labels.get(query) for track in others]
        found: set[str] = set()
        for of_label in (True, False):
            group = [track for track, same in zip(others, is_same, strict=True) if same is of_label]
            count = sum(track in barred.get(query, ()) for track in group)
            found.update(group[row] for row in chance.permutation(len(group))[:count])
        drawn[query] = found
    return drawn
