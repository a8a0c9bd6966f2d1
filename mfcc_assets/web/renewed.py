"""Something that is kept for a while and then made anew, without letting requests wait for it."""

import time
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

_Made = TypeVar("_Made")


class Renewed(Generic[_Made]):
    """Keeps one thing. One thread makes it anew, while the others get the former one.

    Parameters
    ----------
    seconds
        Time after which it is made anew.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: tuple[Hashable, float, _Made] | None = None
        self._making = Lock()

    def get(self, version: Hashable, make: Callable[[], _Made]) -> _Made:
        """Return the thing. It is made anew for another version, too. Nothing changes if `make` raises an error."""
        kept = self._kept
        if kept is not None and (self._is_fresh(version) or not self._making.acquire(blocking=False)):
            return kept[2]
        if kept is None:
            self._making.acquire()
        try:
            # Another thread may have made it since.
            if self._kept is None or not self._is_fresh(version):
                made = make()
                self._kept = (version, time.monotonic(), made)
            return self._kept[2]
        finally:
            self._making.release()

    def _is_fresh(self, version: Hashable) -> bool:
        kept = self._kept
        return kept is not None and kept[0] == version and time.monotonic() - kept[1] < self._seconds
