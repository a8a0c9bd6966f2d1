"""An index with what every answer from it needs, kept open between answers."""

import logging
import time
from collections import OrderedDict
from contextlib import suppress
from functools import cached_property
from threading import Lock

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex, StoreError
from mfcc_assets.library import Library
from mfcc_assets.pipeline.list_order import ListOrder, list_order_of
from mfcc_assets.pipeline.nearness import pair_distances_of
from mfcc_assets.pipeline.recordings import Recordings, recordings_of
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.nearness import PairDistances
from mfcc_assets.storage.index_store import RECALL

_logger = logging.getLogger(__name__)

_FORMER = 4
"""Number of former versions that are kept open, for the pages of uploads that they answered."""

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
    some requests for it. One thread asks, and reads a new index whole; meanwhile the others get the former one. If the
    store cannot be reached, the former one goes on answering.

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
        self._lock, self._asking = Lock(), Lock()
        self._former: OrderedDict[str, OpenedIndex] = OrderedDict()
        self._kept: OpenedIndex | None = None
        self._checked = 0.0

    def opened(self) -> OpenedIndex:
        """Return the published index.

        Raises
        ------
        NoPublishedIndex, CorruptIndex
            If there is no index to search, or it cannot be read.
        StoreError
            If the store cannot be reached, and no index was opened before.
        """
        kept = self._kept
        if kept is not None and (self._is_checked() or not self._asking.acquire(blocking=False)):
            return kept
        if kept is None:
            self._asking.acquire()
        try:
            # Another thread may have asked since.
            return self._kept if self._kept is not None and self._is_checked() else self._asked()
        finally:
            self._asking.release()

    def of_version(self, version: str) -> OpenedIndex | None:
        """Return the index that had a version: the published or a former one. None if it is gone or damaged."""
        with suppress(NoPublishedIndex, CorruptIndex):
            opened = self.opened()
            if opened.index.version == version:
                return opened
        # An index may have been deleted since it was opened.
        is_stored = self._library.indexes.exists(version)
        with self._lock:
            if not is_stored:
                self._former.pop(version, None)
            elif version in self._former:
                self._former.move_to_end(version)
                return self._former[version]
        index = self._library.indexes.read_if_usable(version) if is_stored else None
        if index is None:
            return None
        with self._lock:
            former = self._former.setdefault(version, OpenedIndex(self._library, index))
            while len(self._former) > _FORMER:
                self._former.popitem(last=False)
            return former

    def _is_checked(self) -> bool:
        return time.monotonic() - self._checked < self._check_seconds

    def _asked(self) -> OpenedIndex:
        try:
            # An index that was damaged and built again under its version is another object.
            index = self._library.indexes.published()
        except StoreError as error:
            if self._kept is None:
                raise
            _logger.warning("Whether another index is published is not known now. %s", error)
            opened = self._kept
        else:
            opened = self._kept if self._kept and self._kept.index is index else self._loaded(index)
        self._kept, self._checked = opened, time.monotonic()
        return opened

    def _loaded(self, index: LibraryIndex) -> OpenedIndex:
        opened = OpenedIndex(self._library, index)
        # A part that is damaged raises wherever it is used. The other parts answer without it.
        with suppress(NoPublishedIndex, CorruptIndex):
            opened.load_all()
        return opened
