"""The candidates and rankings of the published index that another index can take over.

A list is taken over unless a track came or went that concerns it. A track that came concerns a query if it is in its
window and its estimate does not exceed the limit of the query's candidates: see `mfcc_assets.search.candidates`. A
track that went concerns the queries that have it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.for_each import ForEach
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.recordings import Recordings, recordings_of
from mfcc_assets.pipeline.stored_rankings import intact_lists
from mfcc_assets.search.entrants import queries_that_may_keep
from mfcc_assets.search.id_arrays import IdArray
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.pruning import most_compared
from mfcc_assets.search.window import Windows
from mfcc_assets.storage.ranked_lists import ListHeads, RankedLists
from mfcc_assets.storage.ranking_store import Stage

Entrants: TypeAlias = Mapping[int, Sequence[tuple[int, float]]]
"""New tracks that may be candidates of queries, by the row of the query: their rows, and estimates of their
distances."""


@dataclass(frozen=True, eq=False)
class KnownList:
    """The candidates of a query that stay, followed by new tracks that may be candidates.

    Attributes
    ----------
    rows, estimates : (tracks,)
        Rows of the tracks in the new index, and the estimates of their distances.
    entrants
        Number of new tracks.
    """

    rows: NDArray[np.int64]
    estimates: NDArray[np.float64]
    entrants: int


class FormerLists:
    """The lists of a former index, as far as another index can take them over.

    Parameters
    ----------
    library
        The library.
    index, recordings
        The new index and its recordings.
    former
        Index with the same calibration.

    Attributes
    ----------
    version
        Version of the former index.
    added : (n,) int64
        Rows of the new index that represent a recording, and represented none in the former one.
    changes
        Number of tracks that represent a recording in only one of the two.
    """

    def __init__(self, library: Library, index: LibraryIndex, recordings: Recordings, former: LibraryIndex) -> None:
        self._library, self._index, self._recordings = library, index, recordings
        self.version = former.version
        before = recordings_of(library, former)
        rows_before = former.tracks.rows(index.tracks.audio_ids)
        is_known = rows_before >= 0
        represented = np.zeros(len(index.tracks), np.bool_)
        represented[is_known] = before.represents[rows_before[is_known]]
        self.added = np.flatnonzero(recordings.represents & ~represented)
        common = recordings.count - len(self.added)
        # A candidate may also be gone because its recording has another representative.
        self._any_gone = before.count > common
        own_before = np.full(len(index.tracks), -1, np.int64)
        ids = former.tracks.audio_ids.array[before.rows[rows_before[is_known]]]
        own_before[is_known] = index.tracks.rows(IdArray[AudioId](ids))
        self._has_other_recording = own_before != recordings.rows

    @classmethod
    def of(cls, library: Library, index: LibraryIndex, recordings: Recordings) -> Self | None:
        """Return the lists of the published index; None if its calibration is another one."""
        published = library.indexes.published_if_usable()
        if published is None or published.version == index.version or not published.is_calibrated_as(index):
            return None
        return cls(library, index, recordings, published)

    def heads(self, shard: str) -> ListHeads | None:
        """Return the heads of the candidates of a shard; None if they are missing or damaged."""
        try:
            return self._library.rankings.read_heads("candidates", self.version, shard)
        except CorruptIndex:
            return None

    def lists(self, stage: Stage, shard: str) -> RankedLists | None:
        """Return the lists of a shard; None if they are missing or damaged."""
        return intact_lists(self._library, stage, self.version, shard)[0]

    def gone(self, heads: ListHeads, queries: NDArray[np.int64]) -> list[AudioId]:
        """Return the queries of a shard that have a list, and are not among the rows of the shard's queries."""
        rows = self._index.tracks.rows(heads.queries)
        is_here = np.isin(rows, queries)
        return list(IdArray[AudioId](heads.queries.array[~is_here]))

    def changes_of_candidates(self, shard: str) -> RankedLists | None:
        """Return the candidates of the new index that may differ from the former ones; None if that is not known."""
        try:
            return self._library.rankings.read_changes("candidates", self._index.version, shard, since=self.version)
        except CorruptIndex:
            return None

    def entrants(self, every: Iterable[ListHeads], windows: Windows, each: ForEach) -> Entrants:
        """Return the rows of new tracks that may be candidates, with their estimates, by the row of each query.

        Parameters
        ----------
        every
            Heads of the former candidates of all shards.
        windows
            Windows of the new index.
        each
            Function that applies another function to many items.
        """
        limits = np.full(len(self._index.tracks), -np.inf)
        for heads in every:
            rows = self._index.tracks.rows(heads.queries)
            limits[rows[rows >= 0]] = heads.limits[rows >= 0]
        in_windows, own = windows.among(np.flatnonzero(limits > -np.inf)), self._recordings.rows

        def concerned(added: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
            near = in_windows.queries_of(added)
            near = near[own[near] != added]
            return queries_that_may_keep(self._index, added, near, limits[near])

        found: dict[int, list[tuple[int, float]]] = {}
        for added, (queries, estimates) in sorted(each(concerned, self.added.tolist()), key=lambda one: one[0]):
            for row, estimate in zip(queries.tolist(), estimates.tolist(), strict=True):
                found.setdefault(row, []).append((added, estimate))
        return found

    def concerned(
        self, shard: str, heads: ListHeads, queries: NDArray[np.int64], entrants: Entrants
    ) -> Iterator[tuple[int, KnownList | None]]:
        """Yield the rows of the queries of a shard whose candidates may differ, with what is known of them.

        Parameters
        ----------
        shard
            Name of the shard.
        heads
            Heads of its former candidates.
        queries
            Rows of its queries in the new index, ascending.
        entrants
            New tracks that may be candidates, by query.

        Yields
        ------
        row, known
            None if the candidates must be found anew.
        """
        ids = IdArray[AudioId](self._index.tracks.audio_ids.array[queries])
        numbers = heads.numbers(ids)
        is_new = (numbers < 0) | self._has_other_recording[queries]
        for row in queries[is_new].tolist():
            yield row, None
        kept, numbers = queries[~is_new], numbers[~is_new]
        if not self._any_gone and entrants.keys().isdisjoint(kept.tolist()):
            return
        lists = self.lists("candidates", shard)
        if lists is None:
            for row in kept.tolist():
                yield row, None
            return
        rows, is_there = self._rows_of(lists)
        for row, number in zip(kept.tolist(), numbers.tolist(), strict=True):
            of_query = lists.rows_of(number)
            stays = is_there[of_query]
            new = entrants.get(row, ())
            if not new and stays.all():
                continue
            yield row, self._known(lists, number, rows[of_query], stays, new)

    def _known(
        self,
        lists: RankedLists,
        number: int,
        rows: NDArray[np.int64],
        stays: NDArray[np.bool_],
        entrants: Sequence[tuple[int, float]],
    ) -> KnownList | None:
        wanted = self._index.parameters.ranked_count
        is_full = len(rows) >= most_compared(wanted)
        if not stays.all() and (is_full or not stays[:wanted].all()):
            # Tracks that were dropped may be candidates now.
            return None
        estimates = lists.distances[lists.rows_of(number)][stays]
        new_rows, new_estimates = np.array([row for row, _ in entrants], np.int64), [far for _, far in entrants]
        return KnownList(np.append(rows[stays], new_rows), np.append(estimates, new_estimates), len(entrants))

    def _rows_of(self, lists: RankedLists) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the row of each candidate in the new index, and whether it still represents another recording."""
        rows = self._index.tracks.rows(lists.candidates)
        is_there = rows >= 0
        is_there[is_there] = self._recordings.represents[rows[is_there]]
        return rows, is_there
