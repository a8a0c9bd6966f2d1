"""Shards are yielded as soon as they are complete."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pytest

from mfcc_assets.compute import local
from mfcc_assets.compute.context import Context
from mfcc_assets.compute.port import Compute, Work
from mfcc_assets.compute.threads import ThreadsEngine
from mfcc_assets.errors import MfccError
from mfcc_assets.library import Library
from mfcc_assets.pipeline import work_on_shards
from mfcc_assets.pipeline.work_on_shards import completed_shards
from mfcc_assets.settings import Settings
from mfcc_assets_tests.compute.sample_work import POISONED, numbers, work_named


@dataclass(frozen=True)
class _Plan:
    shard: str
    items: pa.Table


def plan(shard: str, *every: int) -> _Plan:
    items = numbers(every)
    return _Plan(shard, items.set_column(1, "shard", pa.array([shard] * len(every), pa.string())))


@pytest.fixture
def compute(tmp_path) -> Compute:
    return Compute(ThreadsEngine(Context(Library(Settings(home=tmp_path, min_seconds=2.5)))))


@pytest.fixture
def work() -> Work:
    return work_named("halve", {}, at_once=2)


def unexpected(key: str, error: MfccError) -> None:
    raise AssertionError(key) from error


def test_each_shard_comes_with_all_its_results(compute, work) -> None:
    plans = [plan("a", 1, 2, 3), plan("b"), plan("c", 4)]

    found = {
        each.shard: sorted(results["half"].to_pylist())
        for each, results in completed_shards(compute, work, plans, on_failure=unexpected)
    }

    assert found == {"a": [0.5, 1.0, 1.5], "b": [], "c": [2.0]}


def test_a_shard_with_a_failure_is_left_out_and_the_failure_is_told(compute, work) -> None:
    failures = list[str]()
    plans = [plan("a", 1, POISONED), plan("b", 2)]

    found = [
        each.shard for each, _ in completed_shards(compute, work, plans, on_failure=lambda key, _: failures.append(key))
    ]

    assert (found, failures) == (["b"], ["0200"])


def test_on_one_core_shards_come_in_their_order(compute, work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "WORKERS", 1)
    plans = [plan("a"), plan("b", 1, 2, 3), plan("c"), plan("d", 4), plan("e", POISONED), plan("f")]

    found = [each.shard for each, _ in completed_shards(compute, work, plans, on_failure=lambda *_: None)]

    assert found == ["a", "b", "c", "d", "f"]


def test_shards_are_planned_in_groups(compute, work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_on_shards, "ITEMS_AT_ONCE", 2)
    planned = list[str]()

    def plans() -> Iterator[_Plan]:
        for number, shard in enumerate("abcd"):
            planned.append(shard)
            yield plan(shard, number)

    found = completed_shards(compute, work, plans(), on_failure=unexpected)
    next(found)

    assert planned == ["a", "b"]
    assert len(list(found)) == 3
