"""The rankings of an index in arrays of rows, for whatever looks at all of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


def ranked_rows(library: Library, index: LibraryIndex, most: int | None = None) -> RankedRows:
    """Return the rankings of an index.

    Parameters
    ----------
    library, index
        The library and the index.
    most
        Largest number of tracks of each ranking. By default, all are read.

    Raises
    ------
    NoPublishedIndex
        If rankings are missing.
    CorruptIndex
        If rankings are damaged.
    """
    every = (required_lists(library, "rankings", index.version, shard) for shard in library.shards)
    found = _empty(index, most)
    for lists in every:
        _fill(found, index, lists)
    return found


def intact_ranked_rows(library: Library, index: LibraryIndex) -> RankedRows:
    """Return the rankings of an index that are stored and intact."""
    found = _empty(index, None)
    for shard in library.shards:
        lists, _ = intact_lists(library, "rankings", index.version, shard)
        if lists is not None:
            _fill(found, index, lists)
    return found


def _empty(index: LibraryIndex, most: int | None) -> RankedRows:
    ranked = index.parameters.ranked_count
    shape = len(index.tracks), ranked if most is None else min(most, ranked)
    return RankedRows(np.full(shape, -1, np.int32), np.full(shape, np.inf))


def _fill(found: RankedRows, index: LibraryIndex, lists: RankedLists) -> None:
    places = np.arange(len(lists.candidates)) - np.repeat(lists.starts[:-1], lists.lengths)
    queries = np.repeat(index.tracks.rows(lists.queries), lists.lengths)
    wanted = (places < found.rows.shape[1]) & (queries >= 0)
    found.rows[queries[wanted], places[wanted]] = index.tracks.rows(lists.candidates)[wanted]
    found.distances[queries[wanted], places[wanted]] = lists.distances[wanted]
