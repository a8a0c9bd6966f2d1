"""What lists of this library may hold: its recordings once each, and its settings' share of one artist."""

import logging
from collections.abc import Collection, Iterable, Mapping
from functools import cache

import numpy as np

from mfcc_assets.errors import FeaturesMissing
from mfcc_assets.library import Library
from mfcc_assets.playlists.selection import Credited, SameRecording, Selection
from mfcc_assets.recognition.duplicates import is_same_recording, may_be_same_recording
from mfcc_assets.recognition.match import align
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.sql.records import Recommendation

_logger = logging.getLogger(__name__)


def selection_of(library: Library, index: LibraryIndex, credited: Mapping[str, Credited]) -> Selection:
    """How lists are chosen among these tracks of an index, by audio id."""
    return Selection(credited, _recordings(library, index, credited), library.settings.per_artist)


def _recordings(library: Library, index: LibraryIndex, credited: Mapping[str, Credited]) -> SameRecording:
    """Tells of two audio ids whether they are one recording; of one that the index lacks, that it is no other."""
    audio_ids = list(credited)
    rows = dict(zip(audio_ids, index.tracks.rows(audio_ids).tolist(), strict=True))
    frames = np.diff(index.fingerprints.starts)
    parameters = index.parameters.features.cepstra

    @cache
    def is_same_on_listening(audio_id: str, other: str) -> bool:
        try:
            cepstra = library.features.read_cepstra(audio_id, parameters)
            other_cepstra = library.features.read_cepstra(other, parameters)
        except FeaturesMissing as error:
            _logger.warning("Not looked at whether it is a duplicate: %s", error)
            return False
        return align(cepstra, other_cepstra, parameters).same_recording

    def is_same(audio_id: str, other: str) -> bool:
        row, other_row = rows.get(audio_id, -1), rows.get(other, -1)
        if row < 0 or other_row < 0 or not may_be_same_recording(frames[row], frames[other_row]):
            return False
        same = is_same_recording(index.fingerprints[row], index.fingerprints[other_row])
        return is_same_on_listening(*sorted((audio_id, other))) if same is None else same

    return is_same


def choose(
    ranked: Iterable[tuple[str, float]], selection: Selection, *, size: int, without: Collection[str]
) -> list[Recommendation]:
    """The list of `size` that is chosen of a ranking, without some audio. None is named that is gone."""
    distances = {audio_id: distance for audio_id, distance in ranked if audio_id in selection.credits}
    chosen = selection.choose(distances, size, without=without)
    return [
        Recommendation(position, selection.credits[audio_id].track_id, distances[audio_id])
        for position, audio_id in enumerate(chosen, start=1)
    ]
