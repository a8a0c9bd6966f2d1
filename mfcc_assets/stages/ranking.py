"""From an index to recommendations of every soundtrack: candidates, their ranking, and the rows that serve them.

Candidates and rankings of an index version never change: the shard of an audio is that of the track which stood for it
when the index was built.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.core.catalogue import shard_of
from mfcc_assets.core.errors import NoPublishedIndex
from mfcc_assets.core.ranking import Ranked, rank, ranking_named
from mfcc_assets.library import Library
from mfcc_assets.stores.indexes import LibraryIndex, Pairs
from mfcc_assets.stores.records import Recommendation, Soundtrack


@dataclass(frozen=True)
class PairsReport:
    """What a stage over a shard's pairs came to: of its queries' pairs some were computed and some taken over."""

    queries: int
    computed: int
    reused: int


def find_candidates(library: Library, index: LibraryIndex, shards: Sequence[str]) -> Iterator[tuple[str, PairsReport]]:
    """Pick the candidates of every audio of each shard, unless they were picked for this index before."""
    by_shard: dict[str, list[str]] = {}
    for audio, track in index.tracks.items():
        by_shard.setdefault(shard_of(track, library.settings.shard_digits), []).append(audio)
    for shard in shards:
        present = library.indexes.read_pairs("candidates", index.version, shard)
        if present is not None:
            yield shard, _all_reused(present)
            continue
        audio_ids = by_shard.get(shard, [])
        found = nearest(index, audio_ids, index.summaries.of_audio(audio_ids).embeddings)
        pairs = Pairs.of(found)
        library.indexes.write_pairs("candidates", index.version, shard, pairs)
        yield shard, PairsReport(len(found), computed=len(pairs.queries), reused=0)


def nearest(
    index: LibraryIndex, audio_ids: Sequence[str], embeddings: NDArray[np.float32]
) -> dict[str, list[tuple[str, float]]]:
    """The candidates of each query with their distances in the prefilter, without the query's own audio."""
    size = index.parameters.candidates
    return {
        audio: [
            (candidate, float(distance))
            for candidate, distance in zip(hits.audio_ids, hits.distances, strict=True)
            if candidate != audio
        ][:size]
        for audio, hits in zip(audio_ids, index.prefilter.search(embeddings, size + 1), strict=True)
    }


def rank_candidates(library: Library, index: LibraryIndex, shards: Sequence[str]) -> Iterator[tuple[str, PairsReport]]:
    """Order the candidates of every audio of each shard, unless they were ordered for this index before.

    Distances that the published index already knows are taken over.

    Raises
    ------
    NoPublishedIndex
        A shard's candidates are missing.
    """
    known_distances = _distances_of_published(library, index)

    def ranked(query: tuple[str, list[tuple[str, float]]]) -> tuple[list[Ranked], int]:
        audio, found = query
        known = known_distances(audio)
        missing = [candidate for candidate, _ in found if candidate not in known]
        distances = known | distances_to(library, index, contour_of(library, index, audio), missing)
        return rank((candidate, distances[candidate]) for candidate, _ in found), len(missing)

    for shard in shards:
        present = library.indexes.read_pairs("rankings", index.version, shard)
        if present is not None:
            yield shard, _all_reused(present)
            continue
        candidates = required_pairs(library, "candidates", index.version, shard)
        rankings: dict[str, list[tuple[str, float]]] = {}
        computed = 0
        for (audio, _), (ordered, count) in on_all_cores(ranked, candidates.by_query().items()):
            rankings[audio] = [(place.audio_id, place.distance) for place in ordered]
            computed += count
        pairs = Pairs.of(dict(sorted(rankings.items())))
        library.indexes.write_pairs("rankings", index.version, shard, pairs)
        yield shard, PairsReport(len(rankings), computed, reused=len(pairs.queries) - computed)


def contour_of(library: Library, index: LibraryIndex, audio: str) -> NDArray[np.float32]:
    """The contour of an audio, made in the way of this index."""
    return library.features.read_contour(audio, index.parameters.features)


def distances_to(
    library: Library, index: LibraryIndex, contour: NDArray[np.float32], candidates: Iterable[str]
) -> dict[str, float]:
    """Distance of a query's contour to each candidate, by the index's ranking."""
    distance = ranking_named(index.parameters.ranking)
    return {
        candidate: distance(contour, contour_of(library, index, candidate), index.scales) for candidate in candidates
    }


@dataclass(frozen=True)
class RecommendationReport:
    """What recommending for the soundtracks of a shard came to."""

    queries: int
    written: int


def recommend_soundtracks(library: Library, index: LibraryIndex, shard: str, *, run_id: str) -> RecommendationReport:
    """Bring RECOMMENDATIONS of a shard's soundtracks up to date with an index; rows that are right stay.

    Raises
    ------
    NoPublishedIndex
        Rankings are missing.
    """
    method = index.parameters.ranking
    queries = library.tables.soundtracks([shard])
    stored = library.tables.stored_recommendations([track.track_id for track in queries])
    rankings = _rankings_by_audio(library, index, [track.audio_id for track in queries if track.audio_id])
    tracks = library.tables.tracks_of_audio({candidate for found in rankings.values() for candidate, _ in found})
    written = 0
    for query in queries:
        ranked = rankings.get(query.audio_id or "", [])
        wanted = places(ranked, tracks, size=library.settings.recommendations, without={query.audio_id or ""})
        if stored.get(query.track_id, []) != [(method, index.version, place) for place in wanted]:
            written += library.tables.replace_recommendations(
                query.track_id, wanted, method=method, index_version=index.version, run_id=run_id
            )
    return RecommendationReport(len(queries), written)


def places(
    ranked: Iterable[tuple[str, float]], tracks: Mapping[str, Soundtrack], *, size: int, without: set[str]
) -> list[Recommendation]:
    """The first `size` of a ranking, without some audio. None is named that is gone, nor twice the same audio."""
    there = [(tracks[audio], distance) for audio, distance in ranked if audio in tracks and audio not in without]
    return [
        Recommendation(position, track.track_id, distance)
        for position, (track, distance) in enumerate(there[:size], start=1)
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


def _distances_of_published(library: Library, index: LibraryIndex) -> Callable[[str], dict[str, float]]:
    """What the published index knows of the distances from an audio, where this index would compute the same."""

    @cache
    def published() -> LibraryIndex | None:
        former = library.indexes.published_if_usable()
        same = (
            former is not None
            and former.parameters.features == index.parameters.features
            and former.parameters.ranking == index.parameters.ranking
            and np.array_equal(former.scales, index.scales)
        )
        return former if same else None

    @cache
    def rankings(version: str, shard: str) -> dict[str, list[tuple[str, float]]]:
        pairs = library.indexes.read_pairs("rankings", version, shard)
        return pairs.by_query() if pairs else {}

    def known(audio: str) -> dict[str, float]:
        former = published()
        if former is None or audio not in former.tracks:
            return {}
        shard = shard_of(former.tracks[audio], library.settings.shard_digits)
        return dict(rankings(former.version, shard).get(audio, []))

    return known


def _all_reused(pairs: Pairs) -> PairsReport:
    return PairsReport(len(set(pairs.queries)), computed=0, reused=len(pairs.queries))


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
