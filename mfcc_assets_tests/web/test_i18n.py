"""Tests of the languages of the pages."""

import re

import pytest
from flask import Flask

from mfcc_assets.web.i18n import LANGUAGES, gettext, language, messages, ngettext

PLACE = re.compile(r"%\(\w+\)\w")


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_translation_has_the_places_of_its_text(code: str) -> None:
    for english, translated in messages(code).items():
        assert set(PLACE.findall(translated)) <= {*PLACE.findall(english), "%(number)s"}, english


def test_a_text_without_a_translation_stays_english() -> None:
    with Flask(__name__).test_request_context(headers={"Accept-Language": "zh"}):
        assert language() == "zh"
        assert gettext("a text that nobody translates, with %(value)s", value=3).endswith("with 3")


@pytest.mark.parametrize(("number", "said"), [(1, "1 track"), (2, "2 tracks"), (0, "0 tracks")])
def test_a_number_chooses_the_form_of_a_text(number: int, said: str) -> None:
    with Flask(__name__).test_request_context():
        assert ngettext("%(number)s track", "%(number)s tracks", number) == said
