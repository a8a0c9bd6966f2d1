"""How good recommendations are, measured: precision by label, the same work found again, hubness, what a search loses.

All of it looks at lists, whichever way they were made: at those that an index stores, or at whole rankings out of a
matrix of distances (`ranked_by`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RankedIds = Mapping[str, Sequence[str]]
"""For each query the recommended tracks, best first, without the query itself."""

EVALUATED_COUNT = 5
"""Places of a list that are evaluated, however long it is."""

MINIMUM_OF_A_LABEL = 3
"""A label that only two tracks carry can fill one place of five at best."""


def ranked_by(distances: NDArray[np.floating], tracks: Sequence[str]) -> dict[str, list[str]]:
    """Rank all other tracks for each one.

    Parameters
    ----------
    distances : (n, n)
        From each track, a row, to the others. What stands on the diagonal does not matter.
    tracks : (n,)
        Their names. Of others equally far, the one that is named first comes first.

    Raises
    ------
    ValueError
        The shapes do not fit, or a distance of two tracks is NaN.
    """
    if distances.shape != (len(tracks), len(tracks)):
        raise ValueError(f"{len(tracks)} tracks have as many rows and columns of distances, not {distances.shape}")
    to_others = distances.astype(np.float64)
    np.fill_diagonal(to_others, -np.inf)
    if np.isnan(to_others).any():
        raise ValueError("expected a distance of any two tracks, got NaN")
    orders = np.argsort(to_others, axis=1, kind="stable")
    return {
        query: [tracks[other] for other in order if other != row]
        for row, (query, order) in enumerate(zip(tracks, orders.tolist(), strict=True))
    }


def random_distances(count: int, seed: int = 0) -> NDArray[np.float64]:
    """Distances (count, count) that know nothing: what any ranking must beat."""
    return np.random.default_rng(seed).random((count, count))


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


def precision(
    ranked: RankedIds, labels: Mapping[str, str], albums: Mapping[str, str] | None = None
) -> Precision | None:
    """Precision over the queries whose label is common enough; None where no label is.

    Parameters
    ----------
    ranked
        Of a list that is too short the places that it lacks count as misses.
    labels
        Label (artist, for example) of each track that has one.
    albums
        Album of each track that has one. Where given, only these are queries, and what shares a query's album is left
        out: of its list, and of the tracks that make its label common enough.
    """
    # Without albums every track is one of its own.
    album_of = {track: track for track in {*labels, *ranked}} if albums is None else albums
    of_label = Counter(labels.values())
    of_album = Counter((labels[track], album) for track, album in album_of.items() if track in labels)
    queries = [
        query
        for query in ranked
        if query in labels
        and query in album_of
        and of_label[labels[query]] - of_album[labels[query], album_of[query]] >= MINIMUM_OF_A_LABEL - 1
    ]
    if not queries:
        return None
    lists = {query: [track for track in ranked[query] if album_of.get(track) != album_of[query]] for query in queries}
    same = [
        [labels.get(track) == labels[query] for track in tracks[:EVALUATED_COUNT]] for query, tracks in lists.items()
    ]
    return Precision(
        queries=len(queries),
        at_1=float(np.mean([sum(found[:1]) for found in same])),
        at_5=float(np.mean([sum(found) / EVALUATED_COUNT for found in same])),
        hit_at_5=float(np.mean([any(found) for found in same])),
    )


def mean_average_precision(ranked: RankedIds, works: Mapping[str, str]) -> float | None:
    """How early the other tracks of the same work come: 1 where they are the first; None where no work has two tracks.

    Parameters
    ----------
    ranked
        Whole rankings: what a list lacks is not found.
    works
        What each track is a performance of, where that is known.

    Notes
    -----
    The mean over all queries of average precision: of each relevant track the precision at its place, 0 where it is
    not found. Manning, Raghavan and Schütze, "Introduction to Information Retrieval" (2008), section 8.4.
    """
    sizes = Counter(works.values())
    averages = [
        _average_precision([works.get(track) == works[query] for track in tracks], sizes[works[query]] - 1)
        for query, tracks in ranked.items()
        if query in works and sizes[works[query]] > 1
    ]
    return float(np.mean(averages)) if averages else None


def _average_precision(hits: Sequence[bool], relevant: int) -> float:
    places = np.flatnonzero(hits) + 1
    return float((np.arange(1, len(places) + 1) / places).sum()) / relevant


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


def hubness(ranked: RankedIds, size: int = EVALUATED_COUNT) -> Hubness:
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


def recall(exhaustive: RankedIds, found: RankedIds, size: int = EVALUATED_COUNT) -> float:
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
