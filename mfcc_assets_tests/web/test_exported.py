"""Tests of playlist files that a listener downloads."""

import pytest
from flask.testing import FlaskClient
from werkzeug.exceptions import NotFound

from mfcc_assets.library import Library
from mfcc_assets.web.exported import exported_playlist


def test_a_file_leads_to_this_site(ten_tracks: Library, pages: FlaskClient) -> None:
    tracks = ten_tracks.catalogue.soundtracks()[:2]
    with pages.application.test_request_context():
        response = exported_playlist("list", "m3u8", "A list", tracks)

    text = response.get_data(as_text=True)
    assert all(f"http://localhost/tracks/{track.track_id}/audio" in text for track in tracks)


def test_a_file_without_tracks_is_not_made(pages: FlaskClient) -> None:
    with pages.application.test_request_context(), pytest.raises(NotFound):
        exported_playlist("list", "m3u8", "A list", [])
