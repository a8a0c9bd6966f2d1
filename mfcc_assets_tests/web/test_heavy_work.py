"""Tests of the bound on heavy work of requests."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock

import pytest
from werkzeug.exceptions import ServiceUnavailable

from mfcc_assets.web.heavy_work import HeavyWork


def test_a_few_work_at_once_and_all_get_their_turn() -> None:
    heavy, lock = HeavyWork(at_once=2, most_waiting=8), Lock()
    working = most = 0

    def work(_: int) -> None:
        nonlocal working, most
        with heavy.turn():
            with lock:
                working += 1
                most = max(most, working)
            Event().wait(0.01)
            with lock:
                working -= 1

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(work, range(10)))
    assert most <= 2


def test_when_enough_wait_more_are_refused_until_a_turn_ends() -> None:
    heavy = HeavyWork(at_once=1, most_waiting=0)
    with heavy.turn(), pytest.raises(ServiceUnavailable), heavy.turn():
        pass
    with heavy.turn():
        pass


def test_a_turn_ends_with_an_error_too() -> None:
    heavy = HeavyWork(at_once=1, most_waiting=0)
    with pytest.raises(ValueError, match="broken"), heavy.turn():
        raise ValueError("broken")
    with heavy.turn():
        pass
