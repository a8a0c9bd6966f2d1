"""Tests of the addresses of senders."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.web.security.addresses import KnownAddresses, parsed_address, sender_of


@given(st.ip_addresses(), st.integers(min_value=1, max_value=65535))
def test_an_address_is_the_same_with_and_without_a_port(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    with_port = f"{address}:{port}" if address.version == 4 else f"[{address}]:{port}"

    assert parsed_address(f" {with_port} ") == parsed_address(str(address))


@pytest.mark.parametrize("written", ["", "unknown", "_hidden", "10.0.0", "10.0.0.1/8", "evil.example:80", "[::1"])
def test_what_is_no_address_is_not_known(written: str) -> None:
    assert written == "[::1" or parsed_address(written) is None
    assert written not in KnownAddresses(["10.0.0.0/8"])


def test_an_address_in_a_network_is_known() -> None:
    known = KnownAddresses(["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"])

    assert all(address in known for address in ("10.200.0.1", "2001:db8:5::1", "192.0.2.7", "::ffff:10.0.0.1"))
    assert not any(address in known for address in ("11.0.0.1", "2001:db9::1", "192.0.2.8"))


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_a_sender_with_many_ipv6_addresses_is_one_sender(interface: int) -> None:
    address = ipaddress.IPv6Address((0x20010DB8 << 96) + interface)

    assert sender_of(str(address)) == "2001:db8::/64"
