"""A cache of byte strings in memory, with a bound on their sizes together."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock


class ByteCache:
    """Keeps byte strings that were used lately. Threads may share it.

    Parameters
    ----------
    most_bytes
        Bound on the sizes of all kept byte strings together. A larger one is not kept at all.

    Examples
    --------
    >>> cache = ByteCache(most_bytes=5)
    >>> cache.get_or_make("a", lambda: b"abc"), cache.get_or_make("a", lambda: b"is not called")
    (b'abc', b'abc')
    >>> cache.get_or_make("b", lambda: b"def"), cache.get_or_make("a", lambda: b"made anew")
    (b'def', b'made anew')
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._bytes = 0
        self._drops = 0
        self._lock = Lock()

    def get_or_make(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """Return what is kept under a key, or make it and keep it.

        Two threads may make the same at the same time. Nothing is kept if `make` raises an error, or if `drop` was
        called meanwhile, because what is made may be of what was just deleted.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            drops = self._drops
        made = make()
        with self._lock:
            self._remove(key)
            if len(made) <= self._most_bytes and drops == self._drops:
                self._kept[key] = made
                self._bytes += len(made)
            while self._bytes > self._most_bytes:
                self._remove(next(iter(self._kept)))
        return made

    def drop(self, is_dropped: Callable[[Hashable], bool]) -> None:
        """Remove what is kept under the keys for which a function is true."""
        with self._lock:
            self._drops += 1
            for key in [key for key in self._kept if is_dropped(key)]:
                self._remove(key)

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return self._bytes

    def _remove(self, key: Hashable) -> None:
        self._bytes -= len(self._kept.pop(key, b""))
