"""Tests of how often one address may do something."""

import pytest

from mfcc_assets.web.security.rate import Rate


def test_an_address_is_refused_after_its_number_of_times_and_told_how_long_to_wait() -> None:
    rate = Rate("3 per hour")

    assert [rate.take("192.0.2.1") for _ in range(3)] == [0, 0, 0]
    assert 0 < rate.take("192.0.2.1") <= 3600


@pytest.mark.parametrize(
    ("first", "second"), [("2001:db8::1", "2001:db8::ffff:2"), ("::ffff:192.0.2.1", "::ffff:192.0.2.1")]
)
def test_addresses_of_one_household_are_counted_together(first: str, second: str) -> None:
    rate = Rate("1 per hour")
    rate.take(first)

    assert rate.take(second) > 0


@pytest.mark.parametrize("other", ["192.0.2.2", "2001:db8:0:1::1", "::ffff:192.0.2.2", "unknown"])
def test_other_addresses_are_counted_apart(other: str) -> None:
    rate = Rate("1 per hour")
    for address in ("192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"):
        rate.take(address)

    assert rate.take(other) == 0


def test_a_look_at_the_wait_counts_nothing() -> None:
    rate = Rate("1 per hour")

    assert [rate.wait("192.0.2.1") for _ in range(3)] == [0, 0, 0]
    assert rate.take("192.0.2.1") == 0
    assert 0 < rate.wait("192.0.2.1") <= 3600
    assert rate.wait("192.0.2.2") == 0
