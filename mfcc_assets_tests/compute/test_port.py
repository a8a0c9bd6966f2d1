"""What the port checks of every engine."""

import pickle
from collections.abc import Callable, Iterator
from itertools import islice

import pyarrow as pa
import pytest

from mfcc_assets.compute.port import Compute, Work, error_of
from mfcc_assets.errors import ComputeFailed, FeaturesMissing, SilentAudio, WorkFailed
from mfcc_assets_tests.compute.sample_work import numbers, work_named

WORK = work_named("halve", {"home": "/music"})
ITEMS = numbers(range(6))


def results(items: pa.Table) -> pa.RecordBatch:
    every = {
        **{name: items[name].to_pylist() for name in ("key", "shard")},
        **{name: [None] * items.num_rows for name in WORK.result.names if name not in ("key", "shard")},
    }
    return pa.RecordBatch.from_pydict(every, WORK.result)


class _EngineThat:
    def __init__(self, answer: Callable[[pa.Table], list[pa.RecordBatch]]) -> None:
        self._answer = answer

    def results(self, _work: Work, parts: Iterator[pa.Table], _on_progress) -> Iterator[pa.RecordBatch]:
        for items in parts:
            yield from self._answer(items)


def test_work_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(WORK)) == WORK


def test_results_in_any_order_and_in_any_batches_are_complete() -> None:
    engine = _EngineThat(lambda items: [results(items.slice(3)), results(items.slice(0, 3))])

    found = [key for batch in Compute(engine).run(WORK, ITEMS) for key in batch["key"].to_pylist()]

    assert sorted(found) == ITEMS["key"].to_pylist()


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (lambda items: [results(items.slice(1))], "it did not return 0000"),
        (lambda _: [], "it did not return 0000, 0001, 0002 and 3 more"),
        (lambda items: [results(items), results(items.slice(5))], "it returned 0005 once too often"),
        (lambda _: [results(numbers([7]))], "it returned 0007 once too often"),
        (lambda items: [results(items).drop_columns(["half"])], "it returned .* instead of"),
    ],
)
def test_an_engine_that_loses_doubles_or_invents_something_is_found_out(answer, what: str) -> None:
    with pytest.raises(ComputeFailed, match=rf"sample_work:halve: the engine is at fault: {what}.*Run it again"):
        list(Compute(_EngineThat(answer)).run(WORK, ITEMS))


def test_an_engine_is_not_even_asked_if_nothing_is_missing() -> None:
    def fail(_: pa.Table) -> list[pa.RecordBatch]:
        raise AssertionError

    assert list(Compute(_EngineThat(fail)).run(WORK, ITEMS.slice(0, 0))) == []


def test_parts_are_taken_when_the_engine_can_begin_them_and_those_without_items_are_left_out() -> None:
    taken = list[int]()

    def parts() -> Iterator[pa.Table]:
        for number in range(4):
            taken.append(number)
            yield numbers([number] if number != 1 else [])

    running = Compute(_EngineThat(lambda items: [results(items)])).run_parts(WORK, parts())

    assert [(key, list(taken)) for batch in running for key in batch["key"].to_pylist()] == [
        ("0000", [0]),
        ("0002", [0, 1, 2]),
        ("0003", [0, 1, 2, 3]),
    ]


def test_an_engine_that_leaves_parts_out_is_found_out() -> None:
    class First(_EngineThat):
        def results(self, work: Work, parts: Iterator[pa.Table], on_activity) -> Iterator[pa.RecordBatch]:
            yield from super().results(work, islice(parts, 1), on_activity)

    parts = [numbers([1]), numbers([2])]
    with pytest.raises(ComputeFailed, match="it did not take 0002"):
        list(Compute(First(lambda items: [results(items)])).run_parts(WORK, parts))


def test_a_key_of_a_part_must_not_be_in_another_one_that_is_not_done() -> None:
    class All(_EngineThat):
        def results(self, work: Work, parts: Iterator[pa.Table], on_activity) -> Iterator[pa.RecordBatch]:
            yield from super().results(work, iter(list(parts)), on_activity)

    with pytest.raises(ValueError, match="0001"):
        list(Compute(All(lambda items: [results(items)])).run_parts(WORK, [numbers([1]), numbers([1, 2])]))


def test_keys_must_be_unique() -> None:
    with pytest.raises(ValueError, match="0001"):
        list(Compute(_EngineThat(lambda _: [])).run(WORK, numbers([1, 1, 2])))


@pytest.mark.parametrize(
    ("code", "kind"), [("SilentAudio", SilentAudio), ("FeaturesMissing", FeaturesMissing), ("Unknown", WorkFailed)]
)
def test_the_error_of_a_row_is_of_its_class_again(code: str, kind: type) -> None:
    told = {"what": "it failed", "subject": "song", "remedy": "Try again", "traceback": ""}

    error = error_of({"error_code": code, "error": told})

    assert type(error) is kind
    assert str(error) == "song: it failed. Try again."


def test_a_row_without_a_code_has_no_error() -> None:
    assert error_of({"error_code": None, "error": None}) is None
