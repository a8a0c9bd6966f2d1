"""What a search may have lost: proof for one answer, and the measured recall of an index."""

from collections.abc import Collection, Iterable
from functools import partial
from math import inf

from mfcc_assets.core.evaluation import EVALUATED_PLACES, recall
from mfcc_assets.core.ranking import rank
from mfcc_assets.library import Library
from mfcc_assets.stages.ranking import required_pairs
from mfcc_assets.stages.searching import Search, contour_of, search_for
from mfcc_assets.stores.library_index import LibraryIndex

_PAIRS_PROVEN = 50_000
"""Pairs that the recall of an index is measured by: some 2 s. In a library of 500, a hundred queries."""

_LEAST_QUERIES = 10


def certified(
    library: Library,
    index: LibraryIndex,
    search: Search,
    found: Iterable[tuple[str, float]],
    *,
    places: int,
    others: Collection[str],
) -> list[tuple[str, float]]:
    """The nearest of what was found and of all others, proven: each is compared as far as a bound does not exclude it.

    Raises
    ------
    FeaturesMissing
        A track cannot be compared, and so nothing is certain.
    """
    known = dict(found)
    limit = max(known.values()) if len(known) == places else inf
    rest = (audio for audio in others if audio not in known)
    closer = search.within(rest, limit, partial(contour_of, library, index))
    return [(place.audio_id, place.distance) for place in rank((known | closer).items())[:places]]


def measured_recall(library: Library, index: LibraryIndex) -> float:
    """Share of the true nearest tracks that the stored rankings name, over a sample of the library.

    Raises
    ------
    NoPublishedIndex
        Rankings are missing.
    FeaturesMissing
        A track cannot be compared.
    """
    tracks = list(index.tracks)
    queries = min(len(tracks), max(_LEAST_QUERIES, _PAIRS_PROVEN // max(1, len(tracks))))
    # Audio ids are digests: evenly spaced, they are a sample as random as any, and the same each time.
    sample = set(tracks[:: max(1, len(tracks) // max(1, queries))])
    found = {
        audio: ranked[:EVALUATED_PLACES]
        for shard in library.shards
        for audio, ranked in required_pairs(library, "rankings", index.version, shard).by_query().items()
        if audio in sample
    }
    truth = {
        audio: certified(
            library,
            index,
            search_for(library, index, audio),
            ranked,
            places=EVALUATED_PLACES,
            others=[other for other in tracks if other != audio],
        )
        for audio, ranked in found.items()
    }
    return recall(_names(truth), _names(found))


def _names(ranked: dict[str, list[tuple[str, float]]]) -> dict[str, list[str]]:
    return {query: [audio for audio, _ in found] for query, found in ranked.items()}
