"""A cache of what was made lately, with a bound on the sizes together."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

_Made = TypeVar("_Made")


@dataclass(eq=False)
class _Making:
    """Something that a thread makes now, while others may wait for it."""

    turn: Lock = field(default_factory=Lock)
    threads: int = 0
    is_wanted: bool = True


class KeptLately(Generic[_Made]):
    """Keeps what was used lately. Threads may share it: one makes a thing, and the others wait for it.

    Parameters
    ----------
    most
        Bound on the sizes of all kept things together. A larger one is not kept at all.
    size_of
        Returns the size of a thing.

    Examples
    --------
    >>> cache = KeptLately(5, len)
    >>> cache.get_or_make("a", lambda: b"abc"), cache.get_or_make("a", lambda: b"is not called")
    (b'abc', b'abc')
    >>> cache.get_or_make("b", lambda: b"def"), cache.get_or_make("a", lambda: b"made anew")
    (b'def', b'made anew')
    """

    def __init__(self, most: int, size_of: Callable[[_Made], int]) -> None:
        self._most, self._size_of = most, size_of
        self._kept: OrderedDict[Hashable, _Made] = OrderedDict()
        self._making: dict[Hashable, _Making] = {}
        self._size = 0
        self._lock = Lock()

    def get_or_make(self, key: Hashable, make: Callable[[], _Made]) -> _Made:
        """Return what is kept under a key, or make it and keep it. Nothing is kept if `make` raises an error."""
        with self._lock:
            if key in self._kept:
                return self._used(key)
            making = self._making.setdefault(key, _Making())
            making.threads += 1
        try:
            with making.turn:
                with self._lock:
                    if key in self._kept:
                        return self._used(key)
                made = make()
                with self._lock:
                    if making.is_wanted:
                        self._keep(key, made)
                return made
        finally:
            with self._lock:
                making.threads -= 1
                if not making.threads and self._making.get(key) is making:
                    del self._making[key]

    def drop(self, is_dropped: Callable[[Hashable], bool]) -> None:
        """Remove what is kept under the keys for which a function is true. What is made now is not kept either."""
        with self._lock:
            for key in [key for key in self._kept if is_dropped(key)]:
                self._remove(key)
            for key in [key for key in self._making if is_dropped(key)]:
                self._making.pop(key).is_wanted = False

    @property
    def size(self) -> int:
        """Size of what is kept."""
        return self._size

    def _used(self, key: Hashable) -> _Made:
        self._kept.move_to_end(key)
        return self._kept[key]

    def _keep(self, key: Hashable, made: _Made) -> None:
        if self._size_of(made) > self._most:
            return
        self._remove(key)
        self._kept[key] = made
        self._size += self._size_of(made)
        while self._size > self._most:
            self._remove(next(iter(self._kept)))

    def _remove(self, key: Hashable) -> None:
        if key in self._kept:
            self._size -= self._size_of(self._kept.pop(key))
