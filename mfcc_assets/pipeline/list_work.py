"""The work on lists that an engine does, on threads or on executors: see `mfcc_assets.compute.port`.

A key is the audio id of a query of the index whose version is given. Other tracks are named by their rows in the index.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mfcc_assets.compute.context import Context
from mfcc_assets.compute.list_columns import arrays_of, list_column
from mfcc_assets.compute.port import ITEM
from mfcc_assets.evaluation.metrics import EVALUATED_COUNT
from mfcc_assets.for_each import ForEach
from mfcc_assets.ids import AudioId
from mfcc_assets.pipeline.answer import certify
from mfcc_assets.pipeline.recordings import Recordings, found_recordings
from mfcc_assets.search.candidates import Candidates, candidates_in_windows
from mfcc_assets.search.cascade import compares_all
from mfcc_assets.search.entrants import EstimatedLists, candidates_among
from mfcc_assets.search.id_arrays import IdArray
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.merged_rankings import KnownRanking, merged_rankings
from mfcc_assets.search.query import search_for_row
from mfcc_assets.search.window import Windows
from mfcc_assets.similarity.rankings import RankedList

_ROWS, _NUMBERS = pa.list_(pa.int64()), pa.list_(pa.float64())

QUERIES = pa.schema(
    [*ITEM, ("row", pa.int64()), ("known_rows", _ROWS), ("known_estimates", _NUMBERS), ("entrants", pa.int64())]
)
"""Items of `candidates_of_tracks`: the row of a query.

If some candidates are known, they are given with their estimates, followed by the entrants, whose number is given. Only
these are compared then. Otherwise these columns are null.
"""

CANDIDATES = pa.schema([("rows", _ROWS), ("estimates", _NUMBERS), ("limit", pa.float64()), ("compared", pa.int64())])
"""Results of `candidates_of_tracks`: the columns of `mfcc_assets.search.candidates.Candidates`, and the number of
compared tracks."""

TO_RANK = pa.schema(
    [*ITEM, ("row", pa.int64()), ("candidates", _ROWS), ("known_rows", _ROWS), ("known_distances", _NUMBERS)]
)
"""Items of `rankings_of_tracks` and of `prove_nearest`: the row of a query, and rows of candidates with which it is
compared.

If a ranking of other candidates is known, it is given with its distances. Otherwise these are null.
"""

RANKED = pa.schema([("rows", _ROWS), ("distances", _NUMBERS)])
"""Results of `rankings_of_tracks` and of `prove_nearest`: the rows of the nearest tracks, and their distances."""

_QUERIES_AT_ONCE = 64
"""Number of queries whose windows are found at once."""


class Finder:
    """Finds the candidates of queries of an index. The second result is the number of compared tracks.

    Parameters
    ----------
    index, recordings
        The index and its recordings.
    for_each
        Function that applies another function to many items.

    Attributes
    ----------
    windows
        Windows of all tracks of the index.
    """

    def __init__(self, index: LibraryIndex, recordings: Recordings, for_each: ForEach) -> None:
        self._index, self._recordings, self._wanted = index, recordings, index.parameters.ranked_count
        self.windows = Windows.of(index, for_each)
        self._in_windows = self.windows.among(np.flatnonzero(recordings.represents))

    def anew(self, queries: NDArray[np.int64]) -> list[tuple[Candidates, int]]:
        """Find the candidates of queries, given by their rows."""
        found = list[tuple[Candidates, int]]()
        for first in range(0, len(queries), _QUERIES_AT_ONCE):
            some = queries[first : first + _QUERIES_AT_ONCE]
            windows = [
                tracks[tracks != self._recordings.rows[row]]
                for row, tracks in zip(some.tolist(), self._in_windows.tracks_of_each(some), strict=True)
            ]
            candidates = candidates_in_windows(self._index, some, windows, self._wanted)
            found += [(each, len(tracks)) for each, tracks in zip(candidates, windows, strict=True)]
        return found

    def updated(
        self,
        queries: NDArray[np.int64],
        known_rows: Sequence[NDArray[np.int64]],
        known_estimates: Sequence[NDArray[np.float64]],
    ) -> list[Candidates]:
        """Find the candidates of queries among known ones and entrants, which are given with their estimates."""
        lists = EstimatedLists(
            queries,
            np.cumsum([0, *map(len, known_rows)], dtype=np.int64),
            np.concatenate([np.empty(0, np.int64), *known_rows]),
            np.concatenate([np.empty(0), *known_estimates]),
        )
        return candidates_among(self._index, lists, self._wanted)


def finder_of(context: Context, version: str) -> Finder:
    """Return what finds the candidates in an index. It is made once in a context."""

    def make() -> Finder:
        index = context.index(version)
        return Finder(index, found_recordings(context.tables, index), context.for_each)

    return context.once("finder", version, make)


def candidates_of_tracks(context: Context, version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Find the candidates of `QUERIES`, and return `CANDIDATES`."""
    finder, rows, entrants = finder_of(context, version), items["row"].to_numpy(), items["entrants"]
    estimates = arrays_of(items["known_estimates"])
    known = {
        place: (tracks, far)
        for place, (tracks, far) in enumerate(zip(arrays_of(items["known_rows"]), estimates, strict=True))
        if tracks is not None and far is not None
    }
    anew = [place for place in range(len(rows)) if place not in known]
    found = dict(zip(anew, finder.anew(rows[anew]), strict=True)) if anew else {}
    if known:
        among = finder.updated(rows[list(known)], *zip(*known.values(), strict=True))
        found |= {place: (each, entrants[place].as_py()) for place, each in zip(known, among, strict=True)}
    in_order = [found[place] for place in range(len(rows))]
    columns = [
        list_column([candidates.rows for candidates, _ in in_order], pa.int64()),
        list_column([candidates.estimates for candidates, _ in in_order], pa.float64()),
        pa.array([candidates.limit for candidates, _ in in_order], pa.float64()),
        pa.array([compared for _, compared in in_order], pa.int64()),
    ]
    return pa.record_batch(columns, schema=CANDIDATES)


