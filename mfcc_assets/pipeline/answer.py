"""From one file to its recommendations: the steps that an upload takes one by one, and `mfcc recommend` all at once."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.reader import AudioReader
from mfcc_assets.audio.tags import read_tags
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import FeaturesMissing
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.track_features import analyse, track_features_of
from mfcc_assets.library import Library
from mfcc_assets.pipeline.list_rules import choose, selection_of
from mfcc_assets.playlists.selection import considered_count
from mfcc_assets.recognition.recogniser import (
    LibraryRecogniser,
    Outcome,
    Recogniser,
    Recognition,
    RecognitionFailure,
    RecognitionQuery,
    TagRecogniser,
    recognise,
)
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.query import Search, search_for_stranger
from mfcc_assets.similarity.pairwise import Tracks
from mfcc_assets.similarity.rankings import rank
from mfcc_assets.storage.index_store import RECALL
from mfcc_assets.storage.sql.records import Recommendation, Soundtrack

_logger = logging.getLogger(__name__)


def recognise_file(library: Library, index: LibraryIndex | None, path: Path, cepstra: NDArray[np.float32]) -> Outcome:
    """Find out who a file is: by the recognisers of the settings, in their order."""
    asked = (_recogniser(name, library, index) for name in library.settings.recogniser_names)
    return recognise(
        RecognitionQuery(path, read_tags(path), cepstra), [recogniser for recogniser in asked if recogniser]
    )


def _recogniser(name: str, library: Library, index: LibraryIndex | None) -> Recogniser | None:
    """The recogniser of a name; None for the library's own recordings where there is no index to search."""
    if name == TagRecogniser.name:
        return TagRecogniser()
    if name != LibraryRecogniser.name:
        return library.services.named(name)
    if index is None:
        return None
    parameters = index.parameters.features.cepstra
    return LibraryRecogniser(
        index.fingerprints,
        parameters,
        lambda audio_id: library.features.read_cepstra(audio_id, parameters),
        library.catalogue.tracks_of_audio,
    )


def find_query_candidates(
    index: LibraryIndex,
    search: Search,
    *,
    without: Collection[str],
    count: int | None = None,
) -> list[tuple[str, float]]:
    """Candidates of a query that need not be in the library, with estimates of their distances.

    Parameters
    ----------
    without
        Audio that is not to be recommended: the query's own, and what it was recognised as.
    places
        How many tracks are wanted; by default as many as the index ranks.
    """
    wanted = count or index.parameters.ranked_count
    hits = search.nearest_by_embedding(wanted + len(without))
    return search.nearest_by_coarse_contour([audio_id for audio_id in hits if audio_id not in without], wanted)


def rank_query(
    library: Library, index: LibraryIndex, search: Search, candidates: Iterable[str], *, count: int | None = None
) -> list[tuple[str, float]]:
    """The nearest of a query's candidates by the index's ranking, leaving out what is no longer in the library."""
    contours: dict[str, NDArray[np.float32]] = {}
    for candidate in library.catalogue.tracks_of_audio(candidates):
        try:
            contours[candidate] = contour_of(library, index, candidate)
        except FeaturesMissing as error:
            # One damaged file would otherwise leave every query without an answer that sounds a little like it.
            _logger.warning("Not compared with the query: %s", error)
    return search.nearest(contours, count or index.parameters.ranked_count)


def choose_recommendations(
    library: Library,
    index: LibraryIndex,
    ranked: list[tuple[str, float]],
    *,
    size: int,
    query_audio: str,
    recognised_as: Iterable[str],
) -> tuple[list[Recommendation], Mapping[str, Soundtrack]]:
    """The recommendations of a query and the soundtracks they name, by track id.

    Neither the query's own audio is recommended nor any that it was recognised as: a listener has that recording.
    """
    tracks = library.catalogue.tracks_of_audio(audio_id for audio_id, _ in ranked)
    selection = selection_of(library, index, tracks)
    chosen = choose(ranked, selection, size=size, without={query_audio, *recognised_as})
    return chosen, {track.track_id: track for track in tracks.values()}


