"""The order of the lists of an index: rankings by distance, put in order by shared neighbours."""

import logging
from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.recordings import Recordings, recordings_of
from mfcc_assets.pipeline.stored_rankings import required_lists, stored_rankings
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


def list_order_of(library: Library, index: LibraryIndex) -> ListOrder:
    """Return the order of the lists of an index. The neighbourhoods are found once for each index version.

    Raises
    ------
    NoPublishedIndex
        If rankings are missing.
    CorruptIndex
        If rankings are damaged.
    """
    recordings = recordings_of(library, index)

    def find() -> dict[str, NDArray[np.generic]]:
        shape = len(index.tracks), neighbour_count(recordings.count)
        neighbours, distances = np.full(shape, -1, np.int32), np.zeros(shape)
        for shard in library.shards:
            for query, ranked in required_lists(library, "rankings", index.version, shard).by_query().items():
                nearest = ranked[: shape[1]]
                (row,) = index.tracks.rows([query])
                neighbours[row, : len(nearest)] = index.tracks.rows([audio_id for audio_id, _ in nearest])
                distances[row, : len(nearest)] = [distance for _, distance in nearest]
        shared = SharedNeighbours.of(neighbours, distances)
        return {"members": shared.members, "weights": shared.weights, "farthest": shared.farthest}

    found = library.indexes.measured_once(index.version, "neighbourhoods.npz", find)
    return ListOrder(index, recordings, SharedNeighbours(found["members"], found["weights"], found["farthest"]))


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
