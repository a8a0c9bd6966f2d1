"""Waiting in tests for what happens in other threads and processes."""

import time
from collections.abc import Callable
from typing import TypeVar

_Found = TypeVar("_Found")


def wait_for(find: Callable[[], _Found | None], seconds: float = 60) -> _Found:
    """Return what a function finds, as soon as it finds something."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = find()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")
