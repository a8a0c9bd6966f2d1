"""Stored candidates and rankings."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.ids import AudioId, UploadId
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.ranked_lists import RankedLists, merged
from mfcc_assets.storage.ranking_store import MOST_LAYERS, STAGES, RankingStore

LISTS = RankedLists.of({AudioId("a"): [(AudioId("b"), 1.0)]})
UPLOAD = UploadId("upload")


@pytest.fixture
def blobs(local_blobs: LocalBlobs) -> LocalBlobs:
    return local_blobs


@pytest.fixture
def rankings(blobs: LocalBlobs) -> RankingStore:
    return RankingStore(blobs)


def many(count: int, distance: float = 0.5) -> dict[AudioId, list[tuple[AudioId, float]]]:
    """Return lists of many queries."""
    return {AudioId(f"{number:032x}"): [(AudioId("f" * 32), distance)] for number in range(count)}


def layers(blobs: LocalBlobs) -> list[str]:
    return [blob.name for blob in blobs.list("cepstra", "ranking_layers/")]


@pytest.mark.parametrize("grouped", [{}, {"a": [("b", 1 / 3), ("c", 2.0)], "b": [("a", 1e-300)]}, many(3)])
def test_written_lists_can_be_read(rankings, grouped):
    rankings.write("candidates", "v1", "f", RankedLists.of(grouped, dict.fromkeys(grouped, 0.7)))
    found = rankings.read("candidates", "v1", "f")
    assert found.by_query() == grouped
    heads = rankings.read_heads("candidates", "v1", "f")
    assert list(heads.queries) == sorted(grouped)
    assert heads.lengths.tolist() == [len(grouped[query]) for query in sorted(grouped)]
    assert heads.limits.tolist() == found.limits.tolist() == [0.7] * len(grouped)


def test_lists_that_were_not_computed_are_none_and_not_empty(rankings):
    rankings.write("candidates", "v1", "f", RankedLists.of({}))
    assert rankings.read("candidates", "v1", "f").by_query() == {}
    assert rankings.is_stored("candidates", "v1", "f")
    for stage, version, shard in [("candidates", "v1", "0"), ("candidates", "v2", "f"), ("rankings", "v1", "f")]:
        assert rankings.read(stage, version, shard) is None
        assert rankings.read_heads(stage, version, shard) is None
        assert not rankings.is_stored(stage, version, shard)


@given(st.lists(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3), max_size=4), min_size=1, max_size=30))
def test_a_version_has_the_lists_of_the_former_one_with_its_changes(tmp_path_factory, every):
    folder = tmp_path_factory.mktemp("blobs")
    rankings = RankingStore(LocalBlobs(folder, lambda: b"key"))
    expected, states = many(20), []
    rankings.write("rankings", "0", "f", RankedLists.of(expected))
    for number, changes in enumerate(every):
        lists = {
            AudioId(name): [(AudioId("z"), float(place)) for place in range(size)] for name, size in changes.items()
        }
        rankings.write_changes("rankings", str(number + 1), "f", RankedLists.of(lists), former=str(number))
        expected = {query: found for query, found in {**expected, **lists}.items() if found}
        states.append(expected)
        changed = rankings.read_changes("rankings", str(number + 1), "f", since=str(number))
        assert changed is None or set(lists) <= set(changed.queries)

    for number, expected in enumerate(states, start=1):
        read = rankings.read("rankings", str(number), "f")
        heads = rankings.read_heads("rankings", str(number), "f")
        assert read is not None
        assert heads is not None
        assert read.by_query() == expected
        assert list(heads.queries) == sorted(expected)


def test_a_change_writes_as_much_as_it_changes_and_not_as_much_as_there_is(rankings, blobs):
    sizes = {}
    for count in (10, 10_000):
        version = f"v{count}"
        rankings.write("rankings", version, "f", RankedLists.of(many(count)))
        before = set(layers(blobs))
        rankings.write_changes("rankings", f"{version} and one", "f", LISTS, former=version)
        sizes[count] = sum(blob.size for blob in blobs.list("cepstra", "ranking_layers/") if blob.name not in before)
    assert 0 < sizes[10] < 5_000
    assert sizes[10_000] <= sizes[10]


def test_few_layers_are_read(rankings, blobs):
    rankings.write("rankings", "0", "f", RankedLists.of(many(100)))
    first = set(layers(blobs))
    for number in range(3 * MOST_LAYERS):
        changes = RankedLists.of({AudioId(f"{number:032x}"): [(AudioId("new"), 0.1)]})
        rankings.write_changes("rankings", str(number + 1), "f", changes, former=str(number))
    rankings.delete_unused_layers()
    read = rankings.read("rankings", str(3 * MOST_LAYERS), "f")
    assert sum(found == [("new", 0.1)] for found in read.by_query().values()) == 3 * MOST_LAYERS
    assert len(read) == 100
    assert first <= set(layers(blobs)), "a few changes do not write all lists again"


def test_many_changes_make_one_layer(rankings):
    rankings.write("rankings", "0", "f", RankedLists.of(many(10)))
    rankings.write_changes("rankings", "1", "f", RankedLists.of(many(6, 0.2)), former="0")
    assert rankings.read_changes("rankings", "1", "f", since="0") is None
    assert rankings.read("rankings", "1", "f").by_query() == {**many(10), **many(6, 0.2)}


def test_changes_of_lists_that_are_missing_are_refused(rankings):
    with pytest.raises(CorruptIndex, match="v1/rankings/f"):
        rankings.write_changes("rankings", "v2", "f", LISTS, former="v1")


def test_layers_of_deleted_versions_are_deleted_after_an_hour(rankings, blobs, monkeypatch):
    rankings.write("rankings", "v1", "f", RankedLists.of(many(10)))
    rankings.write_changes("rankings", "v2", "f", LISTS, former="v1")
    rankings.write("rankings", "v3", "f", RankedLists.of(many(3)))
    blobs.delete("cepstra", "indexes/v3/rankings/f.json")
    blobs.delete("cepstra", "indexes/v1/rankings/f.json")
    every = set(layers(blobs))
    rankings.delete_unused_layers()
    assert set(layers(blobs)) == every, "a version may be about to use them"

    monkeypatch.setattr("mfcc_assets.storage.ranking_store._BEING_WRITTEN", timedelta(hours=-1))
    rankings.delete_unused_layers()

    assert len(layers(blobs)) == len(every) - 2
    assert rankings.read("rankings", "v2", "f").by_query() == many(10) | LISTS.by_query()


def test_nothing_is_deleted_while_a_description_is_damaged(rankings, blobs):
    rankings.write("rankings", "v1", "f", LISTS)
    blobs.write("cepstra", "indexes/v1/rankings/f.json", b"{}")
    with pytest.raises(CorruptIndex, match="v1/rankings/f"):
        rankings.delete_unused_layers()
    assert layers(blobs)


@pytest.mark.parametrize("damage", [lambda _: b"", lambda stored: stored[:-1], lambda stored: stored[:50]])
@pytest.mark.parametrize("kind", ["description", "heads", "rows"])
def test_damaged_lists_are_corrupt(rankings, blobs, kind, damage):
    rankings.write("rankings", "v1", "f", LISTS)
    description = "indexes/v1/rankings/f.json"
    name = description if kind == "description" else next(name for name in layers(blobs) if name.endswith(kind))
    blobs.write("cepstra", name, damage(blobs.read("cepstra", name)))
    with pytest.raises(CorruptIndex, match=rf"cepstra/{description}: the stored rankings are damaged\. The next run"):
        rankings.read("rankings", "v1", "f")
    (stored,) = rankings.stored()
    with pytest.raises(CorruptIndex, match=description):
        rankings.check(stored)

    rankings.write("rankings", "v1", "f", LISTS)
    assert rankings.read("rankings", "v1", "f").by_query() == LISTS.by_query(), "written again, it is whole"


@pytest.mark.parametrize("place", ["v1/rankings/0", "v2/rankings/f", "v1/candidates/f"])
def test_lists_at_the_place_of_others_are_corrupt(rankings, blobs, place):
    rankings.write("rankings", "v1", "f", LISTS)
    blobs.copy("cepstra", "indexes/v1/rankings/f.json", "cepstra", f"indexes/{place}.json")
    version, stage, shard = place.split("/")
    with pytest.raises(CorruptIndex, match=place):
        rankings.read(stage, version, shard)


@pytest.mark.parametrize("found", [[], [(AudioId("b"), 0.5), (AudioId("a"), 0.7)]])
def test_the_list_of_an_upload_is_read_as_it_was_written(rankings, found):
    rankings.write_upload("candidates", "v1", UPLOAD, found)
    assert rankings.read_upload("candidates", "v1", UPLOAD) == found
    assert rankings.read_upload("rankings", "v1", UPLOAD) is None


@pytest.mark.parametrize("damage", [lambda _: b"", lambda stored: stored[:-1], lambda stored: stored[:50]])
def test_a_damaged_list_of_an_upload_is_corrupt(rankings, blobs, damage):
    rankings.write_upload("rankings", "v1", UPLOAD, [(AudioId("b"), 0.5)])
    name = f"indexes/v1/rankings/{UPLOAD}.npz"
    blobs.write("cepstra", name, damage(blobs.read("cepstra", name)))
    with pytest.raises(CorruptIndex, match=rf"cepstra/{name}: the stored rankings are damaged"):
        rankings.read_upload("rankings", "v1", UPLOAD)


def test_the_list_of_another_upload_is_corrupt(rankings, blobs):
    rankings.write_upload("rankings", "v1", UPLOAD, [])
    blobs.copy("cepstra", f"indexes/v1/rankings/{UPLOAD}.npz", "cepstra", "indexes/v1/rankings/other.npz")
    with pytest.raises(CorruptIndex, match="other"):
        rankings.read_upload("rankings", "v1", UploadId("other"))


def test_deleting_an_upload_deletes_its_lists_in_every_stage(rankings):
    for upload in (UPLOAD, UploadId("other")):
        for stage in STAGES:
            rankings.write_upload(stage, "v1", upload, [(AudioId("b"), 0.5)])

    rankings.delete_upload("v1", UPLOAD)
    rankings.delete_upload("v1", UPLOAD)

    for stage in STAGES:
        assert rankings.read_upload(stage, "v1", UPLOAD) is None
        assert rankings.read_upload(stage, "v1", UploadId("other"))


def test_the_newest_of_several_layers_wins():
    first, second = RankedLists.of(many(3)), RankedLists.of({**many(1, 0.1), AudioId(f"{2:032x}"): []})
    assert merged([first, second]).by_query() == {**dict(list(many(2).items())), **many(1, 0.1)}
    assert np.isinf(merged([first, second]).limits).all()
