"""The engine of this machine. `test_engines` has what holds for every engine."""

import threading
from pathlib import Path

import pytest

from mfcc_assets.compute import local
from mfcc_assets.compute.context import Context
from mfcc_assets.compute.port import Progress
from mfcc_assets.compute.threads import ThreadsEngine
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.compute.sample_work import numbers, work_named


def test_each_item_is_told_when_it_begins(tmp_path) -> None:
    engine, told = ThreadsEngine(Context(Library(Settings(home=tmp_path, min_seconds=2.5)))), list[Progress]()

    list(engine.results(work_named("halve", {}), iter([numbers(range(5))]), told.append))

    assert sorted(key for progress in told for key in progress.begun) == [f"{number:04}" for number in range(5)]


def test_a_single_item_needs_no_other_thread(tmp_path) -> None:
    engine, threads = ThreadsEngine(Context(Library(Settings(home=tmp_path, min_seconds=2.5)))), set[int]()

    def tell(_: Progress) -> None:
        threads.add(threading.get_ident())

    assert len(list(engine.results(work_named("halve", {}, at_once=5), iter([numbers([1])]), tell))) == 1
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize(("count", "cores", "one_core"), [(1, 2, 0), (2, 2, 1), (9, 2, 1), (3, 4, 0), (4, 4, 1)])
def test_the_work_on_an_item_may_use_several_cores_if_there_are_fewer_slices_than_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, cores: int, one_core: int
) -> None:
    monkeypatch.setattr(local, "WORKERS", cores)
    engine = ThreadsEngine(Context(Library(Settings(home=tmp_path))))

    found = engine.results(work_named("tell_cores", {}), iter([numbers(range(count))]), lambda _: None)

    assert [half for batch in found for half in batch["half"].to_pylist()] == [one_core] * count


@pytest.mark.parametrize("at_once", [8, 1_000])
def test_items_are_cut_into_slices_for_all_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(local, "WORKERS", 2)
    engine = ThreadsEngine(Context(Library(Settings(home=tmp_path))))

    found = engine.results(work_named("tell_cores", {}, at_once=at_once), iter([numbers(range(9))]), lambda _: None)

    assert sorted(batch.num_rows for batch in found) == [3, 3, 3]
