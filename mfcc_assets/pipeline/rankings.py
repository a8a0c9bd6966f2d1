"""Candidates and rankings of every soundtrack of an index.

Candidates and rankings of an index version never change. The shard of an audio id is the shard of the track that
represented it when the index was built.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.for_each import in_turn
from mfcc_assets.ids import AudioId, shard_of
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import certify, search_for
from mfcc_assets.pipeline.recordings import Recordings, recordings_of
from mfcc_assets.pipeline.stored_rankings import intact_lists, required_lists
from mfcc_assets.search.cascade import candidates_to_fetch
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets.storage.ranking_store import STAGES, RankedLists, Stage

_logger = logging.getLogger(__name__)

_FEW_CHANGES = 20
"""Number of tracks that came or went up to which queries run on one core. Each query then computes so little that
threads would mostly wait for each other."""


@dataclass(frozen=True)
class ListsReport:
    """Numbers of pairs that one stage handled for one shard.

    Attributes
    ----------
    kept
        Number of pairs of query and candidate that are stored.
    compared
        Number of pairs that were compared to find them.
    repaired
        Number of damaged files that were computed again.
    """

    kept: int
    compared: int
    repaired: int = 0


def find_candidates(library: Library, index: LibraryIndex, shards: Sequence[str]) -> Iterator[tuple[str, ListsReport]]:
    """Find and store the candidates of every audio id of each shard, and yield a report for each shard.

    A shard whose candidates are already stored and intact is skipped. Candidates of the published index are taken over
    where only new audio can change them. Only one track of each recording is a candidate, so that copies take no places
    from other recordings.
    """
    by_shard: dict[str, list[AudioId]] = {}
    for audio_id, track in index.tracks.items():
        by_shard.setdefault(shard_of(track, library.settings.shard_digits), []).append(audio_id)
    recordings = recordings_of(library, index)
    published, wanted = _PublishedLists(library, index, recordings), index.parameters.ranked_count
    each = in_turn if published.changes <= _FEW_CHANGES else on_all_cores

    def candidates_of(audio_id: AudioId) -> tuple[RankedList, int]:
        known, search = published.list_of("candidates", audio_id), search_for(library, index, audio_id)
        (own,) = recordings.of([audio_id])
        if (
            known is not None
            and published.has_all(list(known)[:wanted], query=own)
            and len(published.added) <= candidates_to_fetch(recordings.count, wanted)
        ):
            remaining = {
                candidate: known[candidate] for candidate in recordings.representing(known) if candidate != own
            }
            added = [other for other in published.added if other != own]
            return search.prune_by_coarse_contour(added, wanted, remaining), len(added)
        nearest = search.nearest_by_embedding(wanted + 1, recordings.represents)
        found = [candidate for candidate in nearest if candidate != own]
        return search.prune_by_coarse_contour(found, wanted), len(found)

    for shard in shards:
        stored, is_damaged = intact_lists(library, "candidates", index.version, shard)
        if stored is not None:
            yield shard, ListsReport(len(stored.queries), compared=0)
            continue
        found = dict(each(candidates_of, by_shard.get(shard, [])))
        yield shard, _stored(library, "candidates", index.version, shard, found, is_repair=is_damaged)


def rank_candidates(library: Library, index: LibraryIndex, shards: Sequence[str]) -> Iterator[tuple[str, ListsReport]]:
    """Rank and store the candidates of every audio id of each shard, and yield a report for each shard.

    A shard whose rankings are already stored and intact is skipped. Rankings of the published index are taken over, and
    compared only with candidates that it did not have.

    Raises
    ------
    NoPublishedIndex
        If the candidates of a shard are missing.
    """
    recordings = recordings_of(library, index)
    published, wanted = _PublishedLists(library, index, recordings), index.parameters.ranked_count

    def ranked(query: tuple[AudioId, RankedList]) -> tuple[RankedList, int]:
        audio_id, candidates = query
        known, compared = published.list_of("rankings", audio_id), published.list_of("candidates", audio_id)
        (own,) = recordings.of([audio_id])
        if known is None or compared is None or not published.has_all(known, query=own):
            others = [candidate for candidate, _ in candidates]
            return search_for(library, index, audio_id).nearest(others, wanted), len(others)
        fresh = [candidate for candidate, _ in candidates if candidate not in compared]
        if not fresh:
            return list(known.items()), 0
        search = search_for(library, index, audio_id)
        return certify(search, known.items(), count=wanted, others=fresh), len(fresh)

    for shard in shards:
        stored, is_damaged = intact_lists(library, "rankings", index.version, shard)
        if stored is not None:
            yield shard, ListsReport(len(stored.queries), compared=0)
            continue
        candidates = required_lists(library, "candidates", index.version, shard)
        found = {audio_id: each for (audio_id, _), each in on_all_cores(ranked, candidates.by_query().items())}
        yield shard, _stored(library, "rankings", index.version, shard, found, is_repair=is_damaged)


def repair_rankings(library: Library, index: LibraryIndex) -> None:
    """Compute the damaged candidates and rankings of an index again. Missing ones stay missing.

    Raises
    ------
    FeaturesMissing
        If a track cannot be compared.
    """
    damaged = [
        shard
        for shard in library.shards
        if any(intact_lists(library, stage, index.version, shard)[1] for stage in STAGES)
    ]
    for compute in (find_candidates, rank_candidates):
        for _ in compute(library, index, damaged):
            pass


def _stored(
    library: Library,
    stage: Stage,
    version: str,
    shard: str,
    found: Mapping[AudioId, tuple[RankedList, int]],
    *,
    is_repair: bool,
) -> ListsReport:
    """Store the lists of a shard, given each list with the number of pairs that were compared for it."""
    lists = RankedLists.of({audio_id: found[audio_id][0] for audio_id in sorted(found)})
    library.rankings.write(stage, version, shard, lists)
    if is_repair:
        library.repairs.record(f"Shard {shard} of the {stage} of index {version} was damaged and computed again.")
    compared = sum(count for _, count in found.values())
    return ListsReport(len(lists.queries), compared, repaired=int(is_repair))


class _PublishedLists:
    """The candidates and rankings of the published index that another index can take over.

    There are none if the two indexes are calibrated differently.

    Attributes
    ----------
    added
        Audio ids that represent a recording in the index, and represent none in the published one.
    changes
        Number of audio ids that represent a recording in only one of the two.
    """

    def __init__(self, library: Library, index: LibraryIndex, recordings: Recordings) -> None:
        published = library.indexes.published_if_usable()
        is_same = published is not None and published.is_calibrated_as(index)
        self._library, self._published, self._recordings = library, published if is_same else None, recordings
        former = recordings_of(library, self._published) if self._published else None
        self.added = self._added(former)
        common = recordings.count - len(self.added)
        self.changes = len(self.added) + (former.count - common if former else 0)
        self._by_shard = lru_cache(maxsize=4)(self._read)

    def list_of(self, stage: Stage, audio_id: AudioId) -> dict[AudioId, float] | None:
        """Return the candidates or the ranking of an audio id, nearest first, or None if they are not known."""
        if self._published is None or audio_id not in self._published.tracks:
            return None
        shard = shard_of(self._published.tracks[audio_id], self._library.settings.shard_digits)
        return self._by_shard(stage, shard).get(audio_id)

    def has_all(self, audio_ids: Collection[AudioId], *, query: AudioId) -> bool:
        """Return True if all of these audio ids still represent recordings, and the query is none of them."""
        return query not in audio_ids and len(self._recordings.representing(audio_ids)) == len(audio_ids)

    def _added(self, former: Recordings | None) -> list[AudioId]:
        audio_ids, is_added = self._recordings.tracks.audio_ids, self._recordings.represents.copy()
        if former is not None:
            rows = former.tracks.rows(audio_ids)
            is_added[rows >= 0] &= ~former.represents[rows[rows >= 0]]
        return [audio_ids[row] for row in np.flatnonzero(is_added).tolist()]

    def _read(self, stage: Stage, shard: str) -> dict[AudioId, dict[AudioId, float]]:
        lists = intact_lists(self._library, stage, self._published.version, shard)[0] if self._published else None
        return {audio_id: dict(found) for audio_id, found in lists.by_query().items()} if lists else {}
