"""From an index to recommendations of every soundtrack: candidates, their ranking, and the rows that serve them.

Candidates and rankings of an index version never change: the shard of an audio is that of the track which stood for it
when the index was built.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from math import inf

import numpy as np

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import NoPublishedIndex
from mfcc_assets.for_each import in_turn
from mfcc_assets.ids import TrackId, shard_of
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import contour_of, search_for
from mfcc_assets.pipeline.list_rules import choose, selection_of
from mfcc_assets.playlists.selection import Selection
from mfcc_assets.search.cascade import candidates_to_fetch
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.rankings import rank
from mfcc_assets.storage.ranking_store import RankedLists
from mfcc_assets.storage.sql.records import Recommendation

_FEW_CHANGES = 20
"""Tracks that came or went, of which each query is told by itself: it computes less than threads wait for each other.
One that came to 1,000 takes 0.6 s, and with two threads 1.25 s."""


@dataclass(frozen=True)
class ListsReport:
    """How many pairs a stage keeps of a shard, and how many it compared for that."""

    kept: int
    compared: int


def find_candidates(library: Library, index: LibraryIndex, shards: Sequence[str]) -> Iterator[tuple[str, ListsReport]]:
    """Pick the candidates of every audio of each shard, unless they were picked for this index before.

    Of what the published index had picked only new audio can change anything.
    """
    by_shard: dict[str, list[str]] = {}
    for audio_id, track in index.tracks.items():
        by_shard.setdefault(shard_of(TrackId(track), library.settings.shard_digits), []).append(audio_id)
    former, wanted = _Former(library, index), index.parameters.ranked_count
    each = in_turn if former.changes <= _FEW_CHANGES else on_all_cores

    def candidates_of(audio_id: str) -> tuple[list[tuple[str, float]], int]:
        known, search = former.pairs("candidates", audio_id), search_for(library, index, audio_id)
        if (
            known is not None
            and former.has(list(known)[:wanted])
            and len(former.added) <= candidates_to_fetch(len(index.tracks), wanted)
        ):
            left = {candidate: estimate for candidate, estimate in known.items() if candidate in index.tracks}
            added = [other for other in former.added if other != audio_id]
            return search.prune_by_coarse_contour(added, wanted, left), len(added)
        hits = [candidate for candidate in search.nearest_by_embedding(wanted + 1) if candidate != audio_id]
        return search.prune_by_coarse_contour(hits, wanted), len(hits)

    for shard in shards:
        present = library.rankings.count("candidates", index.version, shard)
        if present is not None:
            yield shard, ListsReport(present, compared=0)
            continue
        found = dict(each(candidates_of, by_shard.get(shard, [])))
        pairs = RankedLists.of({audio_id: found[audio_id][0] for audio_id in sorted(found)})
        library.rankings.write("candidates", index.version, shard, pairs)
        compared = sum(count for _, count in found.values())
        yield shard, ListsReport(len(pairs.queries), compared)


def rank_candidates(library: Library, index: LibraryIndex, shards: Sequence[str]) -> Iterator[tuple[str, ListsReport]]:
    """Rank the candidates of every audio of each shard, unless they were ranked for this index before.

    To what the published index had ranked only candidates that it did not have can add.

    Raises
    ------
    NoPublishedIndex
        A shard's candidates are missing.
    """
    former, wanted = _Former(library, index), index.parameters.ranked_count

    def ranked(pairs: tuple[str, list[tuple[str, float]]]) -> tuple[list[tuple[str, float]], int]:
        audio_id, candidates = pairs
        known, compared = former.pairs("rankings", audio_id), former.pairs("candidates", audio_id)
        if known is None or compared is None or not former.has(known):
            contours = {candidate: contour_of(library, index, candidate) for candidate, _ in candidates}
            return search_for(library, index, audio_id).nearest(contours, wanted), len(contours)
        fresh = [candidate for candidate, _ in candidates if candidate not in compared]
        if not fresh:
            return list(known.items()), 0
        limit = max(known.values()) if len(known) == wanted else inf
        closer = search_for(library, index, audio_id).distances_within(
            fresh, limit, partial(contour_of, library, index)
        )
        return [(one.audio_id, one.distance) for one in rank((known | closer).items())[:wanted]], len(fresh)

    for shard in shards:
        present = library.rankings.count("rankings", index.version, shard)
        if present is not None:
            yield shard, ListsReport(present, compared=0)
            continue
        candidates = required_lists(library, "candidates", index.version, shard)
        rankings: dict[str, list[tuple[str, float]]] = {}
        compared = 0
        for (audio_id, _), (found, count) in on_all_cores(ranked, candidates.by_query().items()):
            rankings[audio_id] = found
            compared += count
        pairs = RankedLists.of(dict(sorted(rankings.items())))
        library.rankings.write("rankings", index.version, shard, pairs)
        yield shard, ListsReport(len(pairs.queries), compared)


@dataclass(frozen=True)
class RecommendationReport:
    """What recommending for the soundtracks of a shard came to."""

    queries: int
    written: int


def recommend_soundtracks(
    library: Library, index: LibraryIndex, shards: Sequence[str], *, run_id: str
) -> Iterator[tuple[str, RecommendationReport]]:
    """Bring RECOMMENDATIONS of the soundtracks of each shard up to date with an index; rows that are right stay.

    A shard whose lists were written for the same tracks, tags and settings is left alone.

    Raises
    ------
    NoPublishedIndex
        Rankings are missing.
    """
    settings, credited = library.settings, library.catalogue.credits()
    selection = selection_of(library, index, credited)
    every_credit = sorted((audio_id, one.track_id, one.artist, one.album) for audio_id, one in credited.items())
    chosen_by = [settings.recommendations, settings.per_artist, _digest(every_credit)]
    size = min(settings.recommendations, len(index.tracks) - 1)
    unserved = library.recommendations.unserved_soundtracks(index.version, size)
    short = {shard_of(TrackId(track), settings.shard_digits) for track in unserved}
    for shard in shards:
        queries, name = library.catalogue.audio_of_soundtracks(shard), f"lists/{shard}"
        made_of = _digest([*chosen_by, sorted(queries.items())]).encode()
        if shard not in short and library.indexes.read_attachment(index.version, name) == made_of:
            yield shard, RecommendationReport(len(queries), written=0)
            continue
        written = library.recommendations.update_recommendations(
            recommended_lists(library, index, selection, queries),
            method=index.parameters.ranking,
            index_version=index.version,
            run_id=run_id,
        )
        library.indexes.write_attachment(index.version, name, made_of)
        yield shard, RecommendationReport(len(queries), written)


def _digest(made_of: Sequence[object]) -> str:
    return hashlib.blake2b(json.dumps(made_of).encode(), digest_size=16).hexdigest()


def recommended_lists(
    library: Library, index: LibraryIndex, selection: Selection, queries: Mapping[str, str | None]
) -> dict[str, list[Recommendation]]:
    """The recommendations of some soundtracks, by track id, as an index ranks; `queries` name the audio of each.

    Raises
    ------
    NoPublishedIndex
        Rankings are missing.
    """
    rankings = _rankings_by_audio(library, index, [audio_id for audio_id in queries.values() if audio_id])
    size = library.settings.recommendations
    return {
        track: choose(rankings.get(audio_id or "", []), selection, size=size, without={audio_id or ""})
        for track, audio_id in queries.items()
    }


def _rankings_by_audio(
    library: Library, index: LibraryIndex, audio_ids: Sequence[str]
) -> dict[str, list[tuple[str, float]]]:
    digits = library.settings.shard_digits
    shards = {shard_of(TrackId(index.tracks[audio_id]), digits) for audio_id in audio_ids if audio_id in index.tracks}
    rankings: dict[str, list[tuple[str, float]]] = {}
    for shard in sorted(shards):
        rankings |= required_lists(library, "rankings", index.version, shard).by_query()
    return rankings


class _Former:
    """What the published index knows, where this index would compute the same.

    Attributes
    ----------
    added
        Audio of this index that the published one lacks.
    changes
        How much audio one of both lacks.
    """

    def __init__(self, library: Library, index: LibraryIndex) -> None:
        published = library.indexes.published_if_usable()
        same = published is not None and published.is_calibrated_as(index)
        self._library, self._index, self._published = library, index, published if same else None
        self.added = self._lacked()
        common = len(index.tracks) - len(self.added)
        self.changes = len(self.added) + (len(self._published.tracks) - common if self._published else 0)
        self._by_shard = lru_cache(maxsize=4)(self._read)

    def pairs(self, stage: str, audio_id: str) -> dict[str, float] | None:
        """Candidates or ranking of an audio, nearest first; None where they are not known."""
        if self._published is None or audio_id not in self._published.tracks:
            return None
        shard = shard_of(TrackId(self._published.tracks[audio_id]), self._library.settings.shard_digits)
        return self._by_shard(stage, shard).get(audio_id)

    def has(self, audio_ids: Iterable[str]) -> bool:
        """Whether none of these has gone since."""
        return all(audio_id in self._index.tracks for audio_id in audio_ids)

    def _lacked(self) -> list[str]:
        if self._published is None:
            return list(self._index.tracks)
        audio_ids = self._index.tracks.audio_ids
        rows = self._published.tracks.rows(audio_ids)
        return [audio_ids[row] for row in np.flatnonzero(rows < 0).tolist()]

    def _read(self, stage: str, shard: str) -> dict[str, dict[str, float]]:
        pairs = self._library.rankings.read(stage, self._published.version, shard) if self._published else None
        return {audio_id: dict(found) for audio_id, found in pairs.by_query().items()} if pairs else {}


def required_lists(library: Library, stage: str, version: str, part: str) -> RankedLists:
    """The candidates or rankings of a shard or an upload.

    Raises
    ------
    NoPublishedIndex
        They were not computed for this version.
    """
    pairs = library.rankings.read(stage, version, part)
    if pairs is None:
        raise NoPublishedIndex(
            f"the {stage} of {part} are missing",
            subject=f"index {version}",
            remedy=f"Materialise the {stage} of all shards, or of this upload",
        )
    return pairs
