"""The rows of RECOMMENDATIONS: the list of every soundtrack, chosen from its ranking."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain

import numpy as np

from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.list_inputs import ListInputs, changes_since
from mfcc_assets.pipeline.list_order import list_order_of
from mfcc_assets.pipeline.list_rules import choose_list, selection_of
from mfcc_assets.pipeline.ranked_rows import ranked_rows
from mfcc_assets.playlists.selection import Selection
from mfcc_assets.search.id_arrays import IdArray
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.sql.records import Recommendation

_LISTS_AT_ONCE = 2_000
"""Number of changed lists from which they are written, so that a first load does not keep them all in memory."""


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

    Lists that are already right are not written. A shard whose lists were written for the same tracks, tags and
    settings is skipped.

    Raises
    ------
    NoPublishedIndex
        If rankings are missing.
    """
    selection = selection_of(library, index, library.catalogue.credits())
    every_query = library.catalogue.audio_of_soundtracks()
    inputs = ListInputs.of(library, selection, dict(chain.from_iterable(each.items() for each in every_query.values())))
    count = min(library.settings.recommendations, len(index.tracks) - 1)
    short = cache(lambda version: library.recommendations.unserved_soundtracks(version, count))
    made_from = library.recommendations.origins_of_shards()
    changes = cache(partial(changes_since, library, index, inputs))
    made = {"method": index.parameters.ranking, "index_version": index.version, "run_id": run_id}
    inputs.store(library, index.version)
    # Several shards share a transaction, since each transaction writes every page that it changes once.
    waiting, changed = dict[str, RecommendationReport](), dict[TrackId, Sequence[Recommendation]]()

    def write() -> Iterator[tuple[str, RecommendationReport]]:
        library.recommendations.update_recommendations(changed, **made, complete=list(waiting), made_from=inputs.digest)
        yield from waiting.items()
        waiting.clear()
        changed.clear()

    for shard in shards:
        queries, origin = every_query.get(shard, {}), made_from.get(shard)
        incomplete = short(origin[0]) if origin else queries
        if origin == (index.version, inputs.digest) and incomplete.keys().isdisjoint(queries):
            if waiting:  # the reports come in the order of the shards
                yield from write()
            yield shard, RecommendationReport(len(queries), written=0)
            continue
        known = changes(*origin) if origin else None
        differing = queries.keys() if known is None else incomplete.keys() | known.concerned(queries)
        concerned = {track: audio_id for track, audio_id in queries.items() if track in differing}
        lists = recommended_lists(library, index, selection, concerned)
        found = library.recommendations.differing(lists, method=index.parameters.ranking)
        waiting[shard] = RecommendationReport(len(queries), written=sum(map(len, found.values())))
        changed |= found
        if len(changed) >= _LISTS_AT_ONCE:
            yield from write()
    yield from write()


def recommended_lists(
    library: Library, index: LibraryIndex, selection: Selection, queries: Mapping[TrackId, AudioId | None]
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
    known = [(track, audio_id) for track, audio_id in queries.items() if audio_id is not None]
    rows = index.tracks.rows([audio_id for _, audio_id in known])
    places = np.flatnonzero(rows >= 0)
    found: dict[TrackId, list[Recommendation]] = {track: [] for track in queries}
    if not len(places):
        return found
    ids, count = index.tracks.audio_ids.array, library.settings.recommendations
    lists = list_order_of(library, index).lists(ranked_rows(library, index), rows[places])
    for place, ranked, distances in zip(places.tolist(), *lists, strict=True):
        track, audio_id = known[place]
        is_there = ranked >= 0
        in_order = zip(IdArray[AudioId](ids[ranked[is_there]]), distances[is_there].tolist(), strict=True)
        found[track] = choose_list(in_order, selection, count=count, without={audio_id})
    return found
