"""Tests of the headers that tell a browser what it may do."""

import pytest
from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets_tests.web.clients import client_of


@pytest.mark.parametrize("address", ["/help", "/nothing", "/healthz", "/static/js/main.js"])
def test_every_answer_has_the_headers(pages: FlaskClient, address: str) -> None:
    headers = pages.get(address).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_pages_are_kept_by_no_cache_on_the_way(pages: FlaskClient) -> None:
    assert pages.get("/help").headers["Cache-Control"] == "no-store, private"


def test_pages_of_a_library_on_azure_may_play_from_its_account(library: Library) -> None:
    settings = library.settings.model_copy(
        update={"profile": "azure", "blob_url": "https://account.blob.core.windows.net/"}
    )
    on_azure = Library(settings)
    on_azure.opened["signing_key"] = bytes(32)

    policy = client_of(on_azure).get("/healthz").headers["Content-Security-Policy"]

    assert "media-src 'self' https://account.blob.core.windows.net;" in policy


def test_only_answers_over_https_demand_https(pages: FlaskClient) -> None:
    assert "Strict-Transport-Security" in pages.get("/healthz", base_url="https://localhost").headers
    assert "Strict-Transport-Security" not in pages.get("/healthz").headers
