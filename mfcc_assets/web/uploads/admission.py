"""Whether an upload may come now: by its size, by what else is coming or waiting, and by the space on the disk."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from threading import Lock

from mfcc_assets.errors import DocumentNotFound
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_document import State
from mfcc_assets.pipeline.upload_queue import uploads_without_document
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.storage.disk_space import free_bytes
from mfcc_assets.web.formats import megabytes
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.security.addresses import is_this_machine, sender_of
from mfcc_assets.web.security.rate import Rate
from mfcc_assets.web.uploads.refusals import Refused

_BUSY_SECONDS = 5
_WAITING_SECONDS = 60
_COUNTED_SECONDS = 1.0
_LOOKED_AT_AGAIN_SECONDS = 3600.0
"""Time after which an upload without a document is looked for. Somebody may have removed its file by hand."""

_MOST_COMING_OF_A_SENDER = 4
"""Uploads of one sender that come at the same time. So nobody holds all places, nor the space on the disk."""

_SENDERS_TO_FILL = 4
"""Senders that are needed to have as many uploads waiting as may wait. So one has at most a quarter of them."""

_UNANSWERED = (State.WAITING, State.RECEIVED, State.RECOGNISED, State.CANDIDATES)


class Admission:
    """Lets uploads in, and refuses those that the library cannot take now.

    Parameters
    ----------
    library
        The library that takes the uploads.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._rate = Rate(f"{library.settings.web_uploads_per_hour} per hour")
        self._lock = Lock()
        self._coming: list[tuple[str, int]] = []
        self._stored: dict[UploadId, float] | None = None
        self._senders: dict[UploadId, str] = {}
        self._waiting, self._counted = 0, -_COUNTED_SECONDS

    @contextmanager
    def admitted(self, size: int | None, address: str, *, around: int = 0) -> Iterator[None]:
        """Let one upload come during the ``with``.

        Parameters
        ----------
        size
            Bytes that the request says it has; None if it does not say it.
        address
            Address of the sender.
        around
            Bytes that a form may have around the file.

        Raises
        ------
        Refused
            If the upload may not come.
        """
        settings = self._library.settings
        if size is None:
            raise Refused(HTTPStatus.LENGTH_REQUIRED, _("The request does not say how long the file is."))
        if size > settings.web_upload_bytes + around:
            said = _("This file has %(size)s. The limit is %(limit)s.")
            values = {"size": megabytes(size), "limit": megabytes(settings.web_upload_bytes)}
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said % values)
        coming = sender_of(address), size
        with self._lock:
            self._refuse_if_sender_sends_many(address)
            self._refuse_if_full(size)
            self._refuse_if_too_many_wait(address)
            if seconds := self._rate.take(address):
                said = _("You have sent many files within an hour. Try again in %(minutes)s minutes.")
                minutes = {"minutes": -(-seconds // 60)}
                raise Refused(HTTPStatus.TOO_MANY_REQUESTS, said % minutes, retry_seconds=seconds)
            self._coming.append(coming)
        try:
            yield
        finally:
            with self._lock:
                self._coming.remove(coming)

    def stored(self, upload: UploadId, address: str) -> None:
        """Count an upload that was stored as waiting, although it has no document yet, and as one of its sender."""
        with self._lock:
            self._without_document()[upload] = time.monotonic()
            self._senders[upload] = sender_of(address)
            self._waiting += 1

    def lately_stored(self) -> list[UploadId]:
        """Return uploads that may have no document yet, also those that came before this server started."""
        with self._lock:
            return list(self._without_document())

    def forget(self, upload: UploadId) -> None:
        """Count an upload no more, because it was deleted."""
        with self._lock:
            self._without_document().pop(upload, None)
            self._senders.pop(upload, None)
            self._counted = -_COUNTED_SECONDS

    def _refuse_if_sender_sends_many(self, address: str) -> None:
        if self._coming_of(sender_of(address)) >= _MOST_COMING_OF_A_SENDER and not is_this_machine(address):
            said = _("Several files of yours are coming at the same time. Try again when they have come.")
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, said, retry_seconds=_BUSY_SECONDS)

    def _coming_of(self, sender: str) -> int:
        return sum(each == sender for each, _size in self._coming)

    def _refuse_if_full(self, size: int) -> None:
        settings = self._library.settings
        if len(self._coming) >= settings.web_receiving_uploads:
            said = _("Many files are coming at the same time. Try again in a moment.")
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, said, retry_seconds=_BUSY_SECONDS)
        if free_bytes(settings.folder) - sum(each for _sender, each in self._coming) - size < settings.web_free_bytes:
            said = _("The disk of this server is nearly full, so it takes no more files. Tell its owner.")
            raise Refused(HTTPStatus.INSUFFICIENT_STORAGE, said)

    def _refuse_if_too_many_wait(self, address: str) -> None:
        if time.monotonic() - self._counted >= _COUNTED_SECONDS:
            self._waiting, self._counted = self._count_waiting(), time.monotonic()
        if self._waiting + len(self._coming) >= self._library.settings.web_waiting_uploads:
            said = _("Many files wait for their answer. Try again in a few minutes.")
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, said, retry_seconds=_WAITING_SECONDS)
        most = max(1, self._library.settings.web_waiting_uploads // _SENDERS_TO_FILL)
        sender = sender_of(address)
        waiting = sum(each == sender for each in self._senders.values()) + self._coming_of(sender)
        if waiting >= most and not is_this_machine(address):
            said = _("Many files of yours wait for their answer. Try again in a few minutes.")
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, said, retry_seconds=_WAITING_SECONDS)

    def _count_waiting(self) -> int:
        documents, stored = self._library.documents, self._without_document()
        waiting = set[str]().union(*(documents.ids(state.value) for state in _UNANSWERED))
        # The sensor has not seen these yet, or they are answered already.
        unseen = [upload for upload in stored if upload not in waiting]
        for upload in [*(set(stored) & waiting), *documents.get_many(unseen)]:
            del stored[UploadId(upload)]
        self._look_again(stored)
        unanswered = waiting | set(stored)
        self._senders = {upload: sender for upload, sender in self._senders.items() if upload in unanswered}
        return len(unanswered)

    def _without_document(self) -> dict[UploadId, float]:
        """Return when each upload that may have no document yet was looked at last."""
        if self._stored is None:
            self._stored = dict.fromkeys(uploads_without_document(self._library), time.monotonic())
        return self._stored

    def _look_again(self, stored: dict[UploadId, float]) -> None:
        """Drop the uploads that were not looked at for long and whose files are gone."""
        now = time.monotonic()
        for upload in [upload for upload, when in stored.items() if now - when >= _LOOKED_AT_AGAIN_SECONDS]:
            del stored[upload]
            with suppress(DocumentNotFound):
                upload_state(self._library, upload)
                stored[upload] = now
