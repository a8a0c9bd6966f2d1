"""Other performances of the same piece in the library: versions of a track, in any key and by any instruments."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.reader import AudioLimits, AudioReader
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import AudioError, BlobNotFound, FeaturesMissing
from mfcc_assets.features.chroma import CHROMA_SAMPLE_RATE, FRAME_SECONDS, chroma_of
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.recordings import recordings_of
from mfcc_assets.similarity.harmony import OTHER_PERFORMANCE, shared_harmony
from mfcc_assets.storage.sql.records import Soundtrack

_logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


def _unseen(_done: int, _total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Version:
    """Another performance of the piece that a track plays.

    Attributes
    ----------
    soundtrack
        The other performance.
    similarity
        How much of both tracks has the same harmony, and how closely, 0 to 1.
    semitones
        Number of semitones by which the other performance is higher, from -5 to 6.
    begin, end
        Times in seconds of the common stretch in the track.
    other_begin, other_end
        The same in the other performance.
    """

    soundtrack: Soundtrack
    similarity: float
    semitones: int
    begin: float
    end: float
    other_begin: float
    other_end: float


def find_versions(library: Library, track: Soundtrack, on_progress: Progress = _unseen) -> list[Version]:
    """Return the other performances of a track's piece, most similar first.

    The chroma of all tracks that have none yet is computed first. Copies of the track's own recording are no other
    performances. Of several copies of another recording, one is returned.

    Parameters
    ----------
    library
        The library.
    track
        A track of the library.
    on_progress
        Called with the number of tracks whose chroma is computed and their total number.

    Raises
    ------
    NoPublishedIndex, CorruptIndex
        If the library has no index.
    AudioError
        If the track's own file cannot be used.
    FeaturesMissing
        If the track was not analysed yet.
    """
    if track.audio_id is None:
        raise FeaturesMissing(
            "the track was not analysed yet", subject=track.blob_name, remedy="Run `mfcc add` without a path"
        )
    index = library.indexes.published()
    recordings, by_audio = recordings_of(library, index), _tracks_by_audio(library)
    own = recordings.copies({track.audio_id})
    others = [audio_id for audio_id in recordings.representing(by_audio) if audio_id not in own]
    chroma = _stored_chroma(
        library, {track.audio_id: track, **{other: by_audio[other] for other in others}}, on_progress
    )
    if track.audio_id not in chroma:
        raise FeaturesMissing(
            "its harmony cannot be computed, because its file is gone or cannot be decoded any more",
            subject=track.blob_name,
            remedy="Add the file again",
        )
    query = chroma.pop(track.audio_id)
    found = [
        Version(by_audio[audio_id], same.similarity, same.semitones, *_seconds(same.rows), *_seconds(same.columns))
        for audio_id, same in on_all_cores(lambda audio_id: shared_harmony(query, chroma[audio_id]), chroma)
        if same is not None and same.similarity >= OTHER_PERFORMANCE
    ]
    return sorted(found, key=lambda version: (-version.similarity, version.soundtrack.track_id))


def versions_among(library: Library, path: Path, audio_ids: Collection[AudioId]) -> set[AudioId]:
    """Return those of some audio ids of the library that are other performances of the piece in a file.

    Parameters
    ----------
    library
        The library.
    path
        An audio file, which need not be in the library.
    audio_ids
        Audio ids of tracks of the library.

    Raises
    ------
    AudioError
        If the file cannot be used.
    """
    by_audio = _tracks_by_audio(library)
    query = _chroma_of_file(path, library.limits, path.name)
    chroma = _stored_chroma(library, {audio_id: by_audio[audio_id] for audio_id in audio_ids if audio_id in by_audio})
    found = {audio_id: shared_harmony(query, of_track) for audio_id, of_track in chroma.items()}
    return {audio_id for audio_id, same in found.items() if same and same.similarity >= OTHER_PERFORMANCE}


def _tracks_by_audio(library: Library) -> dict[AudioId, Soundtrack]:
    return library.catalogue.tracks_of_audio(library.catalogue.track_ids_by_audio())


def _stored_chroma(
    library: Library, tracks: Mapping[AudioId, Soundtrack], on_progress: Progress = _unseen
) -> dict[AudioId, NDArray[np.float32]]:
    """Return the chroma of tracks. It is computed and stored for those that have none. Unusable files are left out."""
    missing = set(tracks) - library.features.audio_with_chroma()
    for done, _ in enumerate(on_all_cores(partial(_compute, library, tracks), sorted(missing)), start=1):
        on_progress(done, len(missing))

    def stored(audio_id: AudioId) -> NDArray[np.float32] | None:
        try:
            return library.features.read_chroma(audio_id)
        except FeaturesMissing as error:
            if audio_id in missing:
                return None  # it could not be computed, and the log says why
            sentence = f"{error.subject}: {error.what}. They are computed again."
            _logger.warning("%s", sentence)
            library.repairs.record(sentence)
            return _compute(library, tracks, audio_id)

    return {audio_id: found for audio_id, found in on_all_cores(stored, tracks) if found is not None}


def _compute(library: Library, tracks: Mapping[AudioId, Soundtrack], audio_id: AudioId) -> NDArray[np.float32] | None:
    name = tracks[audio_id].blob_name
    try:
        with library.blobs.as_file("soundtracks", name) as path:
            chroma = _chroma_of_file(path, library.limits, name)
    except (AudioError, BlobNotFound, FileNotFoundError, PermissionError) as error:
        _logger.warning("%s is left out: its harmony cannot be computed (%s).", name, error)
        return None
    library.features.write_chroma(audio_id, chroma)
    return chroma


def _chroma_of_file(path: Path, limits: AudioLimits, name: str) -> NDArray[np.float32]:
    return chroma_of(AudioReader(path, CHROMA_SAMPLE_RATE, 0, limits, name).blocks())


def _seconds(frames: tuple[int, int]) -> tuple[float, float]:
    return frames[0] * FRAME_SECONDS, frames[1] * FRAME_SECONDS
