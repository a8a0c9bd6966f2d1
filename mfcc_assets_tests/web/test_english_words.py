"""Tests of texts of the library that are English or names of its parts."""

import pytest
from flask.testing import FlaskClient

from mfcc_assets.web.english_words import note_in_words, ranking_in_words

NOTE = "cut off: 3.0 s of 9.0 s could be decoded; its picture is left out: it is too large"


def test_an_english_page_has_the_exact_note(pages: FlaskClient) -> None:
    with pages.application.test_request_context(headers={"Accept-Language": "en"}):
        assert note_in_words(NOTE) == NOTE


def test_a_chinese_page_has_no_english_note(pages: FlaskClient) -> None:
    with pages.application.test_request_context(headers={"Accept-Language": "zh"}):
        said = note_in_words(NOTE)

    assert "；" in said
    assert not any(letter.isascii() for letter in said)


@pytest.mark.parametrize("name", ["article", "dtw", "gaussian", "fused", "low_timbre"])
def test_a_ranking_has_words_in_every_language_and_the_name_that_commands_have(pages: FlaskClient, name: str) -> None:
    with pages.application.test_request_context(headers={"Accept-Language": "en"}):
        english = ranking_in_words(name)
    with pages.application.test_request_context(headers={"Accept-Language": "zh"}):
        chinese = ranking_in_words(name)

    assert english.endswith(f" ({name})")
    assert chinese.endswith(f" ({name})")
    assert english != chinese


def test_an_unknown_ranking_has_its_name(pages: FlaskClient) -> None:
    with pages.application.test_request_context():
        assert ranking_in_words("other") == "other"
