"""The order of the lists of an index: rankings by distance, put in order by shared neighbours."""

import logging
from collections.abc import Collection, Iterator
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.ranked_rows import RankedRows, intact_ranked_rows, ranked_rows
from mfcc_assets.pipeline.recordings import Recordings, recordings_of
from mfcc_assets.pipeline.stored_rankings import stored_rankings
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets.similarity.shared_neighbours import SharedNeighbours, neighbour_count

_logger = logging.getLogger(__name__)


class ListOrder:
    """Puts rankings of an index in the order of lists.

    Parameters
    ----------
    index
        The index.
    recordings
        Its recordings. A copy has the neighbourhood of the track that represents its recording.
    shared
        The neighbourhoods of the index's tracks.
    """

    def __init__(self, index: LibraryIndex, recordings: Recordings, shared: SharedNeighbours) -> None:
        self._index, self._recordings, self._shared = index, recordings, shared

    def __call__(self, ranked: RankedList, query: Collection[AudioId]) -> RankedList:
        """Return a ranking in the order of the list. The distances stay as they are, and need not be in order.

        Parameters
        ----------
        ranked
            Tracks of the index that represent recordings, nearest first, with their corrected distances.
        query
            Audio ids of the query's recording. If the index has none of them, the query gets the neighbourhood that it
            would have in the library.
        """
        rows = self._index.tracks.rows([audio_id for audio_id, _ in ranked])
        distances = np.array([distance for _, distance in ranked])
        known = self._index.tracks.rows(sorted(query))
        known = known[known >= 0]
        if len(known):
            neighbourhood = self._shared.neighbourhood(int(self._recordings.rows[known[0]]))
        else:
            nearest = slice(neighbour_count(self._recordings.count))
            neighbourhood = self._shared.neighbourhood_of_new(rows[nearest], distances[nearest])
        return [ranked[place] for place in self._shared.order(neighbourhood, rows, distances).tolist()]

    def all_rows(self, ranked: RankedRows) -> NDArray[np.int32]:
        """Return the rows (tracks, ranked) of the rankings of all tracks of the index in the order of their lists."""
        return self.lists(ranked)[0]

    def lists(
        self, ranked: RankedRows, tracks: NDArray[np.int64] | slice = slice(None)
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Return the rows (tracks, ranked) of rankings in the order of their lists, and their distances.

        Parameters
        ----------
        ranked
            The rankings of all tracks of the index.
        tracks
            Rows of the tracks whose rankings are wanted. By default, all are.
        """
        order = self.orders(ranked)[tracks]
        rows: NDArray[np.int32] = np.take_along_axis(ranked.rows[tracks], order, axis=1)
        distances: NDArray[np.float64] = np.take_along_axis(ranked.distances[tracks], order, axis=1)
        return rows, distances

    def orders(self, ranked: RankedRows) -> NDArray[np.integer]:
        """Return the places (tracks, ranked) of the rankings of all tracks in the order of their lists."""
        order = _orders.get(ranked)
        if order is None:
            order = self._shared.order_all(self._recordings.rows, ranked.rows, ranked.distances).astype(np.int16)
            _orders[ranked] = order
        return order


_orders: WeakKeyDictionary[RankedRows, NDArray[np.int16]] = WeakKeyDictionary()
"""The orders of all lists of indexes that are open."""

_known: WeakKeyDictionary[LibraryIndex, SharedNeighbours] = WeakKeyDictionary()
"""The neighbourhoods of indexes that are open. They are not stored, because one more track may change any of them, and
all of them are found faster than they would be written."""


def list_order_of(library: Library, index: LibraryIndex) -> ListOrder:
    """Return the order of the lists of an index. The neighbourhoods are found once for an index that is open.

    Raises
    ------
    NoPublishedIndex
        If rankings are missing.
    CorruptIndex
        If rankings are damaged.
    """
    recordings = recordings_of(library, index)
    shared = _known.get(index)
    if shared is None:
        ranked, nearest = ranked_rows(library, index), slice(neighbour_count(recordings.count))
        shared = _known[index] = SharedNeighbours.of(ranked.rows[:, nearest], ranked.distances[:, nearest])
    return ListOrder(index, recordings, shared)


def rows_in_list_order(library: Library, index: LibraryIndex) -> NDArray[np.int32]:
    """Return the rows (tracks, ranked) of the rankings of all tracks in the order of their lists, filled with -1.

    Whatever is missing or damaged is as `stored_lists` describes.
    """
    ranked = intact_ranked_rows(library, index)
    try:
        order = list_order_of(library, index)
    except (NoPublishedIndex, CorruptIndex) as error:
        _logger.warning("Lists are in the order of distance. %s", error)
        return ranked.rows
    return order.all_rows(ranked)


def stored_lists(library: Library, version: str) -> Iterator[tuple[AudioId, RankedList]]:
    """Yield the audio id of each track of an index version, and its ranking in the order of its list.

    If the version is damaged or some of its rankings are missing, its neighbourhoods are unknown. No such version is
    published. The rankings that it has are then yielded in the order of distance.
    """
    try:
        order = list_order_of(library, library.indexes.read(version))
    except (NoPublishedIndex, CorruptIndex) as error:
        _logger.warning("Lists are in the order of distance. %s", error)
        yield from stored_rankings(library, version)
        return
    for audio_id, ranked in stored_rankings(library, version):
        yield audio_id, order(ranked, {audio_id})
