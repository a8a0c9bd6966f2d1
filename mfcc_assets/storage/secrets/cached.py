"""A cache of secrets: an adapter of `SecretSource` over another one."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Lock

from mfcc_assets.errors import SecretNotFound, StoreError
from mfcc_assets.storage.secrets.port import SecretSource, check_name

# A vault is rarely away for longer, and a revoked secret must not stay in use.
_STALE_SECONDS = 3600.0

# If a vault that is away was asked at each call, every upload would wait for the time-out of its client.
_RETRY_SECONDS = 30.0
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Kept:
    """A secret, with the times until which it is used without asking again, and until which it may be used at all."""

    secret: str = field(repr=False)
    fresh_until: float
    usable_until: float


class CachedSecrets(SecretSource):
    """Caches the secrets of another source for a limited time, so that they can be rotated without a restart.

    While the source is away, its last secrets are used for up to an hour longer. A secret that the source says is gone
    is dropped at once.

    Parameters
    ----------
    source
        Source of the secrets. Many threads that need one secret cause one request.
    lifetime_seconds
        Time after which the source is asked again.
    clock
        Function that returns monotonic seconds.
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
        # Each name has a lock of its own, so that a slow request delays only those who need the same secret.
        with self._locks.setdefault(name, Lock()):
            kept = self._kept.get(name)
            if kept is None or self._clock() >= kept.fresh_until:
                kept = self._kept[name] = self._refreshed(name, kept)
            return kept.secret

    def close(self) -> None:
        self._source.close()

    def _refreshed(self, name: str, kept: _Kept | None) -> _Kept:
        try:
            secret = self._source.get(name)
        except SecretNotFound:
            self._kept.pop(name, None)
            raise
        except StoreError as error:
            now = self._clock()
            if kept is None or now >= kept.usable_until:
                raise
            _logger.warning("The last known value of secret %s is used: %s", name, error)
            return replace(kept, fresh_until=now + _RETRY_SECONDS)
        fresh_until = self._clock() + self._lifetime
        return _Kept(secret, fresh_until, fresh_until + _STALE_SECONDS)
