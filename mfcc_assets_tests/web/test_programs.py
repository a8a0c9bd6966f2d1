"""Tests of the addresses for programs."""

import pytest
from flask import Flask

from mfcc_assets.web.programs import is_for_programs


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/api/v1/tracks", True),
        ("/api/nothing", True),
        ("/metrics", True),
        ("/", False),
        ("/apiary", False),
        ("/tracks/api/", False),
        ("/metrics/more", False),
    ],
)
def test_addresses_below_api_and_that_of_the_figures_are_for_programs(address: str, expected: bool) -> None:
    with Flask(__name__).test_request_context(address, headers={"Accept": "text/html"}):
        assert is_for_programs() is expected
