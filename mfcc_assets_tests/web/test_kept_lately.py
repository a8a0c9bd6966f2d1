"""Tests of the cache of what was made lately."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.web.kept_lately import KeptLately


@given(st.lists(st.integers(0, 30), max_size=40))
def test_the_bound_holds_whatever_is_made_and_the_right_bytes_come_back(sizes: list[int]) -> None:
    cache = KeptLately(50, len)
    for size in sizes:
        assert cache.get_or_make(size, lambda size=size: b"x" * size) == b"x" * size  # type: ignore[misc]
        assert cache.size <= 50


def test_what_is_too_large_is_not_kept() -> None:
    cache = KeptLately(2, len)

    assert cache.get_or_make("a", lambda: b"abc") == b"abc"
    assert cache.get_or_make("a", lambda: b"new") == b"new"
    assert cache.size == 0


def test_what_was_used_last_stays() -> None:
    cache = KeptLately(2, len)
    for key in "aba":
        cache.get_or_make(key, lambda: b"1")
    cache.get_or_make("c", lambda: b"1")

    assert cache.get_or_make("a", lambda: b"2") == b"1"
    assert cache.get_or_make("b", lambda: b"2") == b"2"


def test_one_thread_makes_a_thing_and_the_others_wait_for_it() -> None:
    cache: KeptLately[bytes] = KeptLately(10, len)
    made: list[bytes] = []
    begun, go_on = Event(), Event()

    def make() -> bytes:
        begun.set()
        assert go_on.wait(30)
        made.append(b"made")
        return b"made"

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(cache.get_or_make, "a", make) for _ in range(4)]
        assert begun.wait(30)
        assert cache.get_or_make("b", lambda: b"other") == b"other"
        go_on.set()
        assert [each.result(30) for each in asked] == [b"made"] * 4
    assert made == [b"made"]


def test_what_is_dropped_while_it_is_made_is_not_kept() -> None:
    cache: KeptLately[bytes] = KeptLately(10, len)

    def make() -> bytes:
        cache.drop(lambda key: key == "a")
        return b"made"

    assert cache.get_or_make("a", make) == b"made"
    assert cache.size == 0
