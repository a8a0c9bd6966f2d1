"""The lists of an index as they are now: without audio that has left the library, and one for each recording."""

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.evaluation.row_metrics import RowLists
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.list_order import rows_in_list_order
from mfcc_assets.pipeline.recordings import Recordings
from mfcc_assets.search.id_arrays import IdArray, TrackOfAudio

_ROWS_AT_ONCE = 20_000


def present_lists(library: Library, version: str, recordings: Recordings, in_library: NDArray[np.bool_]) -> RowLists:
    """Return the list of every recording of an index, without audio that has left the library.

    Parameters
    ----------
    library, version
        The library, and the version of the index.
    recordings
        Recordings of this index, or of another one with which it is compared. The rows are those of their tracks.
    in_library : (tracks,)
        Result of `is_in_library` for the tracks of the recordings.
    """
    tracks = recordings.tracks
    # An index whose description is damaged has no rows.
    try:
        index = library.indexes.read(version)
    except (CorruptIndex, NoPublishedIndex):
        return RowLists(np.full((len(tracks), 1), -1, np.int32), np.zeros(len(tracks), np.bool_))
    lists = rows_in_list_order(library, index)
    own = tracks.rows(index.tracks.audio_ids)
    is_present = own >= 0
    is_present[is_present] = in_library[own[is_present]]
    present = np.where(is_present, own, -1)
    # Row -1 stays -1.
    recording_of = np.full(len(own) + 1, -1, np.int32)
    recording_of[:-1][is_present] = recordings.rows[own[is_present]]
    found = np.full((len(tracks), lists.shape[1]), -1, np.int32)
    is_query = np.zeros(len(tracks), np.bool_)
    queries = np.flatnonzero(is_present & (recording_of[:-1] == present) & (lists[:, :1] >= 0).any(axis=1))
    is_query[present[queries]] = True
    found[present[queries]] = recording_of[lists[queries]]
    for first in range(0, len(found), _ROWS_AT_ONCE):
        block = found[first : first + _ROWS_AT_ONCE]
        earlier = np.tril(np.ones((block.shape[1], block.shape[1]), np.bool_), -1)
        repeated = ((block[:, :, np.newaxis] == block[:, np.newaxis, :]) & earlier).any(axis=2)
        own_rows = np.arange(first, first + len(block), dtype=np.int32)[:, np.newaxis]
        block[repeated | (block == own_rows)] = -1
    return RowLists.of(found, is_query)


def is_in_library(library: Library, tracks: TrackOfAudio) -> NDArray[np.bool_]:
    """Return whether the audio of each track (tracks,) of an index is in the library."""
    present = np.zeros(len(tracks), np.bool_)
    rows = tracks.rows(IdArray[AudioId].of(library.catalogue.track_ids_by_audio()))
    present[rows[rows >= 0]] = True
    return present
