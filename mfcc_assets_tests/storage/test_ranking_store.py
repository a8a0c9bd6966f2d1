"""Candidates and rankings as they are stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.ranking_store import RankedLists, RankingStore


@pytest.fixture
def blobs(local_blobs: LocalBlobs) -> LocalBlobs:
    return local_blobs


@pytest.fixture
def pairs(blobs: LocalBlobs) -> RankingStore:
    return RankingStore(blobs)


@given(
    st.dictionaries(
        st.text(max_size=3),
        st.lists(st.tuples(st.text(max_size=3), st.floats(allow_nan=False)), min_size=1),
        max_size=4,
    )
)
def test_pairs_are_grouped_as_they_were(grouped):
    assert RankedLists.of(grouped).by_query() == grouped


@pytest.mark.parametrize("grouped", [{}, {"a": [("b", 1 / 3), ("c", 2.0)], "b": [("a", 1e-300)]}])
def test_pairs_that_are_written_are_read(pairs, grouped):
    pairs.write("candidates", "v1", "f", RankedLists.of(grouped))
    assert pairs.read("candidates", "v1", "f") == RankedLists.of(grouped)
    assert pairs.count("candidates", "v1", "f") == sum(map(len, grouped.values()))


def test_pairs_that_were_not_computed_are_none_and_not_empty(pairs):
    pairs.write("candidates", "v1", "f", RankedLists.of({}))
    assert pairs.read("candidates", "v1", "0") is None
    assert pairs.read("candidates", "v2", "f") is None
    assert pairs.read("rankings", "v1", "f") is None
    assert pairs.count("rankings", "v1", "f") is None


@pytest.mark.parametrize("damage", [lambda _: b"", lambda stored: stored[:-1], lambda stored: stored[:50]])
def test_damaged_pairs_are_corrupt(pairs, blobs, damage):
    pairs.write("rankings", "v1", "f", RankedLists.of({"a": [("b", 1.0)]}))
    name = "indexes/v1/rankings/f.parquet"
    blobs.write("cepstra", name, damage(blobs.read("cepstra", name)))
    with pytest.raises(CorruptIndex, match=rf"cepstra/{name}: the stored rankings are damaged\. Delete that blob"):
        pairs.read("rankings", "v1", "f")
    with pytest.raises(CorruptIndex, match="the stored rankings are damaged"):
        pairs.count("rankings", "v1", "f")


def test_what_is_deleted_is_not_there_in_any_stage_and_the_rest_is(pairs):
    some = RankedLists.of({"a": [("b", 1.0)]})
    for part in ("upload", "other"):
        for stage in ("candidates", "rankings"):
            pairs.write(stage, "v1", part, some)

    pairs.delete("v1", "upload")
    pairs.delete("v1", "upload")

    for stage in ("candidates", "rankings"):
        assert pairs.read(stage, "v1", "upload") is None
        assert pairs.read(stage, "v1", "other") == some