@dataclass(frozen=True)
class Answer:
    """What a listener is told about a file.

    Attributes
    ----------
    recommendations
        Best first.
    soundtracks
        Those that the recommendations name, by track id.
    certified
        Whether it is proven that no other track of the library is nearer than these.
    recall
        Where it is not: the share of the true nearest tracks that this index was measured to find; None where it was
        not measured.
    failures
        Recognisers that could not be asked who the file is, and why.
    """

    recognised: Recognition | None
    index_version: str
    recommendations: list[Recommendation]
    soundtracks: Mapping[str, Soundtrack]
    certified: bool
    recall: float | None
    failures: tuple[RecognitionFailure, ...] = ()


def recommend_file(library: Library, path: Path, *, size: int, exact: bool = False) -> Answer:
    """Analyse one file and answer it from the published index. Nothing is stored.

    Parameters
    ----------
    size
        How many tracks are wanted.
    exact
        Compare with the whole library, as far as a bound does not exclude a track, and so certify the answer.

    Raises
    ------
    NoPublishedIndex, CorruptIndex
        There is nothing to search.
    AudioError
        The file cannot be used.
    FeaturesMissing
        An exact answer was asked for, and a track cannot be compared.
    """
    index = library.indexes.published()
    parameters = index.parameters.features
    reader = AudioReader(
        path, parameters.cepstra.sample_rate, parameters.cepstra.trimmed_samples, library.settings.limits
    )
    analysis = analyse(reader.blocks(), parameters.cepstra)
    track_features = track_features_of(analysis, parameters)

    outcome = recognise_file(library, index, path, analysis.cepstra)
    recognised = outcome.recognition
    without = {reader.audio.audio_id, *(recognised.audio_ids if recognised else ())}
    search = search_for_stranger(index, reader.audio.audio_id, track_features, on_all_cores)
    wanted = considered_count(size)
    candidates = find_query_candidates(index, search, without=without, count=wanted)
    ranked = rank_query(library, index, search, [candidate for candidate, _ in candidates], count=wanted)
    if exact:
        others = [
            audio_id for audio_id in library.catalogue.audio() if audio_id in index.tracks and audio_id not in without
        ]
        ranked = certified(library, index, search, ranked, count=wanted, others=others)
    recommendations, soundtracks = choose_recommendations(
        library, index, ranked, size=size, query_audio=reader.audio.audio_id, recognised_as=without
    )
    recall = None if exact else library.indexes.read_quality(index.version).get(RECALL)
    return Answer(recognised, index.version, recommendations, soundtracks, exact, recall, outcome.failures)


def certified(
    library: Library,
    index: LibraryIndex,
    search: Search,
    found: Iterable[tuple[str, float]],
    *,
    count: int,
    others: Collection[str],
) -> list[tuple[str, float]]:
    """The nearest of what was found and of all others, proven: each is compared as far as a bound does not exclude it.

    Raises
    ------
    FeaturesMissing
        A track cannot be compared, and so nothing is certain.
    """
    known = dict(found)
    limit = max(known.values()) if len(known) == count else inf
    rest = (audio_id for audio_id in others if audio_id not in known)
    closer = search.within(rest, limit, partial(contour_of, library, index))
    return [(place.audio_id, place.distance) for place in rank((known | closer).items())[:count]]


def search_for(library: Library, index: LibraryIndex, audio_id: str) -> Search:
    """An audio as it is compared with others in this index, of which it need not be.

    Raises
    ------
    FeaturesMissing
        It has no summary.
    """
    (row,) = index.tracks.rows([audio_id])
    if row < 0:
        track_features = library.features.read_track_features(audio_id, index.parameters.features)
        return search_for_stranger(index, audio_id, track_features, on_all_cores)
    contours = RaggedFrames.of([contour_of(library, index, audio_id)], len(index.scales))
    rows = np.array([row])
    return Search(index, Tracks(index.feature_table.rows(rows), contours), index.statistics.rows(rows), on_all_cores)


def contour_of(library: Library, index: LibraryIndex, audio_id: str) -> NDArray[np.float32]:
    """The contour of an audio, made in the way of this index."""
    return library.features.read_contour(audio_id, index.parameters.features)


def distances_to(library: Library, index: LibraryIndex, audio_id: str, others: Sequence[str]) -> dict[str, float]:
    """Corrected distances of an audio to others of the index.

    Raises
    ------
    FeaturesMissing
        One of them cannot be compared.
    """
    return search_for(library, index, audio_id).within(others, np.inf, lambda other: contour_of(library, index, other))
