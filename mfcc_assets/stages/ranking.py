"""From an index to recommendations of every soundtrack: candidates, their ranking, and the rows that serve them.

Candidates and rankings of an index version never change: the shard of an audio is that of the track which stood for it
when the index was built.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.core.cascade import Query, searched, worth_comparing
from mfcc_assets.core.catalogue import shard_of
from mfcc_assets.core.errors import NoPublishedIndex
from mfcc_assets.core.ranking import Ranked, rank, ranking_named
from mfcc_assets.core.stacked import Stacked
from mfcc_assets.library import Library
from mfcc_assets.stores.indexes import Pairs
from mfcc_assets.stores.library_index import LibraryIndex
from mfcc_assets.stores.records import Recommendation


@dataclass(frozen=True)
class PairsReport:
    """How many pairs a stage keeps of a shard, and how many it compared for that."""

    kept: int
    compared: int


def find_candidates(library: Library, index: LibraryIndex, shards: Sequence[str]) -> Iterator[tuple[str, PairsReport]]:
    """Pick the candidates of every audio of each shard, unless they were picked for this index before.

    Of what the published index had picked only new audio can change anything.
    """
    by_shard: dict[str, list[str]] = {}
    for audio, track in index.tracks.items():
        by_shard.setdefault(shard_of(track, library.settings.shard_digits), []).append(audio)
    former = _Former(library, index)

    def candidates_of(audio: str) -> tuple[list[tuple[str, float]], int]:
        query, places = query_of(library, index, audio), index.parameters.places
        known = former.pairs("candidates", audio)
        if (
            known is not None
            and former.has(list(known)[:places])
            and len(former.added) <= searched(len(index.tracks), places)
        ):
            left = {candidate: estimate for candidate, estimate in known.items() if candidate in index.tracks}
            return nearest_outlines(index, query, [added for added in former.added if added != audio], left)
        embedding = index.summaries.embeddings[index.tracks.rows([audio])[0]]
        hits = nearest_embeddings(index, embedding, places + 1)
        return nearest_outlines(index, query, [candidate for candidate in hits if candidate != audio])

    for shard in shards:
        present = library.indexes.read_pairs("candidates", index.version, shard)
        if present is not None:
            yield shard, PairsReport(len(present.queries), compared=0)
            continue
        found = dict(on_all_cores(candidates_of, by_shard.get(shard, [])))
        pairs = Pairs.of({audio: found[audio][0] for audio in sorted(found)})
        library.indexes.write_pairs("candidates", index.version, shard, pairs)
        compared = sum(count for _, count in found.values())
        yield shard, PairsReport(len(pairs.queries), compared)


def query_of(library: Library, index: LibraryIndex, audio: str) -> Query:
    """An audio as it is compared with others in this index."""
    contour = contour_of(library, index, audio)
    return Query(contour, ranking_named(index.parameters.ranking), index.scales)


def contour_of(library: Library, index: LibraryIndex, audio: str) -> NDArray[np.float32]:
    """The contour of an audio, made in the way of this index."""
    return library.features.read_contour(audio, index.parameters.features)


def nearest_embeddings(index: LibraryIndex, embedding: NDArray[np.float32], places: int) -> Sequence[str]:
    """What the vector index hands on where the nearest `places` are wanted, nearest first."""
    (hits,) = index.prefilter.search(embedding[np.newaxis], searched(len(index.tracks), places))
    return hits.audio_ids


def nearest_outlines(
    index: LibraryIndex,
    query: Query,
    audio_ids: Sequence[str],
    known: Mapping[str, float] | None = None,
    *,
    places: int | None = None,
) -> tuple[list[tuple[str, float]], int]:
    """What the outlines hand on of some audio, and of others whose estimates are `known`; how many were compared."""
    rows = index.tracks.rows(audio_ids)
    estimates = query.outline_distances(index.outlines.rows(rows), index.summaries.roughness[rows])
    every = [*(known or {}).items(), *zip(audio_ids, estimates.tolist(), strict=True)]
    kept = worth_comparing(np.array([estimate for _, estimate in every]), places or index.parameters.places)
    return [every[row] for row in kept], len(audio_ids)


def rank_candidates(library: Library, index: LibraryIndex, shards: Sequence[str]) -> Iterator[tuple[str, PairsReport]]:
    """Rank the candidates of every audio of each shard, unless they were ranked for this index before.

    To what the published index had ranked only candidates that it did not have can add.

    Raises
    ------
    NoPublishedIndex
        A shard's candidates are missing.
    """
    former, places = _Former(library, index), index.parameters.places

    def ranked(pairs: tuple[str, list[tuple[str, float]]]) -> tuple[list[Ranked], int]:
        audio, candidates = pairs
        known, compared = former.pairs("rankings", audio), former.pairs("candidates", audio)
        if known is None or compared is None or not former.has(known):
            query = query_of(library, index, audio)
            audio_ids = [candidate for candidate, _ in candidates]
            contours = Stacked.of((contour_of(library, index, one) for one in audio_ids), len(index.scales))
            return query.nearest(audio_ids, contours, places), len(audio_ids)
        fresh = [candidate for candidate, _ in candidates if candidate not in compared]
        if not fresh:
            return rank(known.items()), 0
        query = query_of(library, index, audio)
        limit = max(known.values()) if len(known) == places else inf
        distances = {one: query.distance_within(contour_of(library, index, one), limit) for one in fresh}
        closer = {one: distance for one, distance in distances.items() if distance < inf}
        return rank((known | closer).items())[:places], len(fresh)

    for shard in shards:
        present = library.indexes.read_pairs("rankings", index.version, shard)
        if present is not None:
            yield shard, PairsReport(len(present.queries), compared=0)
            continue
        candidates = required_pairs(library, "candidates", index.version, shard)
        rankings: dict[str, list[tuple[str, float]]] = {}
        compared = 0
        for (audio, _), (found, count) in on_all_cores(ranked, candidates.by_query().items()):
            rankings[audio] = [(place.audio_id, place.distance) for place in found]
            compared += count
        pairs = Pairs.of(dict(sorted(rankings.items())))
        library.indexes.write_pairs("rankings", index.version, shard, pairs)
        yield shard, PairsReport(len(pairs.queries), compared)


@dataclass(frozen=True)
class RecommendationReport:
    """What recommending for the soundtracks of a shard came to."""

    queries: int
    written: int


def recommend_soundtracks(
    library: Library, index: LibraryIndex, shards: Sequence[str], *, run_id: str
) -> Iterator[tuple[str, RecommendationReport]]:
    """Bring RECOMMENDATIONS of the soundtracks of each shard up to date with an index; rows that are right stay.

    Raises
    ------
    NoPublishedIndex
        Rankings are missing.
    """
    tracks = library.tables.audio()
    size = library.settings.recommendations
    for shard in shards:
        queries = library.tables.soundtracks([shard])
        rankings = _rankings_by_audio(library, index, [track.audio_id for track in queries if track.audio_id])
        lists = {
            query.track_id: places(
                rankings.get(query.audio_id or "", []), tracks, size=size, without={query.audio_id or ""}
            )
            for query in queries
        }
        written = library.tables.update_recommendations(
            lists, method=index.parameters.ranking, index_version=index.version, run_id=run_id
        )
        yield shard, RecommendationReport(len(queries), written)


def places(
    ranked: Iterable[tuple[str, float]], tracks: Mapping[str, str], *, size: int, without: set[str]
) -> list[Recommendation]:
    """The first `size` of a ranking, without some audio. None is named that is gone, nor twice the same audio.

    `tracks` has for every audio that is there the id of the track that stands for it.
    """
    there = [(tracks[audio], distance) for audio, distance in ranked if audio in tracks and audio not in without]
    return [
        Recommendation(position, track, distance) for position, (track, distance) in enumerate(there[:size], start=1)
    ]


def _rankings_by_audio(
    library: Library, index: LibraryIndex, audio_ids: Sequence[str]
) -> dict[str, list[tuple[str, float]]]:
    digits = library.settings.shard_digits
    shards = {shard_of(index.tracks[audio], digits) for audio in audio_ids if audio in index.tracks}
    rankings: dict[str, list[tuple[str, float]]] = {}
    for shard in sorted(shards):
        rankings |= required_pairs(library, "rankings", index.version, shard).by_query()
    return rankings


class _Former:
    """What the published index knows, where this index would compute the same.

    Attributes
    ----------
    added
        Audio of this index that the published one lacks.
    """

    def __init__(self, library: Library, index: LibraryIndex) -> None:
        published = library.indexes.published_if_usable()
        same = (
            published is not None
            and published.parameters == index.parameters
            and np.array_equal(published.scales, index.scales)
        )
        self._library, self._index, self._published = library, index, published if same else None
        self.added = self._lacked()
        self._by_shard = lru_cache(maxsize=4)(self._read)

    def pairs(self, stage: str, audio: str) -> dict[str, float] | None:
        """Candidates or ranking of an audio, nearest first; None where they are not known."""
        if self._published is None or audio not in self._published.tracks:
            return None
        shard = shard_of(self._published.tracks[audio], self._library.settings.shard_digits)
        return self._by_shard(stage, shard).get(audio)

    def has(self, audio_ids: Iterable[str]) -> bool:
        """Whether none of these has gone since."""
        return all(audio in self._index.tracks for audio in audio_ids)

    def _lacked(self) -> list[str]:
        if self._published is None:
            return list(self._index.tracks)
        audio_ids = self._index.tracks.audio_ids
        rows = self._published.tracks.rows(audio_ids)
        return [audio_ids[row] for row in np.flatnonzero(rows < 0).tolist()]

    def _read(self, stage: str, shard: str) -> dict[str, dict[str, float]]:
        pairs = self._library.indexes.read_pairs(stage, self._published.version, shard) if self._published else None
        return {audio: dict(found) for audio, found in pairs.by_query().items()} if pairs else {}


def required_pairs(library: Library, stage: str, version: str, part: str) -> Pairs:
    """The candidates or rankings of a shard or an upload.

    Raises
    ------
    NoPublishedIndex
        They were not computed for this version.
    """
    pairs = library.indexes.read_pairs(stage, version, part)
    if pairs is None:
        raise NoPublishedIndex(
            f"the {stage} of {part} are missing",
            subject=f"index {version}",
            remedy=f"Materialise the {stage} of all shards, or of this upload",
        )
    return pairs
