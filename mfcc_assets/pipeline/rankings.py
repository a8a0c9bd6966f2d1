"""Candidates and rankings of every soundtrack of an index.

Candidates and rankings of an index version never change. The shard of an audio id is the shard of the track that
represented it when the index was built.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import CorruptIndex
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import certify, search_for
from mfcc_assets.pipeline.former_lists import Entrants, FormerLists, KnownList
from mfcc_assets.pipeline.recordings import Recordings, recordings_of
from mfcc_assets.pipeline.stored_rankings import intact_lists, required_lists
from mfcc_assets.search.candidates import Candidates, candidates_in_windows
from mfcc_assets.search.cascade import compares_all
from mfcc_assets.search.entrants import EstimatedLists, candidates_among
from mfcc_assets.search.id_arrays import IdArray
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.merged_rankings import KnownRanking, merged_rankings
from mfcc_assets.search.window import Windows
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets.storage.ranked_lists import ListHeads, RankedLists, newest, newest_heads
from mfcc_assets.storage.ranking_store import STAGES, Stage

_logger = logging.getLogger(__name__)

_QUERIES_AT_ONCE = 64
"""Number of queries whose windows one task finds at once."""


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
    where no track that came or went concerns them. Only one track of each recording is a candidate, so that copies take
    no places from other recordings.
    """
    recordings = recordings_of(library, index)
    finder, former = (
        cache(lambda: _Finder(index, recordings)),
        cache(lambda: FormerLists.of(library, index, recordings)),
    )
    heads_of = cache(lambda: _heads(former(), shards))
    queries_of = cache(lambda: _rows_by_shard(library, index))

    @cache
    def entrants() -> Entrants:
        known = former()
        return known.entrants(heads_of().values(), finder().windows, on_all_cores) if known else {}

    for shard in shards:
        stored, is_damaged = intact_lists(library, "candidates", index.version, shard)
        if stored is not None:
            yield shard, ListsReport(len(stored.candidates), compared=0)
            continue
        known, queries = former(), queries_of().get(shard, np.empty(0, np.int64))
        heads, compared, kept = heads_of().get(shard), None, RankedLists.of({}).heads()
        if known is not None and heads is not None:
            found = finder().all_updated(dict(known.concerned(shard, heads, queries, entrants())))
            lists = _candidate_lists(index, found, gone=known.gone(heads, queries))
            if _is_written(library, index.version, shard, lists, known.version):
                compared, kept = sum(count for _, count in found.values()), newest_heads([heads, lists.heads()])
        if compared is None:
            found = finder().all_anew(queries)
            lists = _candidate_lists(index, found)
            library.rankings.write("candidates", index.version, shard, lists)
            compared, kept = sum(count for _, count in found.values()), lists.heads()
        yield shard, _report(library, "candidates", index, shard, kept, compared, is_repair=is_damaged)


def rank_candidates(library: Library, index: LibraryIndex, shards: Sequence[str]) -> Iterator[tuple[str, ListsReport]]:
    """Rank and store the candidates of every audio id of each shard, and yield a report for each shard.

    A shard whose rankings are already stored and intact is skipped. The ranking of a query has the nearest of all its
    candidates. Rankings of the published index are taken over, and compared only with candidates that it did not have.

    Raises
    ------
    NoPublishedIndex
        If the candidates of a shard are missing.
    """
    recordings = recordings_of(library, index)
    former = cache(lambda: FormerLists.of(library, index, recordings))
    for shard in shards:
        stored, is_damaged = intact_lists(library, "rankings", index.version, shard)
        if stored is not None:
            yield shard, ListsReport(len(stored.candidates), compared=0)
            continue
        known = former()
        changes = known.changes_of_candidates(shard) if known else None
        rankings = known.lists("rankings", shard) if known else None
        changes = None if rankings is None else changes
        compared_before = known.lists("candidates", shard) if known and (changes is None or len(changes)) else None
        candidates = required_lists(library, "candidates", index.version, shard) if changes is None else changes
        ranker = _Ranker(library, index, rankings, compared_before)
        queries = [
            (query, candidates.candidates[candidates.rows_of(number)])
            for number, query in enumerate(candidates.queries)
            if candidates.lengths[number]
        ]
        found = ranker.ranked(queries)
        lists = RankedLists.of({query: ranked for query, (ranked, _) in found.items()})
        kept = lists.heads()
        if known is None or changes is None or rankings is None:
            library.rankings.write("rankings", index.version, shard, lists)
        else:
            changed = newest([changes.selected(np.flatnonzero(changes.lengths == 0)), lists])
            library.rankings.write_changes("rankings", index.version, shard, changed, former=known.version)
            kept = newest_heads([rankings.heads(), changed.heads()])
        compared = sum(count for _, count in found.values())
        yield shard, _report(library, "rankings", index, shard, kept, compared, is_repair=is_damaged)


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


