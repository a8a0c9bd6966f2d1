"""Tables that versions of the index share."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.ids import AudioId
from mfcc_assets.search.id_arrays import IdArray
from mfcc_assets.storage import shared_tables
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.shared_tables import MOST_CHANGES, SharedTables, Table

NAME = "points.table"
CONTENT = st.dictionaries(st.integers(0, 30), st.tuples(st.integers(0, 3), st.integers(0, 3)))


@pytest.fixture
def blobs(local_blobs: LocalBlobs) -> LocalBlobs:
    return local_blobs


@pytest.fixture
def tables(blobs: LocalBlobs) -> SharedTables:
    return SharedTables(blobs)


def table(content: dict[int, tuple[int, int]]) -> Table:
    ids = [AudioId(f"{number:032x}") for number in sorted(content)]
    return Table(IdArray.of(ids), np.array([content[each] for each in sorted(content)], np.uint16).reshape(-1, 2))


def content(found: Table | None) -> dict[int, tuple[int, int]]:
    assert found is not None
    return {int(one, 16): (x, y) for one, (x, y) in zip(found.audio_ids, found.values.tolist(), strict=True)}


def names(blobs: LocalBlobs, prefix: str) -> list[str]:
    return [blob.name for blob in blobs.list("cepstra", prefix)]


def written(blobs: LocalBlobs) -> int:
    return sum(blob.size for prefix in ("indexes/", "version_tables/") for blob in blobs.list("cepstra", prefix))


@pytest.mark.parametrize("most", [3, MOST_CHANGES])
@given(versions=st.lists(CONTENT, min_size=1, max_size=5))
def test_each_version_has_the_table_that_was_written(tmp_path_factory, most, versions):
    tables = SharedTables(LocalBlobs(tmp_path_factory.mktemp("blobs"), lambda: b"k" * 32))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_tables, "MOST_CHANGES", most)
        for number, each in enumerate(versions):
            tables.write(f"v{number}", NAME, table(each), former=f"v{number - 1}" if number else None)
    for number, each in enumerate(versions):
        assert content(tables.read(f"v{number}", NAME)) == each


def test_a_version_writes_as_much_as_it_changes_and_not_as_much_as_there_is(tables, blobs):
    taken = {}
    for size in (100, 10_000):
        every = dict.fromkeys(range(size), (1, 2))
        tables.write(f"{size}", NAME, table(every))
        before = written(blobs)
        tables.write(f"{size} and one", NAME, table(every | {size: (3, 4)}), former=f"{size}")
        taken[size] = written(blobs) - before
    assert taken[10_000] == taken[100] < 3_000


def test_a_version_that_differs_much_from_the_former_one_gets_a_whole_table(tables, blobs):
    tables.write("v1", NAME, table(dict.fromkeys(range(MOST_CHANGES + 1), (1, 2))))
    tables.write("v2", NAME, table(dict.fromkeys(range(MOST_CHANGES + 1), (3, 4))), former="v1")
    assert len(names(blobs, "version_tables/")) == 2


def test_a_table_that_was_not_written_is_none(tables):
    assert tables.read("v1", NAME) is None


@pytest.mark.parametrize("prefix", ["version_tables/", "indexes/"])
@pytest.mark.parametrize("damage", [lambda _: b"", lambda stored: stored[:-1], lambda stored: b"x" + stored[1:]])
def test_a_damaged_table_is_none_and_is_told(tables, blobs, caplog, prefix, damage):
    tables.write("v1", NAME, table({1: (2, 3)}))
    [name] = names(blobs, prefix)
    blobs.write("cepstra", name, damage(blobs.read("cepstra", name)))
    assert tables.read("v1", NAME) is None
    assert "points.table of index v1 is damaged" in caplog.text


@pytest.mark.parametrize("prefix", ["version_tables/", "indexes/v1/"])
def test_a_version_after_a_damaged_one_gets_a_whole_table(tables, blobs, prefix):
    tables.write("v1", NAME, table({1: (2, 3)}))
    for name in names(blobs, prefix):
        blobs.delete("cepstra", name)
    tables.write("v2", NAME, table({1: (2, 3), 2: (0, 0)}), former="v1")
    assert content(tables.read("v2", NAME)) == {1: (2, 3), 2: (0, 0)}


def test_a_table_with_other_columns_begins_anew(tables):
    tables.write("v1", NAME, table({1: (2, 3)}))
    other = Table(table({1: (2, 3)}).audio_ids, np.array([[2.5]]))
    tables.write("v2", NAME, other, former="v1")
    found = tables.read("v2", NAME)
    assert found is not None
    np.testing.assert_array_equal(found.values, other.values)


def test_whole_tables_of_deleted_versions_are_deleted_after_an_hour(tables, blobs, monkeypatch):
    tables.write("v1", NAME, table({1: (2, 3)}))
    tables.write("v2", NAME, table({1: (2, 3), 2: (4, 5)}), former="v1")
    tables.write("v3", NAME, table({9: (9, 9)}))
    tables.write("v4", NAME, table({8: (8, 8)}))
    for version in ("v1", "v3"):
        blobs.delete("cepstra", f"indexes/{version}/attachments/{NAME}")
    blobs.write("cepstra", f"indexes/v4/attachments/{NAME}", b"damaged")
    for other in ("published.json", "v2/index.json", "v2/attachments/lists/digest.npz"):
        blobs.write("cepstra", f"indexes/{other}", b"of another kind")
    tables.delete_unused()
    assert len(names(blobs, "version_tables/")) == 3, "a version may be about to use them"

    monkeypatch.setattr(shared_tables, "_BEING_WRITTEN", timedelta(hours=-1))
    tables.delete_unused()

    assert len(names(blobs, "version_tables/")) == 1
    assert content(tables.read("v2", NAME)) == {1: (2, 3), 2: (4, 5)}
