"""Tests of pictures as answers."""

from flask import Flask

from mfcc_assets.web.pictures import sent_png


def test_a_browser_that_has_a_picture_gets_only_its_etag() -> None:
    app = Flask(__name__)
    with app.test_request_context():
        first = sent_png(b"a picture", "private, max-age=60")
        etag = first.headers["ETag"]
    with app.test_request_context(headers={"If-None-Match": etag}):
        again = sent_png(b"a picture", "private, max-age=60")

    assert (first.status_code, first.content_type, first.data) == (200, "image/png", b"a picture")
    assert first.headers["Cache-Control"] == "private, max-age=60"
    assert again.status_code == 304
