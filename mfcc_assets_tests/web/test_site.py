"""Tests of what all requests share."""

from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets.web.site import site


def test_a_request_finds_the_library_of_its_app(ten_tracks: Library, pages: FlaskClient) -> None:
    with pages.application.app_context():
        assert site().library is ten_tracks
