"""The rankings of an index in arrays of rows, for whatever looks at all of them."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.library import Library
from mfcc_assets.pipeline.stored_rankings import intact_lists, required_lists
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.ranked_lists import RankedLists


@dataclass(frozen=True, eq=False)
class RankedRows:
    """The rankings of all tracks of an index.

    Attributes
    ----------
    rows : (tracks, ranked) int32
        Rows of the ranked tracks of each track, nearest first, and -1 where there are fewer.
    distances : (tracks, ranked) float64
        Their corrected distances, infinite where there are fewer.
    """

    rows: NDArray[np.int32]
    distances: NDArray[np.float64]

    @property
    def has_ranking(self) -> NDArray[np.bool_]:
        """Whether each track (tracks,) has a ranking."""
        found: NDArray[np.bool_] = self.rows[:, :1].max(axis=1, initial=-1) >= 0
        return found


_known: WeakKeyDictionary[LibraryIndex, tuple[frozenset[tuple[str, str]], RankedRows]] = WeakKeyDictionary()
"""The rankings of indexes that are open, with the state of their files."""


def ranked_rows(library: Library, index: LibraryIndex) -> RankedRows:
    """Return the rankings of an index. They are read once for an index that is open.

    Raises
    ------
    NoPublishedIndex
        If rankings are missing.
    CorruptIndex
        If rankings are damaged.
    """
    state = library.rankings.state("rankings", index.version)
    known = _known.get(index)
    if known is not None and known[0] == state:
        return known[1]
    found = _empty(index)
    for shard in library.shards:
        _fill(found, index, required_lists(library, "rankings", index.version, shard))
    _known[index] = state, found
    return found


def intact_ranked_rows(library: Library, index: LibraryIndex) -> RankedRows:
    """Return the rankings of an index that are stored and intact."""
    try:
        return ranked_rows(library, index)
    except (NoPublishedIndex, CorruptIndex):
        found = _empty(index)
        for shard in library.shards:
            lists, _ = intact_lists(library, "rankings", index.version, shard)
            if lists is not None:
                _fill(found, index, lists)
        return found


def _empty(index: LibraryIndex) -> RankedRows:
    shape = len(index.tracks), index.parameters.ranked_count
    return RankedRows(np.full(shape, -1, np.int32), np.full(shape, np.inf))


def _fill(found: RankedRows, index: LibraryIndex, lists: RankedLists) -> None:
    places = np.arange(len(lists.candidates)) - np.repeat(lists.starts[:-1], lists.lengths)
    queries = np.repeat(index.tracks.rows(lists.queries), lists.lengths)
    wanted = (places < found.rows.shape[1]) & (queries >= 0)
    found.rows[queries[wanted], places[wanted]] = index.tracks.rows(lists.candidates)[wanted]
    found.distances[queries[wanted], places[wanted]] = lists.distances[wanted]
