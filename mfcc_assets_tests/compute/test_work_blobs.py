"""Work and its results as blobs."""

from pathlib import Path

import pyarrow as pa
import pytest

from mfcc_assets.compute.work_blobs import WorkBlobs
from mfcc_assets.errors import BlobNotFound
from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets_tests.compute.sample_work import numbers, work_named


@pytest.fixture
def exchanged(library: Library) -> WorkBlobs:
    return WorkBlobs(library.blobs, "jobs/one")


def results_of(*keys: str) -> pa.Table:
    work = work_named("halve", {})
    return pa.Table.from_pylist([{"key": key, "half": 0.5} for key in keys], schema=work.result)


def test_work_and_the_parts_of_its_items_come_back_as_they_were(exchanged: WorkBlobs, tmp_path: Path) -> None:
    work, parts = work_named("halve", {"home": str(tmp_path), "max_seconds": "9.5"}, at_once=3), {}
    for name, every in (("000001", range(5, 7)), ("000000", range(5))):
        parts[name] = numbers(every)
        exchanged.write_items(name, work, parts[name])

    assert exchanged.item_names() == ["000000", "000001"]
    assert {name: exchanged.read_items(name) for name in parts} == {name: (work, parts[name]) for name in parts}


def test_a_job_sees_when_all_parts_are_written_and_whether_its_results_are_wanted(exchanged: WorkBlobs) -> None:
    before = exchanged.has_end(), exchanged.read_sign()
    exchanged.write_end()
    exchanged.write_sign(7)

    assert (before, (exchanged.has_end(), exchanged.read_sign())) == ((False, None), (True, 7))
    assert (exchanged.item_names(), exchanged.result_names()) == ([], [])


def test_results_come_back_by_name_in_order(exchanged: WorkBlobs) -> None:
    for name, key in (("000001", "b"), ("000000", "a")):
        exchanged.write_results(name, results_of(key))

    assert exchanged.result_names() == ["000000", "000001"]
    assert exchanged.read_results("000001") == results_of("b")


def test_two_jobs_do_not_see_the_results_of_each_other(exchanged: WorkBlobs, library: Library) -> None:
    exchanged.write_results("000000", results_of("a"))

    assert WorkBlobs(library.blobs, "jobs/two").result_names() == []


def test_nothing_is_left_of_work_that_is_deleted(exchanged: WorkBlobs, library: Library) -> None:
    exchanged.write_items("000000", work_named("halve", {}), numbers([1]))
    exchanged.write_results("000000", results_of("a"))
    exchanged.write_end()
    exchanged.write_sign(1)

    exchanged.delete()

    assert list(library.blobs.list(CEPSTRA, f"{exchanged.folder}/")) == []
    with pytest.raises(BlobNotFound):
        exchanged.read_items("000000")