class _Finder:
    """Finds the candidates of queries, given by their rows. The second result is the number of compared tracks."""

    def __init__(self, index: LibraryIndex, recordings: Recordings) -> None:
        self._index, self._recordings, self._wanted = index, recordings, index.parameters.ranked_count
        self.windows = Windows.of(index, on_all_cores)
        self._in_windows = self.windows.among(np.flatnonzero(recordings.represents))

    def all_anew(self, rows: NDArray[np.int64]) -> dict[int, tuple[Candidates, int]]:
        """Find the candidates of many queries on all cores."""
        blocks = [rows[first : first + _QUERIES_AT_ONCE] for first in range(0, len(rows), _QUERIES_AT_ONCE)]

        def found(block: int) -> list[tuple[Candidates, int]]:
            rows = blocks[block]
            windows = [
                tracks[tracks != self._recordings.rows[row]]
                for row, tracks in zip(rows.tolist(), self._in_windows.tracks_of_each(rows), strict=True)
            ]
            found = candidates_in_windows(self._index, rows, windows, self._wanted)
            return [(candidates, len(tracks)) for candidates, tracks in zip(found, windows, strict=True)]

        every = dict(on_all_cores(found, range(len(blocks))))
        return {
            row: each
            for number, block in enumerate(blocks)
            for row, each in zip(block.tolist(), every[number], strict=True)
        }

    def all_updated(self, known: Mapping[int, KnownList | None]) -> dict[int, tuple[Candidates, int]]:
        """Find the candidates of queries with what is known of them. If nothing is known, they are found anew."""
        anew = np.array([row for row, each in known.items() if each is None], np.int64)
        found = self.all_anew(anew)
        lists = {row: each for row, each in known.items() if each is not None}
        estimated = EstimatedLists(
            np.array(list(lists), np.int64),
            np.cumsum([0, *(len(each.rows) for each in lists.values())], dtype=np.int64),
            np.concatenate([np.empty(0, np.int64), *(each.rows for each in lists.values())]),
            np.concatenate([np.empty(0), *(each.estimates for each in lists.values())]),
        )
        among = candidates_among(self._index, estimated, self._wanted)
        return found | {
            row: (candidates, each.entrants) for (row, each), candidates in zip(lists.items(), among, strict=True)
        }


