"""Other performances of the same piece in the library: versions of a track, in any key and by any instruments."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from mfcc_assets.audio.reader import AudioLimits, AudioReader
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import AudioError, BlobNotFound, FeaturesMissing, NoHarmony
from mfcc_assets.features.chroma import CHROMA_SAMPLE_RATE, FRAME_SECONDS, chroma_of
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.find_track import audio_in_index
from mfcc_assets.pipeline.recordings import recordings_of
from mfcc_assets.similarity.harmony import OTHER_PERFORMANCE, SharedHarmony, has_harmony, shared_harmony
from mfcc_assets.storage.blobs.port import SOUNDTRACKS
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
    FeaturesMissing
        If the track was rejected or not analysed yet, or if its file is gone or cannot be decoded.
    NoHarmony
        If the track is too short, or hardly changes its harmony.
    """
    index = library.indexes.published()
    own_audio = audio_in_index(index, track)
    recordings, by_audio = recordings_of(library, index), _tracks_by_audio(library)
    own = recordings.copies({own_audio})
    others = [audio_id for audio_id in recordings.representing(by_audio) if audio_id not in own]
    tracks = {own_audio: track, **{other: by_audio[other] for other in others}}
    stored = _StoredChroma.of(library, tracks, on_progress)
    query = stored.read(own_audio)
    if query is None:
        raise FeaturesMissing(
            "its harmony cannot be computed, because its file is gone or cannot be decoded any more",
            subject=track.blob_name,
            remedy="Add the file again",
        )
    if not has_harmony(query):
        raise NoHarmony(
            "it is shorter than 7 s, or its harmony hardly changes, so it cannot be compared",
            subject=track.display_title,
            remedy="Name a longer track, or one that is no noise, drums or single chord",
        )
    found = [
        Version(by_audio[audio_id], same.similarity, same.semitones, *_seconds(same.rows), *_seconds(same.columns))
        for audio_id, same in _of_same_piece(query, stored, others)
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
    tracks = {audio_id: by_audio[audio_id] for audio_id in audio_ids if audio_id in by_audio}
    return {audio_id for audio_id, _ in _of_same_piece(query, _StoredChroma.of(library, tracks), tracks)}


def _of_same_piece(
    query: NDArray[np.float32], stored: "_StoredChroma", audio_ids: Iterable[AudioId]
) -> Iterator[tuple[AudioId, SharedHarmony]]:
    """Yield those audio ids whose tracks are performances of the piece whose chroma is given."""

    def compared(audio_id: AudioId) -> SharedHarmony | None:
        chroma = stored.read(audio_id)
        return None if chroma is None else shared_harmony(query, chroma, least=OTHER_PERFORMANCE)

    # The matrices are small. Without the limit, threads of the matrix library wait for each other on busy cores.
    with threadpool_limits(1, user_api="blas"):
        for audio_id, same in on_all_cores(compared, audio_ids):
            if same is not None:
                yield audio_id, same


def _tracks_by_audio(library: Library) -> dict[AudioId, Soundtrack]:
    return library.catalogue.tracks_of_audio(library.catalogue.track_ids_by_audio())


@dataclass(frozen=True)
class _StoredChroma:
    """The chroma of tracks. It was computed and stored for those that had none.

    Attributes
    ----------
    library, tracks
        The library, and the tracks by their audio ids.
    unusable
        Audio ids of tracks whose chroma cannot be computed. The log says why.
    """

    library: Library
    tracks: Mapping[AudioId, Soundtrack]
    unusable: Collection[AudioId]

    @classmethod
    def of(cls, library: Library, tracks: Mapping[AudioId, Soundtrack], on_progress: Progress = _unseen) -> Self:
        """Compute and store the chroma of those tracks that have none."""
        missing = sorted(set(tracks) - library.features.audio_with_chroma())
        unusable = set()
        for done, (audio_id, chroma) in enumerate(on_all_cores(partial(_compute, library, tracks), missing), start=1):
            if chroma is None:
                unusable.add(audio_id)
            on_progress(done, len(missing))
        return cls(library, tracks, unusable)

    def read(self, audio_id: AudioId) -> NDArray[np.float32] | None:
        """Return the chroma of one of the tracks, or None if it cannot be computed."""
        if audio_id in self.unusable:
            return None
        try:
            return self.library.features.read_chroma(audio_id)
        except FeaturesMissing as error:
            sentence = f"{error.subject}: {error.what}. They are computed again."
            _logger.warning("%s", sentence)
            self.library.repairs.record(sentence)
            return _compute(self.library, self.tracks, audio_id)


def _compute(library: Library, tracks: Mapping[AudioId, Soundtrack], audio_id: AudioId) -> NDArray[np.float32] | None:
    name = tracks[audio_id].blob_name
    try:
        with library.blobs.as_file(SOUNDTRACKS, name) as path:
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
