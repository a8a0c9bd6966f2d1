import threading
from collections.abc import Generator, Iterator

import pytest

from mfcc_assets.compute.local import WORKERS, on_all_cores, on_threads

PATIENCE = 10


def test_every_item_is_yielded_with_its_result() -> None:
    assert dict(on_all_cores(lambda number: number**2, range(100))) == {number: number**2 for number in range(100)}


def test_as_many_items_are_processed_at_once_as_there_are_cores() -> None:
    together = threading.Barrier(WORKERS)
    assert len(list(on_all_cores(lambda _: together.wait(PATIENCE), range(WORKERS)))) == WORKERS


def test_results_of_one_thread_come_in_the_order_of_the_items() -> None:
    assert [item for item, _ in on_threads(str, range(5_000), threads=1)] == list(range(5_000))


def test_items_are_taken_only_when_a_thread_needs_them() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1_000):
            taken.append(number)
            yield number

    results = on_all_cores(str, items())
    next(results)
    assert len(taken) <= 3 * WORKERS
    assert isinstance(results, Generator)
    results.close()


def test_an_exception_of_the_function_is_raised_to_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        list(on_all_cores(lambda number: 1 // number, [1, 0, 2]))
