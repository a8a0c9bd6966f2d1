"""Probes, by which a platform decides whether this server lives and can serve pages. They tell no details."""

import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from threading import Lock

from flask import Flask, Response

from mfcc_assets.errors import MfccError
from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.port import SOUNDTRACKS

_KEPT_SECONDS = 10.0
_logger = logging.getLogger(__name__)


class StoreCheck:
    """Whether the stores can be read, as a probe may ask again and again.

    An answer is kept for ten seconds. While a store is asked, which may take long if it is away, all others get the
    last answer, so that probes never hold more than one thread.

    Parameters
    ----------
    read
        Function that reads from the stores, and raises `MfccError` if one of them cannot be read.
    clock
        Function that returns monotonic seconds.
    """

    def __init__(self, read: Callable[[], object], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._asking = Lock()
        self._is_readable = False
        self._kept_until = float("-inf")

    def is_readable(self) -> bool:
        """Return whether all stores could be read when they were last asked."""
        if self._clock() >= self._kept_until and self._asking.acquire(blocking=False):
            try:
                self._is_readable = self._could_read()
                self._kept_until = self._clock() + _KEPT_SECONDS
            finally:
                self._asking.release()
        return self._is_readable

    def _could_read(self) -> bool:
        try:
            self._read()
        except MfccError as error:
            _logger.warning("The pages are not ready: %s", error)
            return False
        return True


def add_probes(app: Flask, library: Library) -> None:
    """Let the app answer ``/healthz`` while it lives, and ``/readyz`` while the database and the blobs can be read."""

    def read() -> None:
        library.catalogue.shard_digits()
        library.blobs.exists(SOUNDTRACKS, "a name that is only looked for")

    check = StoreCheck(read)

    @app.get("/healthz")
    def alive() -> Response:
        return Response("alive", content_type="text/plain")

    @app.get("/readyz")
    def ready() -> Response:
        is_ready = check.is_readable()
        status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        return Response("ready" if is_ready else "not ready", status, content_type="text/plain")
