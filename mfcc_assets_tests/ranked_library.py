"""Libraries of made-up features, indexed and ranked by the stages themselves, without a file of audio."""

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.core.catalogue import track_id
from mfcc_assets.core.summary import summarise
from mfcc_assets.core.tags import Tags
from mfcc_assets.library import Library
from mfcc_assets.stages.indexing import build_index, publish_built_index
from mfcc_assets.stages.ranking import PairsReport, find_candidates, rank_candidates
from mfcc_assets.stores.library_index import LibraryIndex
from mfcc_assets.stores.records import Content, Observed


def audio_id(number: int) -> str:
    return f"{number:032x}"


def add_tracks(library: Library, *numbers: int) -> None:
    """Add analysed tracks; each number stands for a name, an audio id and the sound."""
    for number in numbers:
        file = Observed(f"{number}.flac", "etag", 1, f"{number:032x}", Tags(), "")
        library.tables.record_observed([file], [], shard_digits=library.settings.shard_digits, run_id="run")
        library.tables.record_content(
            Content(file.content_digest, audio_id(number), 30.0, ""), track=track_id(file.blob_name)
        )
        parameters = library.settings.features
        library.features.write_summary(audio_id(number), summarise(cepstra(number), parameters), parameters)


def remove_track(library: Library, number: int) -> None:
    library.tables.record_observed([], [f"{number}.flac"], shard_digits=library.settings.shard_digits, run_id="run")


def index_and_rank(library: Library) -> tuple[LibraryIndex, PairsReport]:
    """Build the index and rank all of it; what the ranking came to over all shards."""
    index = build_index(library).index
    list(find_candidates(library, index, library.shards))
    reports = [report for _, report in rank_candidates(library, index, library.shards)]
    return index, PairsReport(*(sum(vars(report)[name] for report in reports) for name in vars(reports[0])))


def publish(library: Library) -> tuple[LibraryIndex, PairsReport]:
    """The same, and let the index answer from now on."""
    ranked = index_and_rank(library)
    publish_built_index(library)
    return ranked


def stored_pairs(library: Library, index: LibraryIndex, stage: str) -> dict[str, list[tuple[str, float]]]:
    """Candidates or rankings of all shards."""
    pairs = [library.indexes.read_pairs(stage, index.version, shard) for shard in library.shards]
    return {audio: found for of_shard in pairs if of_shard for audio, found in of_shard.by_query().items()}


def cepstra(number: int) -> NDArray[np.float32]:
    """12 to 30 s of cepstra (frames, 13) that wander slowly about a place of their own."""
    rng = np.random.default_rng(number)
    steps = rng.standard_normal((int(rng.integers(24, 61)), 13)).cumsum(axis=0) + 5 * rng.standard_normal(13)
    return np.repeat(steps, 50, axis=0).astype(np.float32)
