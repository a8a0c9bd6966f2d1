"""How often one address may do something."""

import time

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from mfcc_assets.web.security.addresses import sender_of

ATTEMPTS = "10 per 5 minutes"
"""How often one address may send a wrong password or key."""


class Rate:
    """Counts what each address does. A cookie is no measure, since a sender can throw it away.

    One process serves the pages, so its memory is the right place for the counts.

    Parameters
    ----------
    limit
        How often, and in which time, such as ``10 per 5 minutes``.

    Examples
    --------
    >>> rate = Rate("1 per hour")
    >>> rate.take("192.0.2.1"), rate.take("192.0.2.1") > 0, rate.take("192.0.2.2")
    (0, True, 0)
    """

    def __init__(self, limit: str) -> None:
        self._limit = parse(limit)
        self._counter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, address: str) -> int:
        """Count once more, and return 0; if that was too often, return the seconds until it is allowed again."""
        sender = sender_of(address)
        return 0 if self._counter.hit(self._limit, sender) else self._left(sender)

    def wait(self, address: str) -> int:
        """Return the seconds until it is allowed again; 0 if it is allowed now. Nothing is counted."""
        sender = sender_of(address)
        return 0 if self._counter.test(self._limit, sender) else self._left(sender)

    def _left(self, sender: str) -> int:
        ends = self._counter.get_window_stats(self._limit, sender).reset_time
        return max(1, round(ends - time.time()))
