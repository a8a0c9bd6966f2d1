"""The order of the stored lists by shared neighbours."""

import numpy as np
import pytest

from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.list_order import list_order_of, rows_in_list_order, stored_lists
from mfcc_assets.pipeline.rankings import find_candidates, rank_candidates
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets_tests.ranked_library import add_tracks, audio_id, index_and_rank, publish, stored_pairs

TRACKS = 30


@pytest.fixture
def published(library: Library) -> LibraryIndex:
    """The published index of a library with thirty tracks."""
    add_tracks(library, *range(TRACKS))
    return publish(library)[0]


def lists(library: Library, index: LibraryIndex) -> dict[AudioId, RankedList]:
    return dict(stored_lists(library, index.version))


def test_a_list_has_the_nearest_tracks_with_their_distances_in_another_order(
    library: Library, published: LibraryIndex
) -> None:
    rankings, in_order = stored_pairs(library, published, "rankings"), lists(library, published)
    assert in_order.keys() == rankings.keys()
    for query, ranked in rankings.items():
        assert sorted(in_order[query]) == sorted(ranked)
    first = [in_order[query][0] == ranked[0] for query, ranked in rankings.items()]
    assert 0 < sum(first) < TRACKS, "shared neighbours change the first track of some of thirty lists"


@pytest.mark.usefixtures("published")
def test_lists_after_adding_tracks_equal_lists_from_scratch(library: Library) -> None:
    add_tracks(library, TRACKS, TRACKS + 1)
    index, _ = index_and_rank(library)
    grown = lists(library, index)
    for blob in library.blobs.list("cepstra", f"indexes/{index.version}/"):
        if "/candidates/" in blob.name or "/rankings/" in blob.name or blob.name.endswith("neighbourhoods.npz"):
            library.blobs.delete("cepstra", blob.name)
    library.blobs.delete("cepstra", "indexes/published.json")
    list(find_candidates(library, index, library.shards))
    list(rank_candidates(library, index, library.shards))

    from_scratch = lists(library, index)

    for query, found in grown.items():
        assert [audio for audio, _ in found] == [audio for audio, _ in from_scratch[query]]
        np.testing.assert_allclose([far for _, far in found], [far for _, far in from_scratch[query]], rtol=1e-3)


def test_the_order_of_all_lists_is_that_of_each(library: Library, published: LibraryIndex) -> None:
    ids, rows = published.tracks.audio_ids, rows_in_list_order(library, published)
    assert {ids[row]: [ids[other] for other in others if other >= 0] for row, others in enumerate(rows.tolist())} == {
        query: [audio for audio, _ in found] for query, found in lists(library, published).items()
    }


def test_a_query_that_is_a_track_of_the_library_gets_the_order_of_the_track(
    library: Library, published: LibraryIndex
) -> None:
    ranked, order = stored_pairs(library, published, "rankings")[audio_id(3)], list_order_of(library, published)
    assert order(ranked, {AudioId("f" * 32), audio_id(3)}) == lists(library, published)[audio_id(3)]
    as_stranger = order(ranked, {AudioId("f" * 32)})
    assert sorted(as_stranger) == sorted(ranked)
