"""Tests of which requests come from music players."""

import pytest
from flask import Flask

from mfcc_assets.web.security.players import is_of_a_player


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/rest/ping", True), ("/rest/ping.view", True), ("/rest", False), ("/restful", False), ("/", False),
     ("/library?x=/rest/ping", False), ("/REST/ping", False)],
)  # fmt: skip
def test_players_call_addresses_of_their_own(path: str, expected: bool) -> None:
    with Flask(__name__).test_request_context(path):
        assert is_of_a_player() is expected
