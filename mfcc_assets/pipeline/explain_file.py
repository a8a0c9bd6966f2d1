"""Explain why a track of the library is near to a file, which need not be in the library."""

from pathlib import Path

from mfcc_assets.audio.outside import read_tags
from mfcc_assets.features.contour import ContourTimes, rounded
from mfcc_assets.ids import AudioId, QueryId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import names_of_local_recognisers, recognise_file
from mfcc_assets.pipeline.explain import ExplainedPair, PairedTrack, explain_query
from mfcc_assets.pipeline.file_answer import FileFeatures, features_of_file, search_for_file
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.pair_sentences import words_of
from mfcc_assets.recognition.recogniser import Recognition
from mfcc_assets.storage.sql.records import Soundtrack


def explain_file(library: Library, opened: OpenedIndex, path: Path, track: Soundtrack) -> ExplainedPair:
    """Explain how near a soundtrack is to a file. The file is the first of the pair. Nothing of it is stored.

    The file is recognised as `mfcc_assets.pipeline.recommend_file.recommend_file` does it, but services are not asked.

    Parameters
    ----------
    library
        The library.
    opened
        The published index.
    path
        An audio file.
    track
        A soundtrack of the index.

    Raises
    ------
    FeaturesMissing
        If the soundtrack is not in the index, or its stored features are damaged.
    AudioError
        If the file cannot be used.
    OSError
        If it cannot be opened.
    """
    file = features_of_file(library, path, opened.index.parameters.features)
    names = names_of_local_recognisers(library)
    outcome = recognise_file(library, opened.index, path, read_tags(path), file.audio_id, file.cepstra, names)
    return explain_features(library, opened, file, outcome.recognition, track, file_name=path.name)


def explain_features(
    library: Library,
    opened: OpenedIndex,
    file: FileFeatures,
    recognised: Recognition | None,
    track: Soundtrack,
    *,
    file_name: str,
    query_id: QueryId | None = None,
) -> ExplainedPair:
    """Explain how near a soundtrack is to a file whose features are known.

    Parameters
    ----------
    library
        The library.
    opened
        An index with the parameters of the features.
    file
        The features of the file.
    recognised
        The recording that the file was recognised as, or None.
    track
        A soundtrack of the index.
    file_name
        Name of the file. It stands for a title if nobody recognised the file.
    query_id
        Id of the upload, if the file is one.

    Raises
    ------
    FeaturesMissing
        If the soundtrack is not in the index, or its stored features are damaged.
    """
    index = opened.index
    same: set[AudioId] = {file.audio_id, *(recognised.audio_ids if recognised else ())}
    search = search_for_file(library, index, file, opened.recordings.copies(same))
    title = recognised.title if recognised else ""
    query = PairedTrack(
        query_id,
        title,
        recognised.artist if recognised else "",
        title or file_name,
        file.seconds,
        rounded(file.track_features.contour),
        ContourTimes.of(file.cepstra, index.parameters.features, seconds=file.seconds),
        words_of(library, index, file.cepstra),
    )
    return explain_query(library, index, query, search, track)
