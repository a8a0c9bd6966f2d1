"""Stored candidates and rankings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.ids import AudioId, UploadId
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.ranking_store import RankedLists, RankingStore

LISTS = RankedLists.of({AudioId("a"): [(AudioId("b"), 1.0)]})


@pytest.fixture
def blobs(local_blobs: LocalBlobs) -> LocalBlobs:
    return local_blobs


@pytest.fixture
def rankings(blobs: LocalBlobs) -> RankingStore:
    return RankingStore(blobs)


@given(
    st.dictionaries(
        st.text(max_size=3),
        st.lists(st.tuples(st.text(max_size=3), st.floats(allow_nan=False)), min_size=1),
        max_size=4,
    )
)
def test_ranked_lists_keep_their_groups(grouped):
    assert RankedLists.of(grouped).by_query() == grouped


def test_the_rows_of_an_upload_have_its_upload_id_and_give_its_list():
    found = [(AudioId("b"), 0.5), (AudioId("a"), 0.7)]
    lists = RankedLists.of_upload(UploadId("upload"), found)
    assert lists.queries == ("upload", "upload")
    assert lists.pairs() == found
    assert RankedLists.of_upload(UploadId("upload"), []).pairs() == []


@pytest.mark.parametrize("grouped", [{}, {"a": [("b", 1 / 3), ("c", 2.0)], "b": [("a", 1e-300)]}])
def test_written_lists_can_be_read(rankings, grouped):
    rankings.write("candidates", "v1", "f", RankedLists.of(grouped))
    assert rankings.read("candidates", "v1", "f") == RankedLists.of(grouped)


def test_lists_that_were_not_computed_are_none_and_not_empty(rankings):
    rankings.write("candidates", "v1", "f", RankedLists.of({}))
    assert rankings.read("candidates", "v1", "0") is None
    assert rankings.read("candidates", "v2", "f") is None
    assert rankings.read("rankings", "v1", "f") is None


@pytest.mark.parametrize("damage", [lambda _: b"", lambda stored: stored[:-1], lambda stored: stored[:50]])
def test_damaged_lists_are_corrupt(rankings, blobs, damage):
    rankings.write("rankings", "v1", "f", LISTS)
    name = "indexes/v1/rankings/f.parquet"
    blobs.write("cepstra", name, damage(blobs.read("cepstra", name)))
    with pytest.raises(CorruptIndex, match=rf"cepstra/{name}: the stored rankings are damaged\. The next run"):
        rankings.read("rankings", "v1", "f")


@pytest.mark.parametrize("place", ["v1/rankings/0", "v2/rankings/f", "v1/candidates/f"])
def test_lists_at_the_place_of_others_are_corrupt(rankings, blobs, place):
    rankings.write("rankings", "v1", "f", LISTS)
    blobs.copy("cepstra", "indexes/v1/rankings/f.parquet", "cepstra", f"indexes/{place}.parquet")
    version, stage, shard = place.split("/")
    with pytest.raises(CorruptIndex, match=place):
        rankings.read(stage, version, shard)


def test_deleting_a_part_deletes_its_lists_in_every_stage(rankings):
    for part in ("upload", "other"):
        for stage in ("candidates", "rankings"):
            rankings.write(stage, "v1", part, LISTS)

    rankings.delete("v1", "upload")
    rankings.delete("v1", "upload")

    for stage in ("candidates", "rankings"):
        assert rankings.read(stage, "v1", "upload") is None
        assert rankings.read(stage, "v1", "other") == LISTS
