"""What every engine does with some items."""

import pyarrow as pa
import pytest
from threadpoolctl import threadpool_limits

from mfcc_assets.compute.context import Context
from mfcc_assets.compute.port import MOST_FAILED
from mfcc_assets.compute.worker import function_named, results_of, results_on_one_core, slices_of
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.compute.sample_work import NUMBERS, POISONED, SILENT, numbers, work_named


@pytest.fixture
def context(tmp_path) -> Context:
    return Context(Library(Settings(home=tmp_path, min_seconds=2.5)))


def rows_of(context: Context, function: str, *every: int) -> list[dict]:
    (batch,) = numbers(every).to_batches()
    return results_of(context, work_named(function, {}, at_once=10), batch).to_pylist()


def test_results_are_in_the_order_of_the_items(context) -> None:
    rows = rows_of(context, "halve", 3, 1, 2)

    assert [(row["key"], row["shard"], row["half"]) for row in rows] == [
        ("0003", "3", 1.5),
        ("0001", "1", 0.5),
        ("0002", "2", 1.0),
    ]
    assert all(row["error_code"] is None and row["milliseconds"] >= 0 for row in rows)


def test_only_the_item_that_fails_has_an_error(context) -> None:
    rows = rows_of(context, "halve", 1, SILENT, 2)

    assert [row["half"] for row in rows] == [0.5, None, 1.0]
    assert [row["error_code"] for row in rows] == [None, "SilentAudio", None]
    assert rows[1]["error"] == {
        "what": "it is silent",
        "subject": r"a \udce9 name",
        "remedy": "Turn it up",
        "traceback": "",
    }


def test_an_unexpected_error_is_told_with_its_item_and_its_place(context) -> None:
    (row,) = rows_of(context, "halve", POISONED)

    assert row["error_code"] == "WorkFailed"
    assert row["error"]["what"] == "its work failed (ValueError: it is poisoned)"
    assert row["error"]["subject"] == "0200"
    assert "sample_work.py" in row["error"]["traceback"]


def test_after_many_failures_one_after_the_other_the_others_are_not_tried(context, tmp_path) -> None:
    poisoned = [POISONED] * MOST_FAILED
    (batch,) = numbers([1, *poisoned, 2, 3], tmp_path).to_batches()

    rows = results_of(context, work_named("write_name", {}, at_once=100), batch).to_pylist()

    assert [row["error_code"] for row in rows] == [None, *["WorkFailed"] * (MOST_FAILED + 2)]
    assert [row["key"] for row in rows] == batch["key"].to_pylist()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["0001"]


def test_a_function_that_loses_rows_fails_on_all_items(context) -> None:
    rows = rows_of(context, "lose_a_row", 1, 2)

    assert [row["error_code"] for row in rows] == ["WorkFailed"] * 2
    assert "returned 0 rows" in rows[0]["error"]["what"]


def test_in_a_process_for_one_core_libraries_have_one_thread(context) -> None:
    with threadpool_limits(2, user_api="blas"):
        batches = list(results_on_one_core(context, work_named("tell_threads", {}, 2), numbers(range(5)).to_batches()))

    assert [batch["half"].to_pylist() for batch in batches] == [[1, 1], [1, 1], [1]]


def test_slices_are_consecutive() -> None:
    (batch,) = numbers(range(5)).to_batches()

    assert [some["number"].to_pylist() for some in slices_of(batch, 2)] == [[0, 1], [2, 3], [4]]
    assert list(slices_of(pa.RecordBatch.from_pylist([], NUMBERS), 2)) == []


def test_a_function_is_found_by_its_name() -> None:
    assert function_named("mfcc_assets_tests.compute.sample_work:halve").__name__ == "halve"
