"""The rows of RECOMMENDATIONS: the list of every soundtrack, chosen from its ranking."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cache

from mfcc_assets.ids import AudioId, TrackId, shard_of
from mfcc_assets.library import Library
from mfcc_assets.pipeline.list_order import ListOrder, list_order_of
from mfcc_assets.pipeline.list_rules import choose_list, selection_of
from mfcc_assets.pipeline.stored_rankings import required_lists
from mfcc_assets.playlists.selection import Selection
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets.storage.sql.records import Recommendation


@dataclass(frozen=True)
class RecommendationReport:
    """Number of soundtracks, and of rows that were written, in one shard.

    Attributes
    ----------
    queries
        Number of soundtracks of the shard.
    written
        Number of rows that were written.
    """

    queries: int
    written: int


def recommend_soundtracks(
    library: Library, index: LibraryIndex, shards: Sequence[str], *, run_id: str
) -> Iterator[tuple[str, RecommendationReport]]:
    """Bring RECOMMENDATIONS of each shard up to date with an index, and yield a report for each shard.

    Rows that are already right are not written. A shard whose lists were written for the same tracks, tags and settings
    is skipped.

    Raises
    ------
    NoPublishedIndex
        If rankings are missing.
    """
    settings, credited = library.settings, library.catalogue.credits()
    selection = selection_of(library, index, credited)
    every_credit = sorted((audio_id, *astuple(one)) for audio_id, one in credited.items())
    rules = [settings.recommendations, settings.per_artist, _digest(every_credit)]
    count = min(settings.recommendations, len(index.tracks) - 1)
    unserved = library.recommendations.unserved_soundtracks(index.version, count)
    incomplete_shards = {shard_of(track, settings.shard_digits) for track in unserved}
    order = cache(lambda: list_order_of(library, index))
    for shard in shards:
        queries, name = library.catalogue.audio_of_soundtracks(shard), f"lists/{shard}"
        digest = _digest([*rules, sorted(queries.items())]).encode()
        if shard not in incomplete_shards and library.indexes.read_attachment(index.version, name) == digest:
            yield shard, RecommendationReport(len(queries), written=0)
            continue
        written = library.recommendations.update_recommendations(
            recommended_lists(library, index, selection, order(), queries),
            method=index.parameters.ranking,
            index_version=index.version,
            run_id=run_id,
        )
        library.indexes.write_attachment(index.version, name, digest)
        yield shard, RecommendationReport(len(queries), written)


def recommended_lists(
    library: Library,
    index: LibraryIndex,
    selection: Selection,
    order: ListOrder,
    queries: Mapping[TrackId, AudioId | None],
) -> dict[TrackId, list[Recommendation]]:
    """Return the recommendations of soundtracks by an index.

    Parameters
    ----------
    library
        The library.
    index
        Index with stored rankings.
    selection
        Rules of the lists.
    order
        Order of the lists of the index.
    queries
        Audio id of each soundtrack, by track id.

    Returns
    -------
    dict
        Recommendations by track id. A soundtrack without a ranking has an empty list.

    Raises
    ------
    NoPublishedIndex
        If rankings are missing.
    """
    rankings = _rankings_by_audio(library, index, [audio_id for audio_id in queries.values() if audio_id])
    count = library.settings.recommendations
    return {
        track: choose_list(order(rankings[audio_id], {audio_id}), selection, count=count, without={audio_id})
        if audio_id in rankings
        else []
        for track, audio_id in queries.items()
    }


def _rankings_by_audio(
    library: Library, index: LibraryIndex, audio_ids: Sequence[AudioId]
) -> dict[AudioId, RankedList]:
    digits = library.settings.shard_digits
    shards = {shard_of(index.tracks[audio_id], digits) for audio_id in audio_ids if audio_id in index.tracks}
    rankings: dict[AudioId, RankedList] = {}
    for shard in sorted(shards):
        rankings |= required_lists(library, "rankings", index.version, shard).by_query()
    return rankings


def _digest(content: Sequence[object]) -> str:
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=16).hexdigest()
