"""Libraries of made-up features, indexed and ranked by the stages themselves, without a file of audio."""

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.tags import Tags
from mfcc_assets.features.timbre import COEFFICIENTS
from mfcc_assets.features.track_features import Analysis, TrackFeatures, track_features_of
from mfcc_assets.ids import track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import build_index
from mfcc_assets.pipeline.publication import publish_built_index
from mfcc_assets.pipeline.rankings import ListsReport, find_candidates, rank_candidates
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.hubness import corrected, summed_z_scores
from mfcc_assets.similarity.pairwise import Tracks, in_space, part_distances
from mfcc_assets.similarity.rankings import rank, ranking_named
from mfcc_assets.storage.sql.records import AudioContent, Observed


def audio_id(number: int) -> str:
    return f"{number:032x}"


def add_tracks(library: Library, *numbers: int) -> None:
    """Add analysed tracks; each number stands for a name, an audio id and the sound."""
    for number in numbers:
        add_track(library, number, cepstra(number))


def add_track(library: Library, number: int, sound: NDArray[np.float32], **tags: str) -> None:
    """Add one analysed track, of which the number stands for name and audio id."""
    file = Observed(f"{number}.flac", "etag", 1, f"{number:032x}", Tags(**tags), "")
    library.catalogue.record_observed([file], [], shard_digits=library.settings.shard_digits, run_id="run")
    library.catalogue.record_content(
        AudioContent(file.content_digest, audio_id(number), 30.0, ""), track=track_id(file.blob_name)
    )
    parameters = library.settings.features
    library.features.write_track_features(audio_id(number), track_features_of(analysed(sound), parameters), parameters)


def analysed(sound: NDArray[np.float32]) -> Analysis:
    """The analysis of made-up cepstra (frames, 13): of finer ones in which nothing is finer."""
    finer = np.pad(sound, ((0, 0), (0, COEFFICIENTS - sound.shape[1])))
    return Analysis.of_cepstra(finer, sound.shape[1])


def remove_track(library: Library, number: int) -> None:
    library.catalogue.record_observed([], [f"{number}.flac"], shard_digits=library.settings.shard_digits, run_id="run")


def index_and_rank(library: Library) -> tuple[LibraryIndex, ListsReport]:
    """Build the index and rank all of it; what the ranking came to over all shards."""
    index = build_index(library).index
    list(find_candidates(library, index, library.shards))
    reports = [report for _, report in rank_candidates(library, index, library.shards)]
    return index, ListsReport(*(sum(vars(report)[name] for report in reports) for name in vars(reports[0])))


def publish(library: Library) -> tuple[LibraryIndex, ListsReport]:
    """The same, and let the index answer from now on."""
    ranked = index_and_rank(library)
    publish_built_index(library)
    return ranked


def stored_pairs(library: Library, index: LibraryIndex, stage: str) -> dict[str, list[tuple[str, float]]]:
    """Candidates or rankings of all shards."""
    pairs = [library.rankings.read(stage, index.version, shard) for shard in library.shards]
    return {audio: found for of_shard in pairs if of_shard for audio, found in of_shard.by_query().items()}


def cepstra(number: int) -> NDArray[np.float32]:
    """12 to 30 s of cepstra (frames, 13) that wander slowly about a place of their own."""
    rng = np.random.default_rng(number)
    steps = rng.standard_normal((int(rng.integers(24, 61)), 13)).cumsum(axis=0) + 5 * rng.standard_normal(13)
    return np.repeat(steps, 50, axis=0).astype(np.float32)


def compared_with_all(
    library: Library, index: LibraryIndex, audio: str, track_features: TrackFeatures
) -> list[tuple[str, float]]:
    """All other audio of an index, nearest first, with their corrected distances to a track: without any search."""
    features, space = index.parameters.features, index.calibration.space
    others = [other for other in index.tracks if other != audio]
    tracks = in_space(
        Tracks.of([library.features.read_track_features(other, features) for other in others], features), space
    )
    query, ranking = in_space(Tracks.of([track_features], features), space), ranking_named(index.parameters.ranking)
    distances = part_distances(ranking, query, tracks, index.scales)
    statistics = index.calibration.reference.statistics_of(audio, query)
    theirs = index.statistics.rows(index.tracks.rows(others))
    found = corrected(summed_z_scores(distances, statistics, theirs, ranking.weights), statistics, theirs)
    return [(place.audio_id, place.distance) for place in rank(zip(others, found.tolist(), strict=True))]
