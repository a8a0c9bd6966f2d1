"""Rules for the lists of a library: each recording at most once, and no more of one artist than the settings allow."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache

from mfcc_assets.errors import FeaturesMissing
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.feature_repair import cepstra_of
from mfcc_assets.playlists.selection import CreditedTrack, SameRecording, Selection
from mfcc_assets.recognition.duplicates import is_same_recording, may_be_same_recording
from mfcc_assets.recognition.match import align
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.sql.records import Recommendation

_logger = logging.getLogger(__name__)


def selection_of(library: Library, index: LibraryIndex, credited: Mapping[AudioId, CreditedTrack]) -> Selection:
    """Return the rules by which lists are chosen from tracks of an index.

    Parameters
    ----------
    library
        The library, with the settings.
    index
        Index that the tracks are from.
    credited
        Tracks that may be chosen, by audio id.
    """
    return Selection(credited, _same_recording(library, index, credited), library.settings.per_artist)


def choose_list(
    ranked: Iterable[tuple[AudioId, float]], selection: Selection, *, count: int, without: Collection[AudioId]
) -> list[Recommendation]:
    """Choose a list of recommendations from a ranking.

    Parameters
    ----------
    ranked
        Audio ids with their distances, best first. Those that the selection does not know have left the library, and
        are skipped.
    selection
        Rules of the list.
    count
        Largest number of tracks in the list.
    without
        Audio ids to leave out, together with other encodings of the same recordings.
    """
    distances = {audio_id: distance for audio_id, distance in ranked if audio_id in selection.credits}
    chosen = selection.choose(distances, count, without=without)
    return [
        Recommendation(position, selection.credits[audio_id].track_id, distances[audio_id])
        for position, audio_id in enumerate(chosen, start=1)
    ]


def same_recording_by_row(library: Library, index: LibraryIndex) -> Callable[[int, int], bool]:
    """Return a function that is True if two rows of an index are the same recording."""
    frames = index.fingerprints.lengths
    parameters = index.parameters.features

    @cache
    def is_same_by_cepstra(audio_id: AudioId, other: AudioId) -> bool:
        try:
            cepstra = cepstra_of(library, audio_id, parameters)
            other_cepstra = cepstra_of(library, other, parameters)
        except FeaturesMissing as error:
            _logger.warning("Two tracks are not compared as possible duplicates. %s", error)
            return False
        return align(cepstra, other_cepstra, parameters.cepstra).same_recording

    def is_same(row: int, other: int) -> bool:
        if not may_be_same_recording(frames[row], frames[other]):
            return False
        same = is_same_recording(index.fingerprints[row], index.fingerprints[other])
        if same is not None:
            return same
        one, two = sorted((index.tracks.audio_ids[row], index.tracks.audio_ids[other]))
        return is_same_by_cepstra(one, two)

    return is_same


def _same_recording(library: Library, index: LibraryIndex, credited: Mapping[AudioId, CreditedTrack]) -> SameRecording:
    """Return a function that is True if two audio ids are the same recording.

    The function is False if either id is not in the index.
    """
    audio_ids = list(credited)
    rows: dict[AudioId, int] = dict(zip(audio_ids, index.tracks.rows(audio_ids).tolist(), strict=True))
    is_same_row = same_recording_by_row(library, index)

    def is_same(audio_id: AudioId, other: AudioId) -> bool:
        row, other_row = rows.get(audio_id, -1), rows.get(other, -1)
        return row >= 0 and other_row >= 0 and is_same_row(row, other_row)

    return is_same
