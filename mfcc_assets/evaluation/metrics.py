"""Metrics of recommendation quality: precision by label, average precision of works, hubness, and recall of a search.

All metrics are computed from ranked lists. These may be stored lists of an index, or complete rankings that `ranked_by`
makes from a matrix of distances.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

_Track = TypeVar("_Track", bound=str)

RankedIds: TypeAlias = Mapping[_Track, Sequence[_Track]]
"""Ranked lists without distances: the tracks of each query, best first, without the query itself."""

EVALUATED_COUNT = 5
"""Number of tracks at the top of each list that are evaluated, however long the list is."""

MINIMUM_TRACKS_OF_LABEL = 3
"""Smallest number of tracks that make a label a useful measure. With a label that only two tracks carry, at most one
track of a list of five can be right."""


def ranked_by(distances: NDArray[np.floating], tracks: Sequence[_Track]) -> dict[_Track, list[_Track]]:
    """Rank all other tracks for each track.

    Parameters
    ----------
    distances : (n, n)
        Distance from each track (row) to each other track (column). The diagonal is ignored.
    tracks : (n,)
        Names of the tracks. Among tracks at equal distance, the one that is named first comes first.

    Raises
    ------
    ValueError
        If the shapes do not fit, or if a distance between two tracks is NaN.

    Examples
    --------
    >>> ranked_by(np.array([[0, 2, 1], [2, 0, 3], [1, 3, 0]]), ["a", "b", "c"])
    {'a': ['c', 'b'], 'b': ['a', 'c'], 'c': ['a', 'b']}
    """
    if distances.shape != (len(tracks), len(tracks)):
        raise ValueError(f"expected distances of shape ({len(tracks)}, {len(tracks)}), got {distances.shape}")
    to_others = distances.astype(np.float64)
    np.fill_diagonal(to_others, -np.inf)
    if np.isnan(to_others).any():
        raise ValueError("the distance between two tracks must not be NaN")
    orders = np.argsort(to_others, axis=1, kind="stable")
    return {
        query: [tracks[other] for other in order if other != row]
        for row, (query, order) in enumerate(zip(tracks, orders.tolist(), strict=True))
    }


def without_copies(ranked: RankedIds[_Track], recordings: Mapping[_Track, _Track]) -> dict[_Track, list[_Track]]:
    """Return ranked lists of recordings instead of files.

    Another encoding of the query is no success of a ranking. So a list has neither the query's own recording nor any
    recording twice, and each recording is one query.

    Parameters
    ----------
    ranked
        Ranked lists.
    recordings
        The track that represents the recording of each track. Tracks that are not in it represent themselves.

    Examples
    --------
    >>> ranked = {"a.mp3": ["a.flac", "b.mp3"], "a.flac": ["a.mp3", "b.mp3"], "b.mp3": ["a.flac", "a.mp3"]}
    >>> without_copies(ranked, {"a.flac": "a.mp3"})
    {'a.mp3': ['b.mp3'], 'b.mp3': ['a.mp3']}
    """
    return {
        query: [track for track in dict.fromkeys(recordings.get(track, track) for track in tracks) if track != query]
        for query, tracks in ranked.items()
        if recordings.get(query, query) == query
    }


def random_distances(count: int, seed: int = 0) -> NDArray[np.float64]:
    """Return random distances (count, count). Any ranking must beat the ranking that they make."""
    return np.random.default_rng(seed).random((count, count))


@dataclass(frozen=True)
class Precision:
    """Share of recommendations that carry the label of the query.

    Attributes
    ----------
    queries
        Number of tracks whose label is carried by at least `MINIMUM_TRACKS_OF_LABEL` tracks.
    at_1, at_5
        Mean share of recommendations with the label of the query: of the first one, and of the first five.
    hit_at_5
        Share of queries with at least one such recommendation among the first five.
    """

    queries: int
    at_1: float
    at_5: float
    hit_at_5: float


def precision(
    ranked: RankedIds[_Track], labels: Mapping[_Track, str], albums: Mapping[_Track, str] | None = None
) -> Precision | None:
    """Return the precision over all queries whose label is common enough, or None if there is no such query.

    Parameters
    ----------
    ranked
        Ranked lists. If a list has fewer than five tracks, the missing ones count as misses.
    labels
        Label, such as the artist, of each track that has one.
    albums
        Album of each track that has one. If albums are given, only tracks with an album are queries. Other tracks of
        the query's album are then left out, both of its list and when the tracks of its label are counted.

    Examples
    --------
    >>> ranked = {"a": ["b", "x"], "b": ["x", "a"], "c": ["x", "y"]}
    >>> precision(ranked, {"a": "Bach", "b": "Bach", "c": "Bach"})
    Precision(queries=3, at_1=0.3333333333333333, at_5=0.13333333333333333, hit_at_5=0.6666666666666666)
    """
    found = hits(ranked, labels, albums)
    if not found:
        return None
    return Precision(
        queries=len(found),
        at_1=float(np.mean([sum(of_query[:1]) for of_query in found.values()])),
        at_5=float(np.mean([sum(of_query) / EVALUATED_COUNT for of_query in found.values()])),
        hit_at_5=float(np.mean([any(of_query) for of_query in found.values()])),
    )


def hits(
    ranked: RankedIds[_Track], labels: Mapping[_Track, str], albums: Mapping[_Track, str] | None = None
) -> dict[_Track, list[bool]]:
    """Return for each query which of the first five recommendations carry its label.

    The parameters and the queries are those of `precision`.

    Examples
    --------
    >>> hits({"a": ["b", "x"], "x": ["a"]}, {"a": "Bach", "b": "Bach", "c": "Bach"})
    {'a': [True, False]}
    """
    # Without albums, every track counts as an album of its own.
    album_of = {track: track for track in {*labels, *ranked}} if albums is None else albums
    label_counts = Counter(labels.values())
    album_counts = Counter((labels[track], album) for track, album in album_of.items() if track in labels)
    queries = [
        query
        for query in ranked
        if query in labels
        and query in album_of
        and label_counts[labels[query]] - album_counts[labels[query], album_of[query]] >= MINIMUM_TRACKS_OF_LABEL - 1
    ]
    lists = {query: [track for track in ranked[query] if album_of.get(track) != album_of[query]] for query in queries}
    return {
        query: [labels.get(track) == labels[query] for track in tracks[:EVALUATED_COUNT]]
        for query, tracks in lists.items()
    }


def query_counts(labels: Mapping[_Track, str]) -> tuple[int, int]:
    """Return how many tracks have a label that is common enough for a query, and how many labels that are.

    Examples
    --------
    >>> query_counts({"a": "Bach", "b": "Bach", "c": "Bach", "d": "Bird"})
    (3, 1)
    """
    counts = [count for count in Counter(labels.values()).values() if count >= MINIMUM_TRACKS_OF_LABEL]
    return sum(counts), len(counts)


@dataclass(frozen=True)
class OfOwnClass:
    """How many recommendations are of the class of the query, such as its format.

    Attributes
    ----------
    queries
        Number of queries with a class and with at least one recommendation.
    same
        Mean share of the first five recommendations that are of the query's class.
    by_chance
        Mean share of all other tracks that are of the query's class.
    """

    queries: int
    same: float
    by_chance: float


def of_own_class(
    ranked: RankedIds[_Track], classes: Mapping[_Track, str], count: int = EVALUATED_COUNT
) -> OfOwnClass | None:
    """Return how many recommendations are of the query's own class, or None if there is no query.

    Parameters
    ----------
    ranked
        Ranked lists. Tracks without a class are left out of them.
    classes
        Class of each track that can be recommended.
    count
        Number of recommendations of each query that are counted.

    Examples
    --------
    >>> of_own_class({"a": ["b", "x"], "x": ["y"]}, {"a": "MP3", "b": "MP3", "x": "Opus", "y": "MP3"})
    OfOwnClass(queries=2, same=0.25, by_chance=0.3333333333333333)
    """
    sizes = Counter(classes.values())
    same, chances = [], []
    for query, tracks in ranked.items():
        shown = [classes[track] for track in tracks if track in classes][:count]
        if query in classes and shown:
            same.append(shown.count(classes[query]) / len(shown))
            chances.append((sizes[classes[query]] - 1) / (len(classes) - 1))
    return OfOwnClass(len(same), float(np.mean(same)), float(np.mean(chances))) if same else None


def mean_average_precision(ranked: RankedIds[_Track], works: Mapping[_Track, str]) -> float | None:
    """Return the mean average precision of finding other performances of the same work.

    It is 1 if the other performances always come first.

    Parameters
    ----------
    ranked
        Complete rankings. Tracks that a list lacks count as not found.
    works
        Work of each track whose work is known.

    Returns
    -------
    float or None
        None if no work has two tracks.

    Notes
    -----
    Average precision is the mean, over all relevant tracks of a query, of the precision at the rank of the track. It is
    0 for a track that is not found. See Manning, Raghavan and Schütze, "Introduction to Information Retrieval" (2008),
    section 8.4.

    Examples
    --------
    >>> mean_average_precision({"a": ["x", "b"], "b": ["a", "x"]}, {"a": "Aria", "b": "Aria"})
    0.75
    """
    sizes = Counter(works.values())
    averages = [
        _average_precision([works.get(track) == works[query] for track in tracks], sizes[works[query]] - 1)
        for query, tracks in ranked.items()
        if query in works and sizes[works[query]] > 1
    ]
    return float(np.mean(averages)) if averages else None


def _average_precision(hits: Sequence[bool], relevant: int) -> float:
    ranks = np.flatnonzero(hits) + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).sum()) / relevant


@dataclass(frozen=True)
class Hubness:
    """Figures of how unevenly a ranking spreads its recommendations over the library.

    Attributes
    ----------
    skewness
        Skewness of the number of lists that contain a track; 0 if all tracks are in equally many lists.
    largest
        Largest number of lists that contain one track.
    never_recommended
        Share of the tracks that are in no list.
    """

    skewness: float
    largest: int
    never_recommended: float


def hubness(ranked: RankedIds[_Track], count: int = EVALUATED_COUNT) -> Hubness:
    """Return the hubness of the first `count` recommendations. Only tracks that are queries themselves are counted.

    Notes
    -----
    The skewness is that of the k-occurrence N_k in Radovanović, Nanopoulos and Ivanović, "Hubs in Space", JMLR 11
    (2010), equation 1.

    Examples
    --------
    >>> hubness({"a": ["b"], "b": ["c"], "c": ["a"]})
    Hubness(skewness=0.0, largest=1, never_recommended=0.0)
    """
    occurrences = dict.fromkeys(ranked, 0)
    for tracks in ranked.values():
        for track in tracks[:count]:
            if track in occurrences:
                occurrences[track] += 1
    return hubness_of_counts(np.array(list(occurrences.values()), np.int64))


def hubness_of_counts(occurrences: NDArray[np.int64]) -> Hubness:
    """Return the hubness, given the number of lists (tracks,) that contain each track."""
    counts = occurrences.astype(np.float64)
    if not counts.size:
        return Hubness(0.0, 0, 0.0)
    centred = counts - counts.mean()
    deviation = counts.std()
    return Hubness(
        skewness=float(np.mean(centred**3) / deviation**3) if deviation else 0.0,
        largest=int(counts.max()),
        never_recommended=float(np.mean(counts == 0)),
    )


def recall(exhaustive: RankedIds[_Track], found: RankedIds[_Track], count: int = EVALUATED_COUNT) -> float:
    """Return the mean share of the first `count` tracks of an exhaustive ranking that a search found.

    Queries with an empty exhaustive ranking are not counted. The recall is 1 if no query is left. A query that is
    missing from `found` has a share of 0.

    Examples
    --------
    >>> recall({"a": ["b", "c"]}, {"a": ["c", "d"]}, count=2)
    0.5
    """
    shares = [
        len(set(best[:count]) & set(found.get(query, ()))) / len(best[:count])
        for query, best in exhaustive.items()
        if best
    ]
    return float(np.mean(shares)) if shares else 1.0
