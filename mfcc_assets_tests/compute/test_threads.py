"""The engine of this machine. `test_engines` has what holds for every engine."""

import threading
from importlib import import_module
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from mfcc_assets.compute import local
from mfcc_assets.compute.context import Context
from mfcc_assets.compute.port import Activity
from mfcc_assets.compute.threads import ThreadsEngine
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.compute.sample_work import numbers, work_named


def test_each_item_is_told_when_it_begins(tmp_path) -> None:
    engine, told = ThreadsEngine(Context(Library(Settings(home=tmp_path, min_seconds=2.5)))), list[Activity]()

    list(engine.results(work_named("halve", {}), iter([numbers(range(5))]), told.append))

    assert sorted(key for progress in told for key in progress.begun) == [f"{number:04}" for number in range(5)]


def test_a_single_item_needs_no_other_thread(tmp_path) -> None:
    engine, threads = ThreadsEngine(Context(Library(Settings(home=tmp_path, min_seconds=2.5)))), set[int]()

    def tell(_: Activity) -> None:
        threads.add(threading.get_ident())

    assert len(list(engine.results(work_named("halve", {}, at_once=5), iter([numbers([1])]), tell))) == 1
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize(("count", "cores", "threads"), [(2, 2, 1), (9, 2, 1), (3, 4, 1), (2, 4, 2), (4, 8, 2)])
def test_the_threads_of_all_slices_are_no_more_than_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, cores: int, threads: int
) -> None:
    monkeypatch.setattr(local, "WORKERS", cores)
    engine = ThreadsEngine(Context(Library(Settings(home=tmp_path))))

    found = engine.results(work_named("tell_cores", {}), iter([numbers(range(count))]), lambda _: None)

    assert [half for batch in found for half in batch["half"].to_pylist()] == [threads] * count


def test_the_only_slice_may_use_all_cores(tmp_path: Path) -> None:
    context = Context(Library(Settings(home=tmp_path)))

    (found,) = ThreadsEngine(context).results(work_named("tell_cores", {}), iter([numbers([1])]), lambda _: None)

    assert found["half"].to_pylist() == [local.WORKERS]


@pytest.mark.parametrize(("count", "threads"), [(1, 2), (9, 1)])
def test_libraries_get_threads_only_if_there_is_one_slice(tmp_path: Path, count: int, threads: int) -> None:
    # FAISS brings OpenMP, which has a limit for each thread, unlike other libraries.
    import_module("faiss")
    engine = ThreadsEngine(Context(Library(Settings(home=tmp_path))))

    with threadpool_limits(2):
        batches = list(engine.results(work_named("tell_threads", {}), iter([numbers(range(count))]), lambda _: None))
        after = {pool["num_threads"] for pool in threadpool_info()}

    assert [half for batch in batches for half in batch["half"].to_pylist()] == [threads] * count
    assert after == {2}


@pytest.mark.parametrize("at_once", [8, 1_000])
def test_items_are_cut_into_slices_for_all_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(local, "WORKERS", 2)
    engine = ThreadsEngine(Context(Library(Settings(home=tmp_path))))

    found = engine.results(work_named("tell_cores", {}, at_once=at_once), iter([numbers(range(9))]), lambda _: None)

    assert sorted(batch.num_rows for batch in found) == [3, 3, 3]
