"""Tests of which uploads a browser remembers."""

import pytest
from flask import Flask, session

from mfcc_assets.ids import UploadId
from mfcc_assets.web.uploads.my_uploads import MOST_REMEMBERED, forget, is_mine, my_uploads, remember, require_mine
from mfcc_assets.web.uploads.refusals import Refused

IDS = [UploadId(f"{number:032x}") for number in range(MOST_REMEMBERED + 5)]


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    app.secret_key = b"a key"
    return app


def test_a_browser_remembers_its_last_uploads(app: Flask) -> None:
    with app.test_request_context():
        for upload in IDS:
            remember(upload)
        assert my_uploads() == IDS[::-1][:MOST_REMEMBERED]


def test_a_forgotten_upload_is_not_its_own_any_more(app: Flask) -> None:
    with app.test_request_context():
        remember(IDS[0])
        forget(IDS[0])
        with pytest.raises(Refused):
            require_mine(IDS[0])


def test_what_is_no_id_in_the_cookie_does_no_harm(app: Flask) -> None:
    with app.test_request_context():
        session["uploads"] = ["../etc", 7, IDS[0]]
        assert my_uploads() == [IDS[0]]
        assert is_mine(IDS[0])


def test_all_remembered_uploads_fit_into_a_cookie(app: Flask) -> None:
    @app.get("/")
    def fill() -> str:
        for upload in IDS:
            remember(upload)
        return ""

    cookie = app.test_client().get("/").headers["Set-Cookie"]
    assert len(cookie) < 4000
