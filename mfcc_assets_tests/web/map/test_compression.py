"""Tests of smaller answers."""

import gzip

from flask import Flask, Response

from mfcc_assets.web.map.compression import compressed


def _sent(accepted: str) -> Response:
    with Flask(__name__).test_request_context(headers={"Accept-Encoding": accepted}):
        return compressed(Response(b"text " * 100))


def test_a_browser_that_can_unpack_is_sent_less() -> None:
    response = _sent("gzip, br")

    assert gzip.decompress(response.data) == b"text " * 100
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Vary"] == "Accept-Encoding"


def test_both_forms_have_tags_of_their_own() -> None:
    tags = set()
    for accepted in ("gzip", "identity"):
        with Flask(__name__).test_request_context(headers={"Accept-Encoding": accepted}):
            response = Response(b"text " * 100)
            response.set_etag("version")
            tags.add(compressed(response).get_etag())

    assert tags == {("version-gzip", False), ("version", False)}


def test_a_browser_that_cannot_is_sent_the_whole() -> None:
    response = _sent("identity")

    assert response.data == b"text " * 100
    assert "Content-Encoding" not in response.headers
