"""Everything that the library knows of one of its tracks."""

from collections.abc import Sequence
from dataclasses import dataclass

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.added_sources import AddedSources
from mfcc_assets.pipeline.missing import files_and_missing
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.storage.blobs.port import ARTWORKS, SOUNDTRACKS
from mfcc_assets.storage.sql.records import RecommendedSoundtrack, Soundtrack


@dataclass(frozen=True)
class TrackReport:
    """A track of the library, and what belongs to it.

    Attributes
    ----------
    track
        The track.
    file
        Path of its file, or the name of its blob if it lies elsewhere.
    is_there
        Whether the file is there.
    is_away
        Whether the file is away, as its disk is. If it is neither there nor away, a run removes the track.
    in_place
        Path of the folder in place that it lies in; empty if there is none.
    copied_from
        Path of the file that it was copied from; empty if that is not known.
    same_audio
        Names of the other soundtracks with the same audio.
    has_cepstra, has_track_features
        Whether its features are stored, with the parameters of the settings.
    features_version
        Version of the features.
    index_version
        The index that answers; None if there is none.
    index_fault
        Sentence about why the index cannot be read; empty if it can.
    represented_by
        The track that stands in the index for this audio; None if the audio is not in the index.
    recommendations
        Its list, best first.
    artwork
        Path of its picture, or the name of its blob; empty if there is none.
    """

    track: Soundtrack
    file: str
    is_there: bool
    is_away: bool
    in_place: str
    copied_from: str
    same_audio: Sequence[str]
    has_cepstra: bool
    has_track_features: bool
    features_version: str
    index_version: str | None
    index_fault: str
    represented_by: TrackId | None
    recommendations: Sequence[RecommendedSoundtrack]
    artwork: str


def report_of_track(library: Library, track: Soundtrack) -> TrackReport:
    """Return what the library knows of a track."""
    audio, parameters = track.audio_id, library.feature_parameters
    version, fault, represented_by = _place_in_index(library, track)
    is_there = library.blobs.exists(SOUNDTRACKS, track.blob_name)
    return TrackReport(
        track=track,
        file=_place(library, SOUNDTRACKS, track.blob_name),
        is_there=is_there,
        is_away=not is_there and files_and_missing(library).is_away(track.blob_name),
        in_place=_folder_in_place(library, track),
        copied_from=AddedSources(library).source_of(track.blob_name),
        same_audio=[
            other.blob_name
            for other in (library.catalogue.soundtracks() if audio else ())
            if other.audio_id == audio and other.track_id != track.track_id
        ],
        has_cepstra=audio is not None and library.features.has_cepstra(audio, parameters.cepstra),
        has_track_features=audio is not None and library.features.has_track_features(audio, parameters),
        features_version=parameters.version,
        index_version=version,
        index_fault=fault,
        represented_by=represented_by,
        recommendations=library.recommendations.recommended(track.track_id),
        artwork=_place(library, ARTWORKS, track.artwork)
        if track.artwork and library.blobs.exists(ARTWORKS, track.artwork)
        else "",
    )


def _place_in_index(library: Library, track: Soundtrack) -> tuple[str | None, str, TrackId | None]:
    try:
        version = library.indexes.published_version()
        if version is None:
            return None, "", None
        tracks = library.indexes.read(version).tracks
        is_in = track.audio_id is not None and track.audio_id in tracks
        return version, "", TrackId(tracks[track.audio_id]) if is_in and track.audio_id else None
    except (CorruptIndex, NoPublishedIndex) as error:
        return None, str(error), None


def _folder_in_place(library: Library, track: Soundtrack) -> str:
    folder = library.music_folders.folder_of(track.blob_name) if library.settings.profile == "local" else None
    return "" if folder is None else shown_name(str(folder))


def _place(library: Library, container: str, name: str) -> str:
    path = library.blobs.path(container, name)
    return shown_name(f"{container}/{name}" if path is None else str(path))
