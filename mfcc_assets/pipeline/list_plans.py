"""What is missing of the candidates and rankings of an index: the plans of shards, which an engine carries out.

A plan takes over what the published index knows; see `mfcc_assets.pipeline.former_lists`. Everything that a plan needs
of the database is read here, because the work itself has no database.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mfcc_assets.compute.context import Context
from mfcc_assets.compute.list_columns import list_column
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.former_lists import Entrants, FormerLists, KnownList
from mfcc_assets.pipeline.list_work import QUERIES, TO_RANK, finder_of
from mfcc_assets.pipeline.recordings import recordings_of
from mfcc_assets.pipeline.stored_rankings import required_lists
from mfcc_assets.search.cascade import candidates_to_fetch
from mfcc_assets.search.id_arrays import IdArray
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets.storage.ranked_lists import ListHeads, RankedLists


@dataclass(frozen=True)
class PlannedCandidates:
    """The queries of a shard whose candidates are to be found.

    Attributes
    ----------
    shard
        Name of the shard.
    items
        The queries, as `mfcc_assets.pipeline.list_work.QUERIES`.
    former
        Heads of the former candidates, if those of all other queries are taken over.
    gone
        Queries that have no candidates any more.
    """

    shard: str
    items: pa.Table
    former: ListHeads | None = None
    gone: Sequence[AudioId] = ()


class CandidatesPlanner:
    """Plans the candidates of shards.

    Parameters
    ----------
    library, index
        The library and the index.
    context
        What the windows of the index are kept in.
    shards
        All shards that will be planned.
    """

    def __init__(self, library: Library, index: LibraryIndex, context: Context, shards: Sequence[str]) -> None:
        self._library, self._index, self._context, self._shards = library, index, context, shards

    @cached_property
    def former(self) -> FormerLists | None:
        """The lists that can be taken over."""
        return FormerLists.of(self._library, self._index, recordings_of(self._library, self._index))

    def plan(self, shard: str) -> PlannedCandidates:
        """Plan the queries of a shard whose candidates may differ from the former ones."""
        known, heads, queries = self.former, self._heads.get(shard), self._queries_of(shard)
        if known is None or heads is None:
            return self.anew(shard)
        concerned = dict(known.concerned(shard, heads, queries, self._entrants))
        return PlannedCandidates(shard, self._items(shard, concerned), heads, known.gone(heads, queries))

    def anew(self, shard: str) -> PlannedCandidates:
        """Plan all queries of a shard."""
        return PlannedCandidates(shard, self._items(shard, dict.fromkeys(self._queries_of(shard).tolist())))

    def _items(self, shard: str, concerned: Mapping[int, KnownList | None]) -> pa.Table:
        """Return the queries with what is known of them, by their rows."""
        rows, known = list(concerned), list(concerned.values())
        in_window = candidates_to_fetch(len(self._index.tracks), self._index.parameters.ranked_count)
        columns = {
            "key": list(IdArray[AudioId](self._index.tracks.audio_ids.array[np.array(rows, np.int64)])),
            "shard": [shard] * len(rows),
            "cost": [float(in_window if each is None else each.entrants) for each in known],
            "row": rows,
            "known_rows": list_column([None if each is None else each.rows for each in known], pa.int64()),
            "known_estimates": list_column([None if each is None else each.estimates for each in known], pa.float64()),
            "entrants": [None if each is None else each.entrants for each in known],
        }
        return pa.table(columns, schema=QUERIES)

    def _queries_of(self, shard: str) -> NDArray[np.int64]:
        return self._rows_by_shard.get(shard, np.empty(0, np.int64))

    @cached_property
    def _rows_by_shard(self) -> dict[str, NDArray[np.int64]]:
        """The rows of the tracks in each shard, ascending."""
        shards = self._index.tracks.track_ids.array.astype(f"S{self._library.settings.shard_digits}")
        names, numbers = np.unique(shards, return_inverse=True)
        return {name.decode(): np.flatnonzero(numbers == number) for number, name in enumerate(names.tolist())}

    @cached_property
    def _heads(self) -> dict[str, ListHeads]:
        """The heads of the former candidates of each shard that has intact ones."""
        former = self.former
        every = ((shard, former.heads(shard)) for shard in self._shards) if former else ()
        return {shard: heads for shard, heads in every if heads is not None}

    @cached_property
    def _entrants(self) -> Entrants:
        windows = finder_of(self._context, self._index.version).windows
        return self.former.entrants(self._heads.values(), windows, on_all_cores) if self.former else {}


@dataclass(frozen=True)
class PlannedRankings:
    """The queries of a shard that are to be ranked.

    Attributes
    ----------
    shard
        Name of the shard.
    items
        The queries, as `mfcc_assets.pipeline.list_work.TO_RANK`.
    compared
        Number of candidates with which they are compared.
    unchanged
        Rankings of queries that keep theirs, although their candidates may differ.
    former, gone
        Former rankings, if those of all other queries are taken over, and the queries that have none any more.
    """

    shard: str
    items: pa.Table
    compared: int
    unchanged: Mapping[AudioId, RankedList]
    former: RankedLists | None
    gone: RankedLists | None


class RankingsPlanner:
    """Plans the rankings of shards of an index."""

    def __init__(self, library: Library, index: LibraryIndex) -> None:
        self._library, self._index = library, index

    @cached_property
    def former(self) -> FormerLists | None:
        """The lists that can be taken over."""
        return FormerLists.of(self._library, self._index, recordings_of(self._library, self._index))

    def plan(self, shard: str) -> PlannedRankings:
        """Plan the queries of a shard whose rankings may differ from the former ones.

        Raises
        ------
        NoPublishedIndex
            If the candidates of the shard are missing.
        """
        known = self.former
        rankings = known.lists("rankings", shard) if known else None
        changes = known.changes_of_candidates(shard) if known and rankings is not None else None
        before = known.lists("candidates", shard) if known and (changes is None or len(changes)) else None
        candidates = (
            required_lists(self._library, "candidates", self._index.version, shard) if changes is None else changes
        )
        items, unchanged = self._items(shard, candidates, _KnownRankings(rankings, before))
        compared = len(items["candidates"].combine_chunks().flatten())
        if changes is None:
            return PlannedRankings(shard, items, compared, unchanged, None, None)
        gone = changes.selected(np.flatnonzero(changes.lengths == 0))
        return PlannedRankings(shard, items, compared, unchanged, rankings, gone)

    def _items(
        self, shard: str, lists: RankedLists, known: "_KnownRankings"
    ) -> tuple[pa.Table, dict[AudioId, RankedList]]:
        """Return the queries to rank, and the rankings of those whose candidates were all compared before."""
        unchanged = dict[AudioId, RankedList]()
        queries, compared, rankings = list[AudioId](), list[NDArray[np.int64]](), list[RankedList | None]()
        for number, query in enumerate(lists.queries):
            candidates = lists.candidates[lists.rows_of(number)]
            if not len(candidates):
                continue
            ranking, fresh = known.of(query, candidates)
            if ranking is not None and not fresh:
                unchanged[query] = ranking
                continue
            queries.append(query)
            compared.append(self._index.rows_of(fresh))
            rankings.append(ranking)
        columns = {
            "key": queries,
            "shard": [shard] * len(queries),
            "cost": self._costs(queries, compared),
            "row": self._index.rows_of(queries),
            "candidates": list_column(compared, pa.int64()),
            **known_columns(self._index, rankings),
        }
        return pa.table(columns, schema=TO_RANK), unchanged

    def _costs(self, queries: Sequence[AudioId], compared: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
        """Return the number of pairs of frames of each query and the tracks that it is compared with."""
        frames = self._index.coarse_contours.lengths
        ends = np.cumsum([0, *map(len, compared)], dtype=np.int64)
        of_compared = np.append(0, np.cumsum(frames(np.concatenate([np.empty(0, np.int64), *compared]))))
        return (frames(self._index.rows_of(queries)) * np.diff(of_compared[ends])).astype(np.float64)


def known_columns(index: LibraryIndex, rankings: Iterable[RankedList | None]) -> dict[str, pa.ListArray]:
    """Return the columns of `mfcc_assets.pipeline.list_work.TO_RANK` with known rankings."""
    every = list(rankings)
    rows = [None if known is None else index.rows_of([audio_id for audio_id, _ in known]) for known in every]
    distances = [None if known is None else np.array([distance for _, distance in known]) for known in every]
    return {
        "known_rows": list_column(rows, pa.int64()),
        "known_distances": list_column(distances, pa.float64()),
    }


class _KnownRankings:
    """Former rankings and candidates of a shard, if both can be taken over."""

    def __init__(self, rankings: RankedLists | None, candidates: RankedLists | None) -> None:
        self._former = (rankings, candidates) if rankings is not None and candidates is not None else None

    def of(self, query: AudioId, candidates: IdArray[AudioId]) -> tuple[RankedList | None, Sequence[AudioId]]:
        """Return the former ranking of a query, and the candidates that it was not compared with.

        The ranking is None if it has a track that is no candidate any more. Then the query is compared with all.
        """
        if self._former is None:
            return None, candidates
        numbers = [int(lists.numbers(IdArray.of([query]))[0]) for lists in self._former]
        if min(numbers) < 0:
            return None, candidates
        (rankings, before), (ranking, compared) = self._former, numbers
        known, present = rankings.list_of(ranking), set(candidates)
        if not all(audio_id in present for audio_id, _ in known):
            return None, candidates
        compared_before = set(before.candidates[before.rows_of(compared)])
        return known, [candidate for candidate in candidates if candidate not in compared_before]
