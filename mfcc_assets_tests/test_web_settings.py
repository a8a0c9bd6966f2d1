"""Tests of the settings of the pages."""

import pytest
from pydantic import ValidationError

from mfcc_assets.settings import Settings
from mfcc_assets.web_settings import LONGEST_SHARE_DAYS


def test_names_and_addresses_are_separated_by_commas() -> None:
    settings = Settings(web_trusted_hosts="music.example, .home.example", web_proxies="10.0.0.1,10.0.0.2 ")

    assert settings.web_hosts == ["localhost", "127.0.0.1", "[::1]", "music.example", ".home.example"]
    assert settings.web_proxy_addresses == ["10.0.0.1", "10.0.0.2"]


def test_a_port_outside_of_its_range_is_refused() -> None:
    with pytest.raises(ValidationError):
        Settings(web_port=70_000)


def test_a_proxy_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"web_proxies[^$]*does not appear to be an IPv4 or IPv6 network"):
        Settings(web_proxies="10.0.0.0/8, proxy.example")


def test_an_answer_can_be_shared_for_a_year_and_not_for_longer() -> None:
    assert Settings(web_share_days=LONGEST_SHARE_DAYS).web_share_days == 366
    with pytest.raises(ValidationError):
        Settings(web_share_days=LONGEST_SHARE_DAYS + 1)
