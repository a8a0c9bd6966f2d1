"""Tests of the server of the pages."""

import socket
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from mfcc_assets.errors import SettingsError
from mfcc_assets.settings import Settings
from mfcc_assets.web.server import serve
from mfcc_assets_tests.services.processes import free_port
from mfcc_assets_tests.services.web import running_web


def test_the_server_serves_pages(tmp_path: Path) -> None:
    with running_web(tmp_path / "home", tmp_path / "log") as address, urlopen(f"{address}/help", timeout=30) as page:
        assert "Play or pause" in page.read().decode()


def test_no_header_of_a_request_changes_the_beginning_of_all_addresses(tmp_path: Path) -> None:
    with running_web(tmp_path / "home", tmp_path / "log") as address:
        request = Request(f"{address}/elsewhere/help", headers={"SCRIPT_NAME": "/elsewhere"})
        with pytest.raises(HTTPError) as refused, urlopen(request, timeout=30):
            pass
        with refused.value as answer:
            assert answer.code == 404


def test_an_address_in_use_is_told_in_a_sentence(settings: Settings) -> None:
    port = free_port()
    used = socket.create_server(("127.0.0.1", port))
    with used, pytest.raises(SettingsError, match=r"Address already in use.*MFCC_WEB_PORT"):
        serve(settings.model_copy(update={"web_port": port}))


def test_an_address_of_another_machine_is_told_in_a_sentence(settings: Settings) -> None:
    with pytest.raises(SettingsError, match=r"192\.0\.2\.1:8000"):
        serve(settings.model_copy(update={"web_host": "192.0.2.1"}))


@pytest.mark.parametrize("host", ["a..b", "caf\udce9", "https://music.example", "[::1"])
def test_what_is_no_name_of_a_host_is_told_in_a_sentence(settings: Settings, host: str) -> None:
    with pytest.raises(SettingsError, match="the pages cannot be served there"):
        serve(settings.model_copy(update={"web_host": host}))


def test_a_variable_of_the_environment_lets_nobody_say_how_a_request_came(tmp_path: Path) -> None:
    asked = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    with (
        running_web(tmp_path / "home", tmp_path / "log", {"FORWARDED_ALLOW_IPS": "*"}) as address,
        urlopen(Request(f"{address}/help", headers=asked), timeout=30) as page,
    ):
        assert "Strict-Transport-Security" not in page.headers
