"""Reading the rankings that are stored for an index."""

import logging

import pytest

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.library import Library
from mfcc_assets.pipeline.stored_rankings import required_lists, stored_rankings
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets_tests.ranked_library import add_tracks, index_and_rank, stored_pairs


@pytest.fixture
def index(library: Library) -> LibraryIndex:
    add_tracks(library, *range(6))
    return index_and_rank(library)[0]


def rankings_of(index: LibraryIndex, shard: str) -> str:
    return f"indexes/{index.version}/rankings/{shard}.json"


def test_the_rankings_of_all_shards_are_read(library: Library, index: LibraryIndex) -> None:
    assert dict(stored_rankings(library, index.version)) == stored_pairs(library, index, "rankings")


@pytest.mark.parametrize("damaged", [False, True])
def test_missing_and_damaged_rankings_yield_nothing_and_are_refused_where_they_are_required(
    library: Library, index: LibraryIndex, caplog: pytest.LogCaptureFixture, damaged: bool
) -> None:
    query = next(iter(index.tracks))
    shard = index.tracks[query][0]
    if damaged:
        library.blobs.write("cepstra", rankings_of(index, shard), b"PAR1")
    else:
        library.blobs.delete("cepstra", rankings_of(index, shard))

    with caplog.at_level(logging.WARNING):
        assert query not in dict(stored_rankings(library, index.version))
    assert ("the stored rankings are damaged" in caplog.text) == damaged
    with pytest.raises(CorruptIndex if damaged else NoPublishedIndex, match="rankings"):
        required_lists(library, "rankings", index.version, shard)
