"""From one file to its recommendations: the steps that an upload takes one by one, and `mfcc recommend` all at once."""

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.core.analysis import analyse
from mfcc_assets.core.audio import AudioReader
from mfcc_assets.core.errors import FeaturesMissing
from mfcc_assets.core.selection import considered
from mfcc_assets.core.summary import summarise
from mfcc_assets.core.tags import read_tags
from mfcc_assets.library import Library
from mfcc_assets.stages.certifying import certified
from mfcc_assets.stages.ranking import places
from mfcc_assets.stages.searching import Search, contour_of, search_for_stranger
from mfcc_assets.stages.selecting import selection_of
from mfcc_assets.stores.indexes import RECALL
from mfcc_assets.stores.library_index import LibraryIndex
from mfcc_assets.stores.recognition import (
    LibraryRecogniser,
    Outcome,
    Recogniser,
    Recognition,
    RecognitionFailure,
    Recording,
    TagRecogniser,
    recognise,
)
from mfcc_assets.stores.records import Recommendation, Soundtrack

_logger = logging.getLogger(__name__)


def recognise_file(library: Library, index: LibraryIndex | None, path: Path, cepstra: NDArray[np.float32]) -> Outcome:
    """Find out who a file is: by the recognisers of the settings, in their order."""
    asked = (_recogniser(name, library, index) for name in library.settings.recogniser_names)
    return recognise(Recording(path, read_tags(path), cepstra), [recogniser for recogniser in asked if recogniser])


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
        index.sketches,
        parameters,
        lambda audio: library.features.read_cepstra(audio, parameters),
        library.tables.tracks_of_audio,
    )


def find_query_candidates(
    index: LibraryIndex,
    search: Search,
    *,
    without: Collection[str],
    places: int | None = None,
) -> list[tuple[str, float]]:
    """Candidates of a query that need not be in the library, with estimates of their distances.

    Parameters
    ----------
    without
        Audio that is not to be recommended: the query's own, and what it was recognised as.
    places
        How many tracks are wanted; by default as many as the index ranks.
    """
    wanted = places or index.parameters.places
    hits = search.nearest_embeddings(wanted + len(without))
    return search.nearest_outlines([audio for audio in hits if audio not in without], wanted)


def rank_query(
    library: Library, index: LibraryIndex, search: Search, candidates: Iterable[str], *, places: int | None = None
) -> list[tuple[str, float]]:
    """The nearest of a query's candidates by the index's ranking, leaving out what is no longer in the library."""
    contours: dict[str, NDArray[np.float32]] = {}
    for candidate in library.tables.tracks_of_audio(candidates):
        try:
            contours[candidate] = contour_of(library, index, candidate)
        except FeaturesMissing as error:
            # One damaged file would otherwise leave every query without an answer that sounds a little like it.
            _logger.warning("Not compared with the query: %s", error)
    return search.nearest(contours, places or index.parameters.places)


def choose_places(
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
    tracks = library.tables.tracks_of_audio(audio for audio, _ in ranked)
    selection = selection_of(library, index, tracks)
    chosen = places(ranked, selection, size=size, without={query_audio, *recognised_as})
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
    reader = AudioReader(path, parameters.cepstra, library.settings.limits)
    analysis = analyse(reader.blocks(), parameters.cepstra)
    summary = summarise(analysis, parameters)

    outcome = recognise_file(library, index, path, analysis.cepstra)
    recognised = outcome.recognition
    without = {reader.audio.audio_id, *(recognised.audio_ids if recognised else ())}
    search = search_for_stranger(index, reader.audio.audio_id, summary)
    wanted = considered(size)
    candidates = find_query_candidates(index, search, without=without, places=wanted)
    ranked = rank_query(library, index, search, [candidate for candidate, _ in candidates], places=wanted)
    if exact:
        others = [audio for audio in library.tables.audio() if audio in index.tracks and audio not in without]
        ranked = certified(library, index, search, ranked, places=wanted, others=others)
    recommendations, soundtracks = choose_places(
        library, index, ranked, size=size, query_audio=reader.audio.audio_id, recognised_as=without
    )
    recall = None if exact else library.indexes.read_quality(index.version).get(RECALL)
    return Answer(recognised, index.version, recommendations, soundtracks, exact, recall, outcome.failures)
