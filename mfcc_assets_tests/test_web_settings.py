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


@pytest.mark.parametrize("host", ["https://music.example", "music.example:8000", "a..b", ".", "*", "music example"])
def test_what_is_no_name_of_a_host_is_refused(host: str) -> None:
    with pytest.raises(ValidationError, match="is no name of a host; write it without https:// and without a port"):
        Settings(web_trusted_hosts=f"music.example, {host}")


@pytest.mark.parametrize("host", [".home.example", "192.0.2.1", "::1", "[2001:db8::1]", "musik-gärten.example"])
def test_every_kind_of_host_can_be_trusted(host: str) -> None:
    assert Settings(web_trusted_hosts=host).web_hosts[-1] == host


@pytest.mark.parametrize("name", ["X User", "X-User:", "Benutzer-Größe"])
def test_a_name_that_no_header_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="no header can have this name"):
        Settings(web_login_header=name)
