"""The engine of this machine. `test_engines` has what holds for every engine."""

import threading

from mfcc_assets.compute.context import Context
from mfcc_assets.compute.port import Progress
from mfcc_assets.compute.threads import ThreadsEngine
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.compute.sample_work import numbers, work_named


def test_each_item_is_told_when_it_begins(tmp_path) -> None:
    engine, told = ThreadsEngine(Context(Library(Settings(home=tmp_path, min_seconds=2.5)))), list[Progress]()

    list(engine.results(work_named("halve", {}), numbers(range(5)), told.append))

    assert sorted(key for progress in told for key in progress.begun) == [f"{number:04}" for number in range(5)]


def test_a_few_items_need_no_other_thread(tmp_path) -> None:
    engine, threads = ThreadsEngine(Context(Library(Settings(home=tmp_path, min_seconds=2.5)))), set[int]()

    def tell(_: Progress) -> None:
        threads.add(threading.get_ident())

    assert len(list(engine.results(work_named("halve", {}, at_once=5), numbers(range(5)), tell))) == 1
    assert threads == {threading.get_ident()}
