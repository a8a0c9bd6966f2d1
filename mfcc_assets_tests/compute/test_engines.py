"""The contract of all engines: what the port promises, whichever does the work."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from mfcc_assets.compute.chosen import compute_of
from mfcc_assets.compute.context import Context, settings_of_work
from mfcc_assets.compute.port import Compute
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.compute.sample_work import POISONED, SILENT, numbers, work_named

MakeSettings = Callable[..., Settings]


@pytest.fixture(params=["local", "spark", "connect"])
def settings_of_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Return settings that choose each engine in turn."""
    if request.param == "local":
        return Settings(home=tmp_path, min_seconds=2.5)
    servers = request.getfixturevalue("spark")
    master = servers.master if request.param == "spark" else servers.connect
    return Settings(home=tmp_path, min_seconds=2.5, compute="spark", spark_master=master)


@pytest.fixture
def compute(settings_of_engine: Settings) -> Compute:
    return compute_of(Context(Library(settings_of_engine)))


def rows_of(compute: Compute, settings: Settings, function: str, *every: int, folder: Path | str = "") -> list[dict]:
    """Return the results by key."""
    work = work_named(function, settings_of_work(settings), at_once=3)
    rows = [row for batch in compute.run(work, numbers(every, folder)) for row in batch.to_pylist()]
    return sorted(rows, key=lambda row: row["key"])


def test_every_item_comes_back_once_with_its_columns(compute, settings_of_engine) -> None:
    rows = rows_of(compute, settings_of_engine, "halve", *range(40))

    assert [row["key"] for row in rows] == [f"{number:04}" for number in range(40)]
    assert [row["half"] for row in rows] == [number / 2 for number in range(40)]
    assert [row["parts"] for row in rows] == [[number, -number] for number in range(40)]
    assert [row["shard"] for row in rows] == [str(number % 4) for number in range(40)]
    assert all(row["error_code"] is None and row["milliseconds"] >= 0 for row in rows)


def test_unusable_and_poisoned_items_are_errors_that_name_them_and_the_others_succeed(
    compute, settings_of_engine
) -> None:
    rows = rows_of(compute, settings_of_engine, "halve", 1, SILENT, 2, POISONED, 3)

    assert [row["error_code"] for row in rows] == [None, None, None, "SilentAudio", "WorkFailed"]
    assert [row["half"] for row in rows] == [0.5, 1.0, 1.5, None, None]
    assert rows[3]["error"]["what"] == "it is silent"
    assert rows[4]["error"]["subject"] == "0200"
    assert "it is poisoned" in rows[4]["error"]["traceback"]


def test_items_may_come_in_chunks_of_which_some_are_empty(compute, settings_of_engine) -> None:
    work = work_named("halve", settings_of_work(settings_of_engine), at_once=3)
    items = pa.concat_tables([numbers([1]), numbers([]), numbers([2, 3])])

    found = [half for batch in compute.run(work, items) for half in batch["half"].to_pylist()]

    assert sorted(found) == [0.5, 1.0, 1.5]


def test_items_may_come_in_parts(compute, settings_of_engine) -> None:
    work = work_named("halve", settings_of_work(settings_of_engine), at_once=3)
    parts = (numbers(every) for every in ([1, 2, 3, 4], [], [5], [6, SILENT]))

    rows = [row for batch in compute.run_parts(work, parts) for row in batch.to_pylist()]

    assert sorted(row["key"] for row in rows) == ["0001", "0002", "0003", "0004", "0005", "0006", "0100"]
    assert [row["key"] for row in rows if row["error_code"]] == ["0100"]


def test_nothing_is_done_for_no_items(compute, settings_of_engine) -> None:
    assert rows_of(compute, settings_of_engine, "halve") == []


def test_work_that_is_abandoned_is_not_done_to_its_end(compute, settings_of_engine, tmp_path) -> None:
    every, folder = range(200), tmp_path / "written"
    folder.mkdir()
    running = compute.run(work_named("write_slowly", settings_of_work(settings_of_engine)), numbers(every, folder))

    next(running)
    running.close()

    assert len(list(folder.iterdir())) < len(every)
    assert len(rows_of(compute, settings_of_engine, "halve", 1, 2)) == 2