class _Ranker:
    """Ranks the candidates of queries.

    Parameters
    ----------
    library, index
        The library and the index.
    rankings, candidates
        Former lists of the shard, if both can be taken over.
    """

    def __init__(
        self, library: Library, index: LibraryIndex, rankings: RankedLists | None, candidates: RankedLists | None
    ) -> None:
        self._library, self._index, self._wanted = library, index, index.parameters.ranked_count
        self._former = (rankings, candidates) if rankings is not None and candidates is not None else None

    def ranked(self, queries: Sequence[tuple[AudioId, IdArray[AudioId]]]) -> dict[AudioId, tuple[RankedList, int]]:
        """Return the ranking of each query with its candidates, and the number of compared tracks."""
        names, known, further = list[AudioId](), list[KnownRanking](), list[NDArray[np.int64]]()
        anew = list[tuple[AudioId, list[AudioId]]]()
        for query, candidates in queries:
            ranking, compared = self._known(query)
            if ranking is None or not ranking.keys() <= set(candidates):
                anew.append((query, list(candidates)))
                continue
            rows = self._index.rows_of([query, *ranking])
            names.append(query)
            known.append(KnownRanking(int(rows[0]), rows[1:], np.array(list(ranking.values()))))
            further.append(self._index.rows_of([each for each in candidates if each not in compared]))
        merged, ids = merged_rankings(self._index, known, further, self._wanted), self._index.tracks.audio_ids.array
        found = {
            query: (list(zip(IdArray[AudioId](ids[each.rows]), each.distances.tolist(), strict=True)), len(rows))
            for query, each, rows in zip(names, merged, further, strict=True)
        }
        ranked_anew = on_all_cores(lambda one: self._anew(*one), anew)
        return found | {query: (ranking, len(candidates)) for (query, candidates), ranking in ranked_anew}

    def _anew(self, audio_id: AudioId, candidates: list[AudioId]) -> RankedList:
        search = search_for(self._library, self._index, audio_id)
        found = search.nearest(candidates, self._wanted)
        if compares_all(len(candidates), self._wanted):
            return found
        # The search may lose a candidate that belongs to the nearest. A ranking that depends on which candidates came
        # together would not be that of a library which was built at once, so the rest is excluded by proof.
        return certify(search, found, count=self._wanted, others=candidates)

    def _known(self, audio_id: AudioId) -> tuple[dict[AudioId, float] | None, set[AudioId]]:
        """Return the former ranking of a query, and its former candidates."""
        if self._former is None:
            return None, set()
        numbers = [int(lists.numbers(IdArray.of([audio_id]))[0]) for lists in self._former]
        if min(numbers) < 0:
            return None, set()
        (rankings, candidates), (ranking, compared) = self._former, numbers
        return dict(rankings.list_of(ranking)), set(candidates.candidates[candidates.rows_of(compared)])


def _candidate_lists(
    index: LibraryIndex, found: Mapping[int, tuple[Candidates, int]], gone: Iterable[AudioId] = ()
) -> RankedLists:
    """Return the lists of candidates by the rows of their queries, and empty lists of queries that are gone."""
    ids, rows = index.tracks.audio_ids.array, sorted(found)
    every = [found[row][0] for row in rows]
    lists = RankedLists(
        IdArray(ids[rows]),
        np.cumsum([0, *(len(candidates.rows) for candidates in every)], dtype=np.int64),
        IdArray(ids[np.concatenate([np.empty(0, np.int64), *(candidates.rows for candidates in every)])]),
        np.concatenate([np.empty(0), *(candidates.estimates for candidates in every)]),
        np.array([candidates.limit for candidates in every], np.float64),
    )
    return newest([RankedLists.of({audio_id: [] for audio_id in gone}), lists])


def _is_written(library: Library, version: str, shard: str, changes: RankedLists, former: str) -> bool:
    """Write the changed candidates of a shard; return False if the former ones turn out to be damaged."""
    try:
        library.rankings.write_changes("candidates", version, shard, changes, former=former)
    except CorruptIndex as error:
        _logger.warning("%s", error)
        return False
    return True


def _heads(former: FormerLists | None, shards: Iterable[str]) -> dict[str, ListHeads]:
    """Return the heads of the former candidates of each shard that has intact ones."""
    every = ((shard, former.heads(shard)) for shard in shards) if former else ()
    return {shard: heads for shard, heads in every if heads is not None}


def _rows_by_shard(library: Library, index: LibraryIndex) -> dict[str, NDArray[np.int64]]:
    """Return the rows of the tracks in each shard, ascending."""
    shards = index.tracks.track_ids.array.astype(f"S{library.settings.shard_digits}")
    names, numbers = np.unique(shards, return_inverse=True)
    return {name.decode(): np.flatnonzero(numbers == number) for number, name in enumerate(names.tolist())}


def _report(
    library: Library, stage: Stage, index: LibraryIndex, shard: str, kept: ListHeads, compared: int, *, is_repair: bool
) -> ListsReport:
    """Return the report on a shard that was stored, and record its repair."""
    if is_repair:
        library.repairs.record(f"Shard {shard} of the {stage} of index {index.version} was damaged and computed again.")
    return ListsReport(int(kept.lengths.sum()), compared, repaired=int(is_repair))
