"""Tests of what all requests about uploads share."""

from io import BytesIO

import numpy as np
import soundfile
from flask.testing import FlaskClient

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.opened_index import PublishedIndex
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.web.uploads.room import Room, room
from mfcc_assets_tests.upload_steps import answer_uploads
from mfcc_assets_tests.web.uploads.waiting import wait_for

A = UploadId("0a" * 16)


def test_a_request_finds_the_room_of_its_app(pages: FlaskClient) -> None:
    with pages.application.app_context():
        assert room() is pages.application.extensions["mfcc_uploads"]


def test_a_page_shows_the_preview_and_then_the_recorded_answer(ten_tracks: Library, song: bytes) -> None:
    ten_tracks.blobs.write("uploads", f"{A}/song.flac", song)
    here = Room(ten_tracks, PublishedIndex(ten_tracks))

    assert here.news(upload_state(ten_tracks, A)).shown == "none"
    here.previews.begin(A)
    wait_for(lambda: here.previews.get(A))
    assert here.news(upload_state(ten_tracks, A)).shown == "preview"
    answer_uploads(ten_tracks, [A])
    last = here.news(upload_state(ten_tracks, A))
    assert (last.shown, last.is_last) == ("recorded", True)


def test_a_page_says_that_a_long_upload_waits_for_the_run(ten_tracks: Library, pages: FlaskClient) -> None:
    content = BytesIO()
    soundfile.write(content, np.zeros(8000 * 1801, np.int16), 8000, format="WAV")
    upload = pages.put("/uploads?name=long.wav", data=content.getvalue()).get_json()["id"]
    with pages.application.app_context():
        here = room()
    assert wait_for(lambda: here.news(upload_state(ten_tracks, upload)).shown == "long")
    assert "this takes several minutes" in pages.get(f"/uploads/{upload}").text
