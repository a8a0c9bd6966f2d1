"""Libraries of made-up features, without audio files. The pipeline itself indexes and ranks them."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mfcc_assets.audio.tags import Tags
from mfcc_assets.features.timbre import COEFFICIENTS
from mfcc_assets.features.track_features import Analysis, TrackFeatures, track_features_of
from mfcc_assets.ids import AudioId, track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import build_index
from mfcc_assets.pipeline.present_lists import is_in_library, present_lists
from mfcc_assets.pipeline.publication import publish_built_index
from mfcc_assets.pipeline.rankings import ListsReport, find_candidates, rank_candidates
from mfcc_assets.pipeline.recordings import Recordings
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.hubness import Correction
from mfcc_assets.similarity.pairwise import Tracks, in_space, part_distances
from mfcc_assets.similarity.rankings import RankedList, rank, ranking_named
from mfcc_assets.storage.ranking_store import Stage
from mfcc_assets.storage.sql.records import AudioContent, Observed


def audio_id(number: int) -> AudioId:
    """Return the audio id of a track by its number."""
    return AudioId(f"{number:032x}")


def add_tracks(library: Library, *numbers: int) -> None:
    """Add analysed tracks. Their numbers determine their names, their audio ids and their cepstra."""
    for number in numbers:
        add_track(library, number, cepstra(number))


def add_track(library: Library, number: int, sound: NDArray[np.float32], **tags: Any) -> None:
    """Add one analysed track with these cepstra. Its number determines its name and its audio id."""
    file = Observed(f"{number}.flac", "etag", 1, f"{number:032x}", Tags(**tags), "")
    library.catalogue.record_observed([file], [], shard_digits=library.settings.shard_digits, run_id="run")
    library.catalogue.record_content(
        AudioContent(file.content_digest, audio_id(number), 30.0, ""), track_id=track_id(file.blob_name)
    )
    parameters, analysis = library.feature_parameters, analysed(sound)
    library.features.write_analysis(audio_id(number), analysis, parameters.cepstra)
    library.features.write_track_features(audio_id(number), track_features_of(analysis, parameters), parameters)


def analysed(sound: NDArray[np.float32]) -> Analysis:
    """Return the analysis of made-up cepstra (frames, 13). Their higher coefficients are 0."""
    padded = np.pad(sound, ((0, 0), (0, COEFFICIENTS - sound.shape[1])))
    return Analysis.of_cepstra(padded, sound.shape[1])


def remove_track(library: Library, number: int) -> None:
    """Record that the file of a track is gone."""
    gone = track_id(f"{number}.flac")
    library.catalogue.record_observed([], [gone], shard_digits=library.settings.shard_digits, run_id="run")


def index_and_rank(library: Library) -> tuple[LibraryIndex, ListsReport]:
    """Build the index and rank all tracks. Return the index and the sum of the reports of all shards."""
    index = build_index(library).index
    list(find_candidates(library, index, library.shards))
    reports = [report for _, report in rank_candidates(library, index, library.shards)]
    return index, ListsReport(*(sum(vars(report)[name] for report in reports) for name in vars(reports[0])))


def rank_from_scratch(library: Library, index: LibraryIndex) -> None:
    """Delete the lists of an index, and compute them without those of another index. Nothing is published then."""
    for blob in list(library.blobs.list("cepstra", f"indexes/{index.version}/")):
        if "/candidates/" in blob.name or "/rankings/" in blob.name:
            library.blobs.delete("cepstra", blob.name)
    library.blobs.delete("cepstra", "indexes/published.json")
    list(find_candidates(library, index, library.shards))
    list(rank_candidates(library, index, library.shards))


def publish(library: Library) -> tuple[LibraryIndex, ListsReport]:
    """Build and rank as `index_and_rank` does, and publish the index."""
    ranked = index_and_rank(library)
    publish_built_index(library)
    return ranked


def stored_pairs(library: Library, index: LibraryIndex, stage: Stage) -> dict[AudioId, RankedList]:
    """Return the stored candidates or rankings of all shards, by the audio id of the query."""
    lists = [library.rankings.read(stage, index.version, shard) for shard in library.shards]
    return {query: found for of_shard in lists if of_shard for query, found in of_shard.by_query().items()}


def order_by_distance_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let shared neighbours count nothing, so that lists are in the order of distance."""
    monkeypatch.setattr("mfcc_assets.similarity.shared_neighbours._WEIGHT", 0.0)


def named_lists(library: Library, version: str, recordings: Recordings) -> dict[AudioId, list[AudioId]]:
    """Return the present lists of an index by the audio id of the query."""
    in_library, ids = is_in_library(library, recordings.tracks), recordings.tracks.audio_ids
    lists = present_lists(library, version, recordings, in_library)
    return {
        ids[row]: [ids[other] for other in lists.rows[row].tolist() if other >= 0]
        for row in np.flatnonzero(lists.is_query).tolist()
    }


def cepstra(number: int) -> NDArray[np.float32]:
    """Return 12 to 30 s of made-up cepstra (frames, 13): a random walk from a random point, without silence.

    Each step is large enough to tell recordings apart.
    """
    rng = np.random.default_rng(number)
    steps = rng.standard_normal((int(rng.integers(24, 61)), 13)).cumsum(axis=0) + 5 * rng.standard_normal(13)
    steps *= 10
    steps[:, 0] = 4 * np.tanh(steps[:, 0] / 100)
    return np.repeat(steps, 50, axis=0).astype(np.float32)


def compared_with_all(
    library: Library, index: LibraryIndex, query_id: AudioId, track_features: TrackFeatures
) -> RankedList:
    """Return all other tracks of an index and their corrected distances to a query, in order. No search is used."""
    features, space = index.parameters.features, index.calibration.space
    others = [other for other in index.tracks if other != query_id]
    tracks = in_space(
        Tracks.of([library.features.read_track_features(other, features) for other in others], features), space
    )
    query, ranking = in_space(Tracks.of([track_features], features), space), ranking_named(index.parameters.ranking)
    distances = part_distances(ranking, query, tracks, index.scales)
    statistics = index.calibration.reference.statistics_of({query_id}, query)
    theirs = index.statistics.rows(index.tracks.rows(others))
    weights = ranking.pair_weights(query.feature_table.treble, tracks.feature_table.treble)
    found = Correction.of(distances, statistics, theirs, weights).of_known()
    return [(track.audio_id, track.distance) for track in rank(zip(others, found.tolist(), strict=True))]
