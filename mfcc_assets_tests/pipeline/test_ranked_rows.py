"""Rankings in arrays."""

import pytest

from mfcc_assets.errors import NoPublishedIndex
from mfcc_assets.library import Library
from mfcc_assets.pipeline.ranked_rows import intact_ranked_rows, ranked_rows
from mfcc_assets_tests.ranked_library import add_tracks, index_and_rank, stored_pairs


def test_they_hold_what_is_stored_and_notice_what_is_written_or_lost(library: Library) -> None:
    add_tracks(library, *range(8))
    index, _ = index_and_rank(library)
    ids, ranked = index.tracks.audio_ids, ranked_rows(library, index)
    expected = stored_pairs(library, index, "rankings")
    for row, query in enumerate(ids):
        found = zip(ranked.rows[row].tolist(), ranked.distances[row].tolist(), strict=True)
        assert [(ids[other], distance) for other, distance in found if other >= 0] == expected[query]
    assert ranked.has_ranking.all()
    assert ranked_rows(library, index) is ranked

    shard = index.tracks[ids[0]][0]
    library.blobs.delete("cepstra", f"indexes/{index.version}/rankings/{shard}.json")

    with pytest.raises(NoPublishedIndex, match="rankings"):
        ranked_rows(library, index)
    has_ranking = intact_ranked_rows(library, index).has_ranking
    assert has_ranking.tolist() == [index.tracks[query][0] != shard for query in ids]
