"""Tests of the sentences for what the index does not know yet."""

from flask.testing import FlaskClient

from mfcc_assets.errors import CorruptIndex, FeaturesMissing, NoPublishedIndex
from mfcc_assets.web.library.not_ready import words_for


def test_each_error_is_told_in_a_listener_s_words(pages: FlaskClient) -> None:
    with pages.application.test_request_context():
        assert "being prepared" in words_for(NoPublishedIndex("there is no index"))
        assert "being prepared" in words_for(CorruptIndex("it is damaged", subject="/home/owner"))
        assert "not compared" in words_for(FeaturesMissing("it is not in the index yet"))
