"""The answers that this process gives at once, before a run has recorded them."""

import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

from mfcc_assets.errors import AudioError, LeftToTheRun, MfccError
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.file_answer import Preview
from mfcc_assets.pipeline.opened_index import PublishedIndex
from mfcc_assets.pipeline.upload_preview import preview_upload
from mfcc_assets.warm_up import warm_up

_logger = logging.getLogger(__name__)

AT_ONCE = 2
"""Number of previews that are computed at the same time. Each of them keeps a processor busy."""

MOST_QUEUED = 64
"""With more previews to compute, an upload waits for the run alone."""

MOST_KEPT = 64
MOST_KEPT_BYTES = 256 << 20
"""Limits of the previews in memory. The features of a track of four minutes have 1.3 MB."""


@dataclass(frozen=True, eq=False)
class PreviewOutcome:
    """What came of a preview.

    Attributes
    ----------
    preview
        The preview; None if the file cannot be used or is long.
    failure
        Code of the reason why the file cannot be used; empty if it can.
    is_long
        True if the audio is so long that the run alone answers it.
    """

    preview: Preview | None
    failure: str = ""
    is_long: bool = False

    @property
    def size(self) -> int:
        """Bytes of its features in memory, about."""
        return self.preview.file.cepstra.nbytes if self.preview else 0


class Previews:
    """Computes previews in a few threads, and keeps the last ones.

    Parameters
    ----------
    library
        The library that answers.
    published
        Its published index.
    on_done
        Is called whenever a preview was computed.
    """

    def __init__(self, library: Library, published: PublishedIndex, on_done: Callable[[], None]) -> None:
        self._library, self._published, self._on_done = library, published, on_done
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="preview")
        self._lock = Lock()
        self._pending: set[UploadId] = set()
        self._kept: OrderedDict[UploadId, PreviewOutcome] = OrderedDict()

    def begin(self, upload: UploadId) -> None:
        """Begin to compute the preview of an upload, unless it is there or comes already."""
        with self._lock:
            if upload in self._kept or upload in self._pending or len(self._pending) >= MOST_QUEUED:
                return
            self._pending.add(upload)
        self._threads.submit(self._compute, upload)

    def get(self, upload: UploadId) -> PreviewOutcome | None:
        """Return what came of the preview of an upload; None if there is none, or not yet."""
        with self._lock:
            return self._kept.get(upload)

    def forget(self, upload: UploadId) -> None:
        """Drop the preview of an upload that was deleted, also if it is being computed."""
        with self._lock:
            self._kept.pop(upload, None)
            self._pending.discard(upload)

    def prepare(self) -> None:
        """Open the index and compile what an answer needs, so that the first listener does not wait for it."""
        self._threads.submit(self._prepare)

    def close(self) -> None:
        """Finish what has begun, and begin nothing more."""
        self._threads.shutdown(cancel_futures=False)

    def _prepare(self) -> None:
        try:
            warm_up()
            self._published.opened().load_all()
        except MfccError as error:
            _logger.info("The index is not opened yet: %s", error)
        except Exception:
            _logger.exception("The first answer could not be prepared")

    def _compute(self, upload: UploadId) -> None:
        try:
            outcome = PreviewOutcome(preview_upload(self._library, self._published.opened(), upload))
        except AudioError as error:
            outcome = PreviewOutcome(None, error.code)
        except LeftToTheRun:
            outcome = PreviewOutcome(None, is_long=True)
        except (MfccError, OSError) as error:
            # The run tells the listener what is wrong, and may find it right by then.
            _logger.info("An upload has no preview: %s", error)
            outcome = None
        except Exception:
            # Whoever knows the id of an upload may see it, so the log does not name it.
            _logger.exception("The preview of an upload failed")
            outcome = None
        with self._lock:
            # A deleted upload is not pending any more.
            if upload in self._pending and outcome is not None:
                self._kept[upload] = outcome
                self._drop_oldest()
            self._pending.discard(upload)
        self._on_done()

    def _drop_oldest(self) -> None:
        while len(self._kept) > 1 and (
            len(self._kept) > MOST_KEPT or sum(each.size for each in self._kept.values()) > MOST_KEPT_BYTES
        ):
            self._kept.popitem(last=False)
