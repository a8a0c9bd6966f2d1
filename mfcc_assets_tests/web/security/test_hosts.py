"""Tests of the names under which browsers may ask for the pages."""

import pytest

from mfcc_assets.web.security.hosts import is_trusted

_TRUSTED = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    "2001:db8:0::1",
    "Music.Example",
    ".home.example",
    "gärten.example",
    "whole.example.",
]


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8000",
        "[::1]",
        "[2001:db8::1]:443",
        "music.example",
        "home.example",
        "den.home.example:8000",
        "xn--grten-gra.example",
        "localhost.",
        "localhost.:8000",
        "127.0.0.1.",
        "den.home.example.",
        "whole.example",
        "whole.example.",
    ],
)
def test_a_host_is_trusted_however_it_is_written_and_at_every_port(host: str) -> None:
    assert is_trusted(host, _TRUSTED)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":8000",
        "evil.example",
        "[::2]",
        "a.music.example",
        "evilhome.example",
        "localhost.evil.example",
        "a..b",
        ".",
        "localhost..",
        ".localhost",
        "evil.example.",
    ],
)
def test_no_other_host_is_trusted(host: str) -> None:
    assert not is_trusted(host, _TRUSTED)
