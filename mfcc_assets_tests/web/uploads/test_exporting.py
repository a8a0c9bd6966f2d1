"""Tests of the answer to an upload as a playlist file."""

import pytest
from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets_tests.web.uploads.answered import answered, sent


@pytest.mark.parametrize("suffix", ["m3u8", "xspf", "jspf"])
def test_the_answer_is_exported_with_addresses_that_do_not_end(
    ten_tracks: Library, pages: FlaskClient, song: bytes, suffix: str
) -> None:
    upload = answered(ten_tracks, pages, song)

    response = pages.get(f"/uploads/{upload}/export.{suffix}")
    assert response.status_code == 200
    assert response.text.count("http://localhost/tracks/") == ten_tracks.settings.recommendations
    assert response.headers["Content-Disposition"] == f'attachment; filename="sounds-like.{suffix}"'


def test_nothing_is_exported_of_a_file_without_an_answer(pages: FlaskClient) -> None:
    upload = sent(pages, b"fLaC and no more")

    assert pages.get(f"/uploads/{upload}/export.m3u8").status_code == 404
