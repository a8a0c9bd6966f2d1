"""Tests of which uploads a browser remembers."""

import pytest
from flask import Flask, session
from flask.testing import FlaskClient

from mfcc_assets.ids import UploadId, is_upload_id
from mfcc_assets.library import Library
from mfcc_assets.web.app import create_app
from mfcc_assets.web.uploads.my_uploads import (
    MOST_REMEMBERED,
    forget,
    is_mine,
    know_browser,
    my_uploads,
    new_upload,
    remember,
    require_mine,
)
from mfcc_assets.web.uploads.refusals import Refused

IDS = [UploadId(f"{number:032x}") for number in range(MOST_REMEMBERED + 5)]


@pytest.fixture
def app(library: Library) -> Flask:
    return create_app(library)


def test_a_browser_remembers_its_last_uploads(app: Flask) -> None:
    with app.test_request_context():
        for upload in IDS:
            remember(upload)
        assert my_uploads() == IDS[::-1][:MOST_REMEMBERED]
        forget(IDS[-1])
        assert my_uploads() == IDS[::-1][1:MOST_REMEMBERED]


def test_all_uploads_of_a_browser_are_its_own_however_many_it_sends(app: Flask) -> None:
    with app.test_request_context():
        uploads = [new_upload() for _ in IDS]
        assert len(set(uploads)) == len(IDS)
        for upload in uploads:
            assert is_upload_id(upload)
            require_mine(upload)


def test_nobody_else_has_a_right_to_an_upload(app: Flask) -> None:
    with app.test_request_context():
        upload = new_upload()
    with app.test_request_context():
        assert not is_mine(upload)
        know_browser()
        with pytest.raises(Refused):
            require_mine(upload)


def test_pages_that_send_at_the_same_time_are_one_browser(ten_tracks: Library, pages: FlaskClient, song: bytes) -> None:
    pages.get("/")
    before = pages.get_cookie("mfcc")
    assert before is not None
    uploads = []
    for _ in range(2):
        # The second request goes out before the answer to the first has changed the cookie.
        pages.set_cookie("mfcc", before.value)
        uploads.append(pages.put("/uploads?name=song.flac", data=song).get_json()["id"])

    assert [pages.post(f"/uploads/{upload}/delete").status_code for upload in uploads] == [303, 303]
    assert list(ten_tracks.blobs.list("uploads")) == []


@pytest.mark.parametrize("kept", [None, 7, "x", ["0f"]])
def test_what_is_no_id_in_the_cookie_does_no_harm(app: Flask, kept: object) -> None:
    with app.test_request_context():
        session["uploads"] = ["../etc", 7, IDS[0]]
        session["browser"] = kept
        assert my_uploads() == [IDS[0]]
        assert not is_mine(IDS[0])


def test_all_remembered_uploads_fit_into_a_cookie(app: Flask) -> None:
    @app.get("/fill")
    def fill() -> str:
        know_browser()
        for upload in IDS:
            remember(upload)
        return ""

    cookie = app.test_client().get("/fill").headers["Set-Cookie"]
    assert len(cookie) < 4000
