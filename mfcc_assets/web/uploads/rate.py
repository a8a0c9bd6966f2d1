"""How many uploads one address may send in an hour."""

import time
from ipaddress import IPv6Address, ip_address

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

_IPV6_NETWORK_BITS = 64
"""A household has a network of this size, and can send each upload from another address of it."""


class UploadRate:
    """Counts the uploads of each address. A cookie is no measure, since a sender can throw it away.

    Parameters
    ----------
    per_hour
        Uploads that one address may send in an hour.

    Examples
    --------
    >>> rate = UploadRate(per_hour=1)
    >>> rate.take("192.0.2.1"), rate.take("192.0.2.1") > 0, rate.take("192.0.2.2")
    (0, True, 0)
    """

    def __init__(self, per_hour: int) -> None:
        self._limit = RateLimitItemPerHour(per_hour)
        self._counter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, address: str) -> int:
        """Count an upload, and return 0; if the address has sent too many, return the seconds until it may send one."""
        sender = _sender(address)
        if self._counter.hit(self._limit, sender):
            return 0
        ends = self._counter.get_window_stats(self._limit, sender).reset_time
        return max(1, round(ends - time.time()))


def _sender(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(int(parsed) >> (128 - _IPV6_NETWORK_BITS))
    return address
