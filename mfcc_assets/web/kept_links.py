"""Signed links that stay the same for a while, so that a browser keeps what they lead to."""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from mfcc_assets.library import Library

_MOST_LINKS = 10_000


class KeptLinks:
    """Makes signed links, and gives each one out again for the first half of its life. Threads may share it.

    A new link is another address, of which a browser has nothing in its cache. So a link is used as long as it lives
    for at least half the time that the settings give it.

    Parameters
    ----------
    library
        The library, with the settings.
    clock
        Returns the time in seconds.
    """

    def __init__(self, library: Library, clock: Callable[[], float] = time.monotonic) -> None:
        self._library, self._clock = library, clock
        self._kept: OrderedDict[tuple[str, str], tuple[float, str]] = OrderedDict()
        self._lock = Lock()

    def link(self, container: str, name: str) -> str:
        """Return a signed link to a blob, as `mfcc_assets.storage.blobs.port.BlobStore.link` does."""
        now, seconds = self._clock(), self._library.settings.link_seconds
        with self._lock:
            until, kept = self._kept.get((container, name), (now, ""))
        if kept and now < until:
            return kept
        made = self._library.blobs.link(container, name, seconds=seconds)
        with self._lock:
            self._kept[container, name] = (now + seconds / 2, made)
            self._kept.move_to_end((container, name))
            while len(self._kept) > _MOST_LINKS:
                self._kept.popitem(last=False)
        return made
