"""Tests of the sentences for what the index does not know yet."""

import pytest
from flask.testing import FlaskClient

from mfcc_assets.errors import CorruptIndex, FeaturesMissing, NoPublishedIndex
from mfcc_assets.library import Library
from mfcc_assets.web.library.not_ready import words_for
from mfcc_assets_tests.runs import lose_tables
from mfcc_assets_tests.web.clients import client_of


def test_each_error_is_told_in_a_listener_s_words(pages: FlaskClient) -> None:
    with pages.application.test_request_context():
        assert "being prepared" in words_for(NoPublishedIndex("there is no index"))
        assert "being prepared" in words_for(CorruptIndex("it is damaged", subject="/home/owner"))
        assert "not compared" in words_for(FeaturesMissing("it is not in the index yet"))


@pytest.mark.parametrize("path", ["/library", "/library/artists", "/health"])
def test_a_library_whose_tables_are_lost_is_not_shown_as_empty(ten_tracks: Library, path: str) -> None:
    lose_tables(ten_tracks)
    with Library(ten_tracks.settings) as lost:
        shown = client_of(lost).get(path)
    assert shown.status_code == 503
    assert "The library is empty" not in shown.text
