"""Tests of the refusal of requests from other sites."""

from collections.abc import Mapping

import pytest
from flask.testing import FlaskClient


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
)
def test_a_change_that_another_site_asks_for_is_refused(pages: FlaskClient, headers: Mapping[str, str]) -> None:
    assert pages.post("/healthz", headers=headers).status_code == 403


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}, {}])
def test_a_change_from_this_site_or_from_a_program_is_not_refused(
    pages: FlaskClient, headers: Mapping[str, str]
) -> None:
    # The probe cannot be posted to, which is said only after the check.
    assert pages.post("/healthz", headers=headers).status_code == 405


def test_reading_is_free_for_links_from_elsewhere(pages: FlaskClient) -> None:
    assert pages.get("/help", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
