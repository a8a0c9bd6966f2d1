"""News of uploads: one thread asks for all uploads that are watched, and tells everybody who watches them."""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition, Thread

from mfcc_assets.errors import MfccError
from mfcc_assets.ids import UploadId
from mfcc_assets.pipeline.upload_document import State
from mfcc_assets.pipeline.uploads import UNANSWERABLE
from mfcc_assets.storage.documents.port import Document

_logger = logging.getLogger(__name__)

STEPS = (State.WAITING, State.RECEIVED, State.RECOGNISED, State.CANDIDATES, State.RANKED)
"""The states of an upload that is answered, in order."""

GONE = "gone"
"""State of an upload that was deleted while it was watched."""


@dataclass(frozen=True)
class News:
    """What is new of an upload.

    Attributes
    ----------
    tag
        Text that changes whenever anything of this changes.
    state
        State of the upload, or `GONE`.
    reached
        States that it has reached, in the order of `STEPS`.
    shown
        Which answer its page shows: ``none``, ``candidates``, ``preview``, ``recorded`` or ``failed``; ``long``
        if there is none yet and only the run will give one.
    is_last
        Whether nothing more will happen.
    """

    tag: str
    state: str
    reached: tuple[str, ...]
    shown: str
    is_last: bool

    def record(self) -> Mapping[str, object]:
        """Return the news as a JSON object."""
        return {"tag": self.tag, "state": self.state, "shown": self.shown, "is_last": self.is_last}


GONE_NEWS = News(GONE, GONE, (), "none", is_last=True)


def news_of(stored: Document, shown: str) -> News:
    """Return the news of an upload.

    Parameters
    ----------
    stored
        Its document.
    shown
        Which answer its page shows.
    """
    body = stored.body
    state, times = body["state"], body.get("times", {})
    # While a run answers an upload anew, its document keeps the times of later states.
    last = STEPS.index(State(state)) if state in STEPS else len(STEPS)
    reached = tuple(step.value for step in STEPS[: last + 1] if step.value in times or step.value == state)
    code = (body.get("failure") or {}).get("code")
    is_last = state == State.RANKED or (state == State.FAILED and code not in UNANSWERABLE)
    digest = hashlib.blake2b(json.dumps([stored.etag, state, shown]).encode(), digest_size=8).hexdigest()
    return News(digest, state, reached, shown, is_last)


class Watch:
    """Asks for the uploads that are watched, all with one request, and wakes up who watches one that has changed.

    Parameters
    ----------
    read
        Function that returns the news of uploads by their ids. An upload that is gone is absent.
    seconds
        Time between two requests.
    """

    def __init__(self, read: Callable[[Collection[UploadId]], Mapping[UploadId, News]], seconds: float) -> None:
        self._read, self._seconds = read, seconds
        self._changed = Condition()
        self._watchers: Counter[UploadId] = Counter()
        self._news: dict[UploadId, News] = {}
        self._thread: Thread | None = None
        self._is_hurried = False

    @contextmanager
    def watching(self, upload: UploadId) -> Iterator[None]:
        """Watch an upload during the ``with``. `wait` returns its news meanwhile."""
        with self._changed:
            self._watchers[upload] += 1
            self._is_hurried = True
            if self._thread is None:
                self._thread = Thread(target=self._ask_until_nobody_watches, name="news", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._watchers[upload] -= 1
                if not self._watchers[upload]:
                    del self._watchers[upload]
                    self._news.pop(upload, None)

    def wait(self, upload: UploadId, known: str, seconds: float) -> News | None:
        """Return the news of a watched upload as soon as their tag is not the known one; None if the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._tag(upload) not in ("", known), seconds)
            found = self._news.get(upload)
            return found if found is not None and found.tag != known else None

    def hurry(self) -> None:
        """Ask at once, because something has changed in this process."""
        with self._changed:
            self._is_hurried = True
            self._changed.notify_all()

    def _tag(self, upload: UploadId) -> str:
        found = self._news.get(upload)
        return found.tag if found else ""

    def _ask_until_nobody_watches(self) -> None:
        while True:
            with self._changed:
                watched = set(self._watchers)
                if not watched:
                    self._thread = None
                    return
                self._is_hurried = False
            self._ask(watched)
            with self._changed:
                self._changed.wait_for(lambda: self._is_hurried, self._seconds)

    def _ask(self, watched: Collection[UploadId]) -> None:
        try:
            found = self._read(watched)
        except MfccError as error:
            _logger.warning("The news of uploads cannot be read now: %s", error)
            return
        except Exception:
            _logger.exception("The news of uploads cannot be read now")
            return
        with self._changed:
            for upload in watched:
                if upload in self._watchers:
                    self._news[upload] = found.get(upload, GONE_NEWS)
            self._changed.notify_all()
