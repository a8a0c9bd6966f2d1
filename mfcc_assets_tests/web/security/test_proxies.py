"""Tests of the headers that only a known proxy may set."""

from collections.abc import Sequence

import pytest
from flask import Flask, Response, jsonify, request
from flask.testing import FlaskClient

from mfcc_assets.web.security.proxies import KnownProxies


def _behind(addresses: list[str], passed: Sequence[str] = ()) -> FlaskClient:
    app = Flask(__name__)

    @app.get("/")
    @app.get("/<path:below>")
    def seen(below: str = "") -> Response:  # noqa: ARG001  every address answers alike
        return jsonify(address=request.remote_addr, user=request.headers.get("X-User"), scheme=request.scheme)

    app.wsgi_app = KnownProxies(app.wsgi_app, addresses, "X-User", passed)  # type: ignore[method-assign]
    return app.test_client()


FORWARDED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-User": "ada"}


def test_a_known_proxy_is_believed() -> None:
    seen = _behind(["127.0.0.1"]).get("/", headers=FORWARDED).get_json()

    assert seen == {"address": "203.0.113.9", "user": "ada", "scheme": "https"}


def test_anybody_else_is_not_believed() -> None:
    seen = _behind(["192.0.2.1"]).get("/", headers=FORWARDED).get_json()

    assert seen == {"address": "127.0.0.1", "user": None, "scheme": "http"}


def test_the_log_names_the_first_unknown_proxy_that_names_a_user(caplog: pytest.LogCaptureFixture) -> None:
    pages = _behind(["192.0.2.1"])

    for _ in range(3):
        pages.get("/", headers=FORWARDED)

    assert [record.getMessage() for record in caplog.records] == [
        "MFCC_WEB_PROXIES does not name 127.0.0.1, which names a user"
    ]


def test_a_sender_cannot_choose_its_address_through_a_proxy() -> None:
    headers = {"X-Forwarded-For": "192.0.2.66, 203.0.113.9:41000, 10.0.0.8"}

    seen = _behind(["127.0.0.1", "10.0.0.0/8"]).get("/", headers=headers).get_json()

    assert seen["address"] == "203.0.113.9"


@pytest.mark.parametrize("forwarded", ["", "unknown", "203.0.113.9, hidden", "evil.example"])
def test_without_a_usable_address_the_sender_is_the_proxy(forwarded: str) -> None:
    seen = _behind(["127.0.0.1"]).get("/", headers={"X-Forwarded-For": forwarded}).get_json()

    assert seen["address"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("path", "user"),
    [
        ("/", "ada"),
        ("/library", "ada"),
        ("/apiary", "ada"),
        ("/metrics/more", "ada"),
        ("/api/v1/tracks", None),
        ("/API/v1/tracks", None),
        ("/%61pi/v1/tracks", None),
        ("/api/../library", None),
        ("/metrics", None),
    ],
)
def test_a_proxy_names_nobody_on_a_path_that_it_passes_without_its_log_in(path: str, user: str | None) -> None:
    pages = _behind(["127.0.0.1"], ["/api/*", "/metrics"])

    seen = pages.get(path, headers=FORWARDED).get_json()

    assert (seen["user"], seen["address"]) == (user, "203.0.113.9")
