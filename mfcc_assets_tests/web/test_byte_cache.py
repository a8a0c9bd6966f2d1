"""Tests of the cache of byte strings."""

from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.web.byte_cache import ByteCache


@given(st.lists(st.integers(0, 30), max_size=40))
def test_the_bound_holds_whatever_is_made_and_the_right_bytes_come_back(sizes: list[int]) -> None:
    cache = ByteCache(most_bytes=50)
    for size in sizes:
        assert cache.get_or_make(size, lambda size=size: b"x" * size) == b"x" * size  # type: ignore[misc]
        assert cache.size <= 50


def test_what_is_too_large_is_not_kept() -> None:
    cache = ByteCache(most_bytes=2)

    assert cache.get_or_make("a", lambda: b"abc") == b"abc"
    assert cache.get_or_make("a", lambda: b"new") == b"new"
    assert cache.size == 0


def test_what_was_used_last_stays() -> None:
    cache = ByteCache(most_bytes=2)
    for key in "aba":
        cache.get_or_make(key, lambda: b"1")
    cache.get_or_make("c", lambda: b"1")

    assert cache.get_or_make("a", lambda: b"2") == b"1"
    assert cache.get_or_make("b", lambda: b"2") == b"2"


def test_what_was_being_made_during_a_removal_is_not_kept() -> None:
    cache = ByteCache(most_bytes=9)

    def make() -> bytes:
        cache.drop(lambda key: key == "a")
        return b"old"

    assert cache.get_or_make("a", make) == b"old"
    assert cache.get_or_make("a", lambda: b"new") == b"new"
