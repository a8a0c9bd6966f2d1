"""The work on lists that an engine does, on threads or on executors: see `mfcc_assets.compute.port`.

A key is the audio id of a query of the index whose version is given. Other tracks are named by their rows in the index.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mfcc_assets.compute.context import Context
from mfcc_assets.compute.list_columns import arrays_of, list_column
from mfcc_assets.compute.port import ITEM
from mfcc_assets.evaluation.metrics import EVALUATED_COUNT
from mfcc_assets.ids import AudioId
from mfcc_assets.pipeline.answer import certify
from mfcc_assets.pipeline.recordings import Recordings, found_recordings
from mfcc_assets.search.candidates import Candidates, CandidateSearch
from mfcc_assets.search.id_arrays import IdArray
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.query import search_for_row
from mfcc_assets.search.window import Windows
from mfcc_assets.similarity.rankings import RankedList

_ROWS, _NUMBERS = pa.list_(pa.int64()), pa.list_(pa.float64())

QUERIES = pa.schema(
    [*ITEM, ("row", pa.int64()), ("known_rows", _ROWS), ("known_estimates", _NUMBERS), ("entrants", _ROWS)]
)
"""Items of `find_candidates`: the row of a query.

If some candidates are known, they are given with their estimates, and only the entrants are compared. Otherwise these
are null.
"""

CANDIDATES = pa.schema([("rows", _ROWS), ("estimates", _NUMBERS), ("limit", pa.float64()), ("compared", pa.int64())])
"""Results of `find_candidates`: see `mfcc_assets.search.candidates.Candidates`, and the number of compared tracks."""

TO_RANK = pa.schema(
    [*ITEM, ("row", pa.int64()), ("candidates", _ROWS), ("known_rows", _ROWS), ("known_distances", _NUMBERS)]
)
"""Items of `rank_candidates` and of `prove_nearest`: the row of a query, and rows of candidates with which it is
compared.

If a ranking of other candidates is known, it is given with its distances. Otherwise these are null.
"""

RANKED = pa.schema([("rows", _ROWS), ("distances", _NUMBERS)])
"""Results of `rank_candidates` and of `prove_nearest`: the rows of the nearest tracks, and their distances."""

_QUERIES_AT_ONCE = 32
"""Number of queries whose windows are found at once."""


class Finder:
    """Finds the candidates of queries of an index. The second result is the number of compared tracks.

    Parameters
    ----------
    index, recordings
        The index and its recordings.

    Attributes
    ----------
    windows
        Windows of all tracks of the index.
    """

    def __init__(self, index: LibraryIndex, recordings: Recordings) -> None:
        self._index, self._recordings, self._wanted = index, recordings, index.parameters.ranked_count
        self.windows = Windows.of(index)
        self._in_windows = self.windows.among(np.flatnonzero(recordings.represents))

    def anew(self, rows: NDArray[np.int64]) -> list[tuple[Candidates, int]]:
        """Find the candidates of queries, given by their rows."""
        found = list[tuple[Candidates, int]]()
        for first in range(0, len(rows), _QUERIES_AT_ONCE):
            some = rows[first : first + _QUERIES_AT_ONCE]
            windows = self._in_windows.tracks_of_each(some)
            found += [self._among(row, tracks) for row, tracks in zip(some.tolist(), windows, strict=True)]
        return found

    def _among(self, row: int, tracks: NDArray[np.int64]) -> tuple[Candidates, int]:
        tracks = tracks[tracks != self._recordings.rows[row]]
        return CandidateSearch.of_row(self._index, row).pruned(tracks, self._wanted), len(tracks)

    def updated(
        self,
        row: int,
        known_rows: NDArray[np.int64],
        known_estimates: NDArray[np.float64],
        entrants: NDArray[np.int64],
    ) -> tuple[Candidates, int]:
        """Find the candidates of a query among known ones and entrants."""
        search = CandidateSearch.of_row(self._index, row)
        return search.pruned(entrants, self._wanted, known_rows, known_estimates), len(entrants)


def finder_of(context: Context, version: str) -> Finder:
    """Return what finds the candidates in an index. It is made once in a context."""

    def make() -> Finder:
        index = context.index(version)
        return Finder(index, found_recordings(context.tables, index))

    return context.once("finder", version, make)


def find_candidates(context: Context, version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Find the candidates of `QUERIES`, and return `CANDIDATES`."""
    finder = finder_of(context, version)
    rows, names = items["row"].to_numpy(), ("known_rows", "known_estimates", "entrants")
    known = list(zip(*(arrays_of(items[name]) for name in names), strict=True))
    anew = [place for place, (known_rows, _, _) in enumerate(known) if known_rows is None]
    found = dict(zip(anew, finder.anew(rows[anew]), strict=True)) if anew else {}
    for place, (known_rows, estimates, entrants) in enumerate(known):
        if known_rows is not None and estimates is not None and entrants is not None:
            found[place] = finder.updated(int(rows[place]), known_rows, estimates, entrants)
    in_order = [found[place] for place in range(len(rows))]
    columns = [
        list_column([candidates.rows for candidates, _ in in_order], pa.int64()),
        list_column([candidates.estimates for candidates, _ in in_order], pa.float64()),
        pa.array([candidates.limit for candidates, _ in in_order], pa.float64()),
        pa.array([compared for _, compared in in_order], pa.int64()),
    ]
    return pa.record_batch(columns, schema=CANDIDATES)


