"""From one file to its recommendations: the steps that an upload takes one by one, and `mfcc recommend` all at once."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.core.audio import AudioReader
from mfcc_assets.core.cepstra import compute_cepstra
from mfcc_assets.core.errors import FeaturesMissing
from mfcc_assets.core.ranking import rank
from mfcc_assets.core.summary import summarise
from mfcc_assets.core.tags import read_tags
from mfcc_assets.library import Library
from mfcc_assets.stages.ranking import distances_to, nearest, places
from mfcc_assets.stores.indexes import LibraryIndex
from mfcc_assets.stores.recognition import LibraryRecogniser, Query, Recognition, TagRecogniser, recognise
from mfcc_assets.stores.records import Recommendation, Soundtrack

_logger = logging.getLogger(__name__)


def recognise_file(
    library: Library, index: LibraryIndex | None, path: Path, cepstra: NDArray[np.float32]
) -> Recognition | None:
    """Find out who a file is: by the library's own recordings where there is an index, then by its tags."""
    by_library = (
        [
            LibraryRecogniser(
                index.summaries.sketches,
                index.parameters.features.cepstra,
                lambda audio: library.features.read_cepstra(audio, index.parameters.features.cepstra),
                library.tables.tracks_of_audio,
            )
        ]
        if index
        else []
    )
    return recognise(Query(path, read_tags(path), cepstra), [*by_library, TagRecogniser()])


def find_query_candidates(index: LibraryIndex, audio: str, embedding: NDArray[np.float32]) -> list[tuple[str, float]]:
    """Candidates of a query that need not be in the library, with their distances in the prefilter."""
    return nearest(index, [audio], embedding[None])[audio]


def rank_query(
    library: Library, index: LibraryIndex, contour: NDArray[np.float32], candidates: Iterable[str]
) -> list[tuple[str, float]]:
    """Order a query's candidates by the index's ranking, leaving out what is no longer in the library."""
    distances: dict[str, float] = {}
    for candidate in library.tables.tracks_of_audio(candidates):
        try:
            distances |= distances_to(library, index, contour, [candidate])
        except FeaturesMissing as error:
            # One damaged file would otherwise leave every query without an answer that sounds a little like it.
            _logger.warning("Not compared with the query: %s", error)
    return [(place.audio_id, place.distance) for place in rank(distances.items())]


def choose_places(
    library: Library, ranked: list[tuple[str, float]], *, size: int, query_audio: str, recognised_as: Iterable[str]
) -> tuple[list[Recommendation], Mapping[str, Soundtrack]]:
    """The recommendations of a query and the soundtracks they name, by track id.

    Neither the query's own audio is recommended nor any that it was recognised as: a listener has that recording.
    """
    tracks = library.tables.tracks_of_audio(audio for audio, _ in ranked)
    chosen = places(ranked, tracks, size=size, without={query_audio, *recognised_as})
    return chosen, {track.track_id: track for track in tracks.values()}


@dataclass(frozen=True)
class Answer:
    """What a listener is told about a file; `soundtracks` are those that the recommendations name, by track id."""

    recognised: Recognition | None
    index_version: str
    recommendations: list[Recommendation]
    soundtracks: Mapping[str, Soundtrack]


def recommend_file(library: Library, path: Path, *, size: int) -> Answer:
    """Analyse one file and answer it from the published index. Nothing is stored.

    Raises
    ------
    NoPublishedIndex, CorruptIndex
        There is nothing to search.
    AudioError
        The file cannot be used.
    """
    index = library.indexes.published()
    parameters = index.parameters.features
    reader = AudioReader(path, parameters.cepstra, library.settings.limits)
    cepstra = compute_cepstra(reader.blocks(), parameters.cepstra)
    summary = summarise(cepstra, parameters)
    audio = reader.audio.audio_id

    recognised = recognise_file(library, index, path, cepstra)
    candidates = find_query_candidates(index, audio, summary.embedding)
    ranked = rank_query(library, index, summary.contour, [candidate for candidate, _ in candidates])
    recommendations, soundtracks = choose_places(
        library, ranked, size=size, query_audio=audio, recognised_as=recognised.audio_ids if recognised else ()
    )
    return Answer(recognised, index.version, recommendations, soundtracks)
