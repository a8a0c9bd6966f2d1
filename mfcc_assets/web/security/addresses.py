"""Addresses of senders: which are known, and which count as one sender."""

import ipaddress
from collections.abc import Iterable

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NETWORK_OF_A_SENDER = 64
"""Bits of an IPv6 address that one sender cannot choose. The others are free in every usual connection."""


class KnownAddresses:
    """A set of addresses and networks.

    Parameters
    ----------
    written
        Addresses such as ``10.0.0.1``, and networks such as ``10.0.0.0/8``.

    Raises
    ------
    ValueError
        If one of them is neither.

    Examples
    --------
    >>> "10.1.2.3" in KnownAddresses(["10.0.0.0/8"])
    True
    """

    def __init__(self, written: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(network) for network in written]

    def __contains__(self, address: str) -> bool:
        parsed = parsed_address(address)
        return parsed is not None and any(parsed in network for network in self._networks)


def parsed_address(written: str) -> _Address | None:
    """Return an address that a server or a proxy has written, with or without a port; None if it is none.

    Examples
    --------
    >>> parsed_address("203.0.113.9:41000"), parsed_address("[2001:db8::1]:80"), parsed_address("unknown")
    (IPv4Address('203.0.113.9'), IPv6Address('2001:db8::1'), None)
    """
    host = written.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    # A server that listens to both kinds sees IPv4 addresses in this form.
    return getattr(address, "ipv4_mapped", None) or address


def is_this_machine(address: str) -> bool:
    """Return whether a sender is this machine: its user, or a proxy that the settings do not name.

    Such a proxy would make one sender of all listeners, so the limits of a sender do not hold for it.

    Examples
    --------
    >>> is_this_machine("127.0.0.1"), is_this_machine("203.0.113.9")
    (True, False)
    """
    parsed = parsed_address(address)
    return parsed is not None and str(parsed) in ("127.0.0.1", "::1")


def sender_of(address: str) -> str:
    """Return the name under which limits count a sender: an IPv4 address, or the network of an IPv6 address.

    Examples
    --------
    >>> sender_of("203.0.113.9"), sender_of("2001:db8::1")
    ('203.0.113.9', '2001:db8::/64')
    """
    parsed = parsed_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(parsed), _NETWORK_OF_A_SENDER), strict=False))
    return address if parsed is None else str(parsed)
