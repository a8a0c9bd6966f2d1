"""How good recommendations are, measured: precision by label, hubness, and what a search loses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Ranked = Mapping[str, Sequence[str]]
"""For each query the recommended tracks, best first."""

EVALUATED_PLACES = 5
"""Places of a list that are evaluated."""


@dataclass(frozen=True)
class Precision:
    """Share of recommendations that carry the query's label.

    Attributes
    ----------
    queries
        Tracks whose label at least `MINIMUM_OF_A_LABEL` tracks carry.
    at_1, at_5
        Mean share among the first one and the first five.
    hit_at_5
        Share of queries with at least one among the first five.
    """

    queries: int
    at_1: float
    at_5: float
    hit_at_5: float


MINIMUM_OF_A_LABEL = 3
"""A label that only two tracks carry can fill one place of five at best."""


def precision(ranked: Ranked, labels: Mapping[str, str]) -> Precision | None:
    """Precision over the queries whose label is common enough; None where no label is.

    Parameters
    ----------
    ranked
        For each query the recommended tracks, best first, without the query itself.
    labels
        Label (artist, for example) of each track that has one.
    """
    counts: dict[str, int] = {}
    for label in labels.values():
        counts[label] = counts.get(label, 0) + 1
    queries = [query for query in ranked if query in labels and counts[labels[query]] >= MINIMUM_OF_A_LABEL]
    if not queries:
        return None
    same = [[labels.get(track) == labels[query] for track in ranked[query][:5]] for query in queries]
    return Precision(
        queries=len(queries),
        at_1=float(np.mean([sum(hits[:1]) for hits in same])),
        at_5=float(np.mean([sum(hits) / 5 for hits in same])),
        hit_at_5=float(np.mean([any(hits) for hits in same])),
    )


@dataclass(frozen=True)
class Hubness:
    """How unevenly a ranking spreads its recommendations over the library.

    Attributes
    ----------
    skewness
        Of the number of lists a track stands in; 0 is even.
    largest
        The most lists that any one track stands in.
    never_recommended
        Share of the tracks that stand in no list.
    """

    skewness: float
    largest: int
    never_recommended: float


def hubness(ranked: Ranked, size: int = 5) -> Hubness:
    """Hubness of the first `size` recommendations, over the tracks that are queries themselves.

    Notes
    -----
    The skewness of N_k, the k-occurrence: Radovanović, Nanopoulos and Ivanović, "Hubs in Space", JMLR 11 (2010), eq. 1.
    """
    occurrences = dict.fromkeys(ranked, 0)
    for tracks in ranked.values():
        for track in tracks[:size]:
            if track in occurrences:
                occurrences[track] += 1
    counts = np.array(list(occurrences.values()), dtype=np.float64)
    if not counts.size:
        return Hubness(0.0, 0, 0.0)
    centred = counts - counts.mean()
    deviation = counts.std()
    return Hubness(
        skewness=float(np.mean(centred**3) / deviation**3) if deviation else 0.0,
        largest=int(counts.max()),
        never_recommended=float(np.mean(counts == 0)),
    )


def recall(exhaustive: Ranked, found: Ranked, size: int = EVALUATED_PLACES) -> float:
    """Mean share of the exhaustive ranking's first `size` tracks that were found.

    Queries whose ranking is empty do not count; where no other is left, nothing was lost and the recall is 1. A query
    that `found` lacks has none.
    """
    shares = [
        len(set(best[:size]) & set(found.get(query, ()))) / len(best[:size])
        for query, best in exhaustive.items()
        if best
    ]
    return float(np.mean(shares)) if shares else 1.0
