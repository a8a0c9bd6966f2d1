"""Secrets that are remembered for a while."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Lock

from mfcc_assets.errors import SecretNotFound, StoreError
from mfcc_assets.storage.secrets.port import SecretSource, check_name

# A vault that is away is rarely so for longer, and a secret that leaked must not live on.
_OUTLIVES_SECONDS = 3600.0

# Asked at each call, a vault that is away would hold up every upload for as long as its client is patient.
_ASKED_AGAIN_SECONDS = 30.0
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Kept:
    """A secret, and until when it is neither asked for again nor given up."""

    secret: str = field(repr=False)
    fresh_until: float
    usable_until: float


class CachedSecrets(SecretSource):
    """Another source's secrets, each asked for once in a while: so it is rotated without a restart.

    While the source is away, its secrets serve for an hour longer. What it says is gone is gone at once.

    Parameters
    ----------
    source
        Is asked once for each secret, however many threads want it.
    lifetime_seconds
        After so long it is asked again.
    clock
        Seconds that only go forward.
    """

    def __init__(
        self, source: SecretSource, lifetime_seconds: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = source
        self._lifetime = lifetime_seconds
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._locks: dict[str, Lock] = {}

    def get(self, name: str) -> str:
        check_name(name)
        # Of each name's own, so that a slow request holds up nobody who wants another secret.
        with self._locks.setdefault(name, Lock()):
            kept = self._kept.get(name)
            if kept is None or self._clock() >= kept.fresh_until:
                kept = self._kept[name] = self._asked(name, kept)
            return kept.secret

    def close(self) -> None:
        self._source.close()

    def _asked(self, name: str, kept: _Kept | None) -> _Kept:
        try:
            secret = self._source.get(name)
        except SecretNotFound:
            self._kept.pop(name, None)
            raise
        except StoreError as error:
            now = self._clock()
            if kept is None or now >= kept.usable_until:
                raise
            _logger.warning("Secret %s is used as it was: %s", name, error)
            return replace(kept, fresh_until=now + _ASKED_AGAIN_SECONDS)
        fresh_until = self._clock() + self._lifetime
        return _Kept(secret, fresh_until, fresh_until + _OUTLIVES_SECONDS)