def rankings_of_tracks(context: Context, version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Rank the candidates of `TO_RANK`, and return `RANKED`."""
    index = context.index(version)
    wanted = index.parameters.ranked_count
    names = ("candidates", "known_rows", "known_distances")
    queries = list(zip(items["row"].to_pylist(), *(arrays_of(items[name]) for name in names), strict=True))
    known, further = list[KnownRanking](), list[NDArray[np.int64]]()
    for row, candidates, near, far in queries:
        if candidates is not None and near is not None and far is not None:
            known.append(KnownRanking(row, near, far))
            further.append(candidates)
    merged = iter(merged_rankings(index, known, further, wanted))
    rankings = [
        next(merged) if near is not None else _ranked_anew(context, index, row, candidates)
        for row, candidates, near, _ in queries
    ]
    return _ranked(items, [each.rows for each in rankings], [each.distances for each in rankings])


def _ranked_anew(context: Context, index: LibraryIndex, row: int, candidates: NDArray[np.int64] | None) -> KnownRanking:
    """Rank the candidates of a query, of which nothing is known."""
    search, wanted = search_for_row(index, row, context.for_each), index.parameters.ranked_count
    named = [] if candidates is None else list(IdArray[AudioId](index.tracks.audio_ids.array[candidates]))
    found = search.nearest(named, wanted)
    if not compares_all(len(named), wanted):
        # The search may lose a candidate that belongs to the nearest. A ranking that depends on which candidates came
        # together would not be that of a library which was built at once, so the rest is excluded by proof.
        found = certify(search, found, count=wanted, others=named)
    rows = index.rows_of([audio_id for audio_id, _ in found])
    return KnownRanking(row, rows, np.array([distance for _, distance in found]))


def prove_nearest(context: Context, version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Find the truly nearest tracks of `TO_RANK` by proof, and return `RANKED`. The candidates of an item may be null.

    A query is compared with one track of every other recording of the index.
    """
    index = context.index(version)
    recordings = found_recordings(context.tables, index)
    distinct = context.once("distinct", version, lambda: recordings.representing(list(index.tracks)))

    def proven(row: int, known: RankedList) -> RankedList:
        own = index.tracks.audio_ids[int(recordings.rows[row])]
        others = [other for other in distinct if other != own]
        return certify(search_for_row(index, row, context.for_each), known, count=EVALUATED_COUNT, others=others)

    rankings = [
        proven(row, known) for row, known in zip(items["row"].to_pylist(), _known_in(index, items), strict=True)
    ]
    rows = [index.rows_of([audio_id for audio_id, _ in ranked]) for ranked in rankings]
    return _ranked(items, rows, [np.array([distance for _, distance in ranked]) for ranked in rankings])


def rankings_in(index: LibraryIndex, results: pa.Table) -> dict[AudioId, RankedList]:
    """Return the rankings in results with the columns of `RANKED`, by the audio id of the query."""
    ids, rankings = index.tracks.audio_ids.array, dict[AudioId, RankedList]()
    for batch in results.to_batches():
        columns = batch["key"].to_pylist(), arrays_of(batch["rows"]), arrays_of(batch["distances"])
        for key, rows, distances in zip(*columns, strict=True):
            if rows is not None and distances is not None:
                rankings[AudioId(key)] = list(zip(IdArray[AudioId](ids[rows]), distances.tolist(), strict=True))
    return rankings


def _known_in(index: LibraryIndex, items: pa.RecordBatch) -> list[RankedList]:
    """Return the known ranking of each item of `TO_RANK`, or an empty one."""
    ids, columns = index.tracks.audio_ids.array, (arrays_of(items["known_rows"]), arrays_of(items["known_distances"]))
    return [
        list(zip(IdArray[AudioId](ids[rows]), distances.tolist(), strict=True))
        if rows is not None and distances is not None
        else []
        for rows, distances in zip(*columns, strict=True)
    ]


def _ranked(
    items: pa.RecordBatch, rows: list[NDArray[np.int64]], distances: list[NDArray[np.float64]]
) -> pa.RecordBatch:
    """Return rankings, one for each item, as `RANKED`."""
    assert len(rows) == items.num_rows
    return pa.record_batch([list_column(rows, pa.int64()), list_column(distances, pa.float64())], schema=RANKED)
