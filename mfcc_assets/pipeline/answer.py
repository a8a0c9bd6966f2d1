"""The steps that answer a query, which is a file or an upload, from an index.

`mfcc_assets.pipeline.file_answer` runs them at once for a file, and `mfcc_assets.pipeline.uploads` one by one for an
upload, so that both give the same list.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from math import inf
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.tags import Tags
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.feature_repair import cepstra_of, repaired
from mfcc_assets.pipeline.list_order import ListOrder
from mfcc_assets.pipeline.list_rules import choose_list, selection_of
from mfcc_assets.pipeline.lost_tables import check_tables
from mfcc_assets.pipeline.recordings import Recordings
from mfcc_assets.recognition.recogniser import (
    LOCAL_RECOGNISERS,
    LibraryRecogniser,
    Outcome,
    Recogniser,
    RecognitionQuery,
    TagRecogniser,
    recognise,
)
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.query import Search, search_for_new_track, search_for_row
from mfcc_assets.similarity.rankings import RankedList, rank
from mfcc_assets.storage.sql.records import Recommendation, Soundtrack


def recognise_file(
    library: Library,
    index: LibraryIndex | None,
    path: Path,
    tags: Tags,
    audio_id: AudioId,
    cepstra: NDArray[np.float32],
    names: Iterable[str],
) -> Outcome:
    """Recognise a file by some recognisers, in their order.

    Parameters
    ----------
    library
        The library, with the settings.
    index
        Index to search for the file, or None to leave the library's own recordings out.
    path
        The file.
    tags
        Its tags.
    audio_id
        Audio id of the file.
    cepstra : (frames, d) float32
        Cepstra of the file.
    names
        Names of the recognisers.
    """
    recognisers = (_recogniser(name, library, index) for name in names)
    query = RecognitionQuery(path, tags, audio_id, cepstra)
    return recognise(query, [recogniser for recogniser in recognisers if recogniser])


def names_of_local_recognisers(library: Library) -> list[str]:
    """Return the names of the recognisers in the settings that ask no service, in their order."""
    return [name for name in library.settings.recogniser_names if name in LOCAL_RECOGNISERS]


def find_query_candidates(
    index: LibraryIndex,
    search: Search,
    recordings: Recordings,
    *,
    without: Collection[AudioId],
    count: int | None = None,
) -> RankedList:
    """Find the candidates of a query, with estimates of their distances. The query need not be in the library.

    Only one track of each recording is a candidate, so that copies take no places from other recordings.

    Parameters
    ----------
    index
        The index to search.
    search
        The search of the query in this index.
    recordings
        The recordings of the index.
    without
        Audio ids whose recordings must not be recommended: the query's own, and those that it was recognised as.
    count
        Number of tracks that will be ranked. The default is the number that the index ranks for each track.
    """
    wanted = index.parameters.ranked_count if count is None else count
    known = set(recordings.of([*without]))
    found = search.nearest_by_embedding(wanted + len(known), recordings.represents)
    return search.prune_by_coarse_contour([audio_id for audio_id in found if audio_id not in known], wanted)


def rank_query(
    library: Library, index: LibraryIndex, search: Search, candidates: Iterable[AudioId], *, count: int | None = None
) -> RankedList:
    """Return the nearest candidates of a query by the index's ranking, with their distances.

    Candidates that have left the library are left out.

    Raises
    ------
    LostTables
        If the database does not know the tracks of the index.
    """
    in_library = library.catalogue.tracks_of_audio(candidates)
    if not in_library:
        check_tables(library)
    return search.nearest(list(in_library), index.parameters.ranked_count if count is None else count)


def certify(
    search: Search,
    found: Iterable[tuple[AudioId, float]],
    *,
    count: int,
    others: Collection[AudioId],
) -> RankedList:
    """Return the `count` nearest tracks among those that were found and all others, proven to be the nearest.

    The query is compared with each of the others unless a lower bound proves that it is too far away.
    """
    known = dict(found)
    limit = max(known.values()) if len(known) == count else inf
    rest = (audio_id for audio_id in others if audio_id not in known)
    closer = search.distances_within(rest, limit)
    return [(ranked.audio_id, ranked.distance) for ranked in rank((known | closer).items())[:count]]


def choose_recommendations(
    library: Library,
    index: LibraryIndex,
    order: ListOrder,
    ranked: RankedList,
    *,
    count: int,
    query_audio: AudioId,
    recognised_as: Iterable[AudioId],
    left_out: Collection[AudioId] = (),
) -> tuple[list[Recommendation], Mapping[TrackId, Soundtrack]]:
    """Choose the recommendations for a query, and return them with their soundtracks by track id.

    The listener already has the recording of the query. Its own audio, and the audio that it was recognised as, are
    therefore not recommended. Audio that is to be left out counts for the order of the list, but is not in it.
    """
    tracks, query = library.catalogue.tracks_of_audio(audio_id for audio_id, _ in ranked), {query_audio, *recognised_as}
    selection, in_order = selection_of(library, index, tracks), order(ranked, query)
    chosen = choose_list(in_order, selection, count=count, without=query | set(left_out))
    return chosen, {track.track_id: track for track in tracks.values()}


def search_for(library: Library, index: LibraryIndex, audio_id: AudioId, *, copies: Collection[AudioId] = ()) -> Search:
    """Return the search that compares an audio id with the tracks of an index. It need not be in the index itself.

    Parameters
    ----------
    library
        The library.
    index
        The index to search.
    audio_id
        Audio id of the query.
    copies
        Audio ids of the same recording as a query that is not in the index.

    Raises
    ------
    FeaturesMissing
        If its features cannot be read.
    """
    (row,) = index.tracks.rows([audio_id])
    if row < 0:
        parameters = index.parameters.features
        read = partial(library.features.read_track_features, audio_id, parameters)
        track_features = repaired(library, read, audio_id, parameters)
        return search_for_new_track(index, {audio_id, *copies}, track_features, on_all_cores)
    return search_for_row(index, int(row), on_all_cores)


def distances_to(
    library: Library, index: LibraryIndex, audio_id: AudioId, others: Sequence[AudioId]
) -> dict[AudioId, float]:
    """Return the corrected distances from an audio id to others of the index.

    Raises
    ------
    FeaturesMissing
        If the audio id is not in the index, and its features cannot be read.
    """
    return search_for(library, index, audio_id).distances_within(others, np.inf)


def _recogniser(name: str, library: Library, index: LibraryIndex | None) -> Recogniser | None:
    """Return the recogniser with this name, or None for the library's own recordings if there is no index to search."""
    if name == TagRecogniser.name:
        return TagRecogniser()
    if name != LibraryRecogniser.name:
        return library.services.named(name)
    if index is None:
        return None
    return LibraryRecogniser(
        index.fingerprints.segments,
        index.tracks,
        index.parameters.features.cepstra,
        lambda audio_id: cepstra_of(library, audio_id, index.parameters.features),
        library.catalogue.tracks_of_audio,
    )
