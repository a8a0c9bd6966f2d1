"""An index with what every answer from it needs, kept open between answers."""

import time
from functools import cached_property
from threading import Lock

from mfcc_assets.errors import NoPublishedIndex
from mfcc_assets.library import Library
from mfcc_assets.pipeline.list_order import ListOrder, list_order_of
from mfcc_assets.pipeline.nearness import pair_distances_of
from mfcc_assets.pipeline.recordings import Recordings, recordings_of
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.nearness import PairDistances
from mfcc_assets.storage.index_store import RECALL

CHECK_SECONDS = 1.0
"""Time after which `PublishedIndex` asks again which version is published."""


def published_index(library: Library) -> LibraryIndex:
    """Return the index that answers.

    Raises
    ------
    NoPublishedIndex, CorruptIndex
        If there is no index to search, or it cannot be read. During the first load of a library the message says so.
    """
    try:
        return library.indexes.published()
    except NoPublishedIndex as error:
        if library.indexes.published_version() is None and library.catalogue.progress()[1]:
            raise NoPublishedIndex(
                "the music of the library is still being analysed, and there is no index to search yet",
                remedy="`mfcc status` shows what waits. If no run is at work, `mfcc sync` starts one",
            ) from error
        raise


class OpenedIndex:
    """An index of a library, with what is found once for it. Each part is read on its first use, for all threads.

    Parameters
    ----------
    library
        The library.
    index
        One of its indexes.
    """

    def __init__(self, library: Library, index: LibraryIndex) -> None:
        self._library, self.index = library, index

    @cached_property
    def recordings(self) -> Recordings:
        """The recordings of the index."""
        return recordings_of(self._library, self.index)

    @cached_property
    def order(self) -> ListOrder:
        """The order of its lists. Raises as `list_order_of`."""
        return list_order_of(self._library, self.index)

    @cached_property
    def pairs(self) -> PairDistances:
        """The distances of random pairs of its tracks."""
        return pair_distances_of(self._library, self.index)

    @cached_property
    def recall(self) -> float | None:
        """Measured share of the truly nearest tracks that a search finds; None if it was not measured."""
        return self._library.indexes.read_quality(self.index.version).get(RECALL)

    def load_all(self) -> None:
        """Read every part now, so that the first answer does not wait for it. Raises as `order`."""
        self.index.load_all()
        _ = (self.recordings.represents, self.order, self.pairs, self.recall)


class PublishedIndex:
    """Keeps the published index of a library open, and opens the next one when it is published.

    All threads of a process share one. The version is asked for at most once in a while, because a remote store takes
    some requests for it.

    Parameters
    ----------
    library
        The library.
    check_seconds
        Time after which is asked again which version is published.

    Examples
    --------
    Answer many files from the index that is published at the time::

        published = PublishedIndex(library)
        for path in paths:
            preview_answer(library, published.opened(), path, path.name)
    """

    def __init__(self, library: Library, *, check_seconds: float = CHECK_SECONDS) -> None:
        self._library, self._check_seconds = library, check_seconds
        self._lock = Lock()
        self._kept: OpenedIndex | None = None
        self._checked = 0.0

    def opened(self) -> OpenedIndex:
        """Return the published index.

        Raises
        ------
        NoPublishedIndex, CorruptIndex
            If there is no index to search, or it cannot be read.
        """
        with self._lock:
            now = time.monotonic()
            if self._kept is None or now - self._checked >= self._check_seconds:
                # An index that was damaged and built again under its version is another object.
                index = self._library.indexes.published()
                if self._kept is None or self._kept.index is not index:
                    self._kept = OpenedIndex(self._library, index)
                self._checked = now
            return self._kept