def rank_candidates(context: Context, version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Rank the candidates of `TO_RANK`, and return `RANKED`."""
    index = context.index(version)
    wanted = index.parameters.ranked_count

    def ranked(row: int, candidates: list[AudioId], known: RankedList | None) -> RankedList:
        search = search_for_row(index, row, context.for_each)
        # The search may lose a candidate that belongs to the nearest. A ranking that depends on which candidates came
        # together would not be that of a library which was built at once, so the rest is excluded by proof.
        found = search.nearest(candidates, wanted) if known is None else known
        return certify(search, found, count=wanted, others=candidates)

    return _ranked_in(index, items, [ranked(*query) for query in _queries_in(index, items)])


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

    return _ranked_in(index, items, [proven(row, known or []) for row, _, known in _queries_in(index, items)])


def rankings_in(index: LibraryIndex, results: pa.Table) -> dict[AudioId, RankedList]:
    """Return the rankings in results with the columns of `RANKED`, by the audio id of the query."""
    ids, rankings = index.tracks.audio_ids.array, dict[AudioId, RankedList]()
    for batch in results.to_batches():
        columns = batch["key"].to_pylist(), arrays_of(batch["rows"]), arrays_of(batch["distances"])
        for key, rows, distances in zip(*columns, strict=True):
            if rows is not None and distances is not None:
                rankings[AudioId(key)] = list(zip(IdArray[AudioId](ids[rows]), distances.tolist(), strict=True))
    return rankings


def _queries_in(index: LibraryIndex, items: pa.RecordBatch) -> list[tuple[int, list[AudioId], RankedList | None]]:
    """Return the row, the candidates and the known ranking of each item of `TO_RANK`."""
    ids = index.tracks.audio_ids.array

    def named(rows: NDArray[np.int64] | None) -> list[AudioId]:
        return [] if rows is None else list(IdArray[AudioId](ids[rows]))

    candidates, known, distances = (arrays_of(items[name]) for name in ("candidates", "known_rows", "known_distances"))
    return [
        (row, named(some), None if far is None else list(zip(named(near), far.tolist(), strict=True)))
        for row, some, near, far in zip(items["row"].to_pylist(), candidates, known, distances, strict=True)
    ]


def _ranked_in(index: LibraryIndex, items: pa.RecordBatch, rankings: list[RankedList]) -> pa.RecordBatch:
    """Return rankings, one for each item, as `RANKED`."""
    rows = [index.rows_of([audio_id for audio_id, _ in ranked]) for ranked in rankings]
    distances = [np.array([distance for _, distance in ranked]) for ranked in rankings]
    columns = [list_column(rows, pa.int64()), list_column(distances, pa.float64())]
    assert len(rankings) == items.num_rows
    return pa.record_batch(columns, schema=RANKED)
