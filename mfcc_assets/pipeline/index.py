"""Build the index of a library from the stored features."""

from dataclasses import dataclass

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.evaluation.metrics import EVALUATED_COUNT
from mfcc_assets.library import Library
from mfcc_assets.playlists.selection import considered_count
from mfcc_assets.search.builder import IndexBuilder
from mfcc_assets.search.id_arrays import TrackOfAudio
from mfcc_assets.search.index import IndexParameters, LibraryIndex
from mfcc_assets.similarity.rankings import ranking_named


@dataclass(frozen=True)
class BuiltIndex:
    """An index, and how it differs from the published one.

    Attributes
    ----------
    index
        The index.
    added, removed
        Number of tracks by audio that only this index has, and that only the published index has. If the published
        index has other features, all tracks of this index count as added.
    written
        Whether the index was written. It is not if the same index is already stored.
    """

    index: LibraryIndex
    added: int
    removed: int
    written: bool


def index_parameters(library: Library) -> IndexParameters:
    """Return the parameters of the next index.

    Raises
    ------
    UnknownRanking
        If the settings name a ranking that does not exist.
    """
    ranking_named(library.settings.ranking)
    count = considered_count(max(library.settings.recommendations, EVALUATED_COUNT))
    return IndexParameters(library.feature_parameters, library.settings.ranking, count)


def build_index(library: Library) -> BuiltIndex:
    """Build the index of all tracks that have features, write it, and remember it as the last built index.

    The rows of the published index are taken over, so only the features of new tracks are read. If nothing has changed,
    the published index is the result.

    Raises
    ------
    UnknownRanking
        If the settings name a ranking that does not exist.
    """
    parameters, track_of_audio = index_parameters(library), library.catalogue.track_ids_by_audio()
    former = library.indexes.published_if_usable()
    if former is not None and former.is_built_from(parameters, track_of_audio):
        library.indexes.set_built(former.version)
        return BuiltIndex(former, added=0, removed=0, written=False)
    if former is not None and former.parameters.features != parameters.features:
        former = None
    with_features = library.features.audio_with_track_features(parameters.features)
    tracks = TrackOfAudio.of(
        {audio_id: track for audio_id, track in track_of_audio.items() if audio_id in with_features}
    )
    index = _builder(library, parameters).build(tracks, former)
    written = not _is_intact(library, index.version)
    if written:
        library.indexes.write(index)
    library.indexes.set_built(index.version)
    former_tracks = former.tracks if former else TrackOfAudio.of({})
    kept = int((former_tracks.rows(tracks.audio_ids) >= 0).sum())
    return BuiltIndex(index, added=len(tracks) - kept, removed=len(former_tracks) - kept, written=written)


def _builder(library: Library, parameters: IndexParameters) -> IndexBuilder:
    return IndexBuilder(
        parameters,
        lambda audio_id: library.features.read_track_features(audio_id, parameters.features),
        lambda audio_id: library.features.read_contour(audio_id, parameters.features),
        on_all_cores,
    )


def _is_intact(library: Library, version: str) -> bool:
    try:
        library.indexes.read(version).load_all()
    except (NoPublishedIndex, CorruptIndex):
        return False
    return True
