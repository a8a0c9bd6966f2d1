"""Tests of an upload and its answer as pages show them."""

from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.web.uploads.shown_upload import ShownUpload, shown_upload
from mfcc_assets_tests.upload_steps import answer_uploads
from mfcc_assets_tests.web.uploads.answered import sent


def test_a_preview_shows_what_the_run_records(ten_tracks: Library, pages: FlaskClient, song: bytes) -> None:
    upload = sent(pages, song)

    def shown() -> ShownUpload:
        with pages.application.test_request_context():
            return shown_upload(upload_state(ten_tracks, upload), f"/uploads/{upload}", is_mine=True)

    preview = shown()
    answer_uploads(ten_tracks, [upload])
    recorded = shown()

    assert (preview.news.shown, recorded.news.shown) == ("preview", "recorded")
    assert preview.recommendations == recorded.recommendations
    assert preview.list_key == recorded.list_key
    for name in ("recognised", "index_version", "features_version", "ranking", "recall", "seconds"):
        assert preview.page[name] == recorded.page[name], name
