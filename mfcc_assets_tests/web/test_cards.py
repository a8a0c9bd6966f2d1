"""Tests of tracks as lists show them."""

import json

from flask import render_template_string
from flask.testing import FlaskClient

from mfcc_assets.similarity.nearness import Nearness
from mfcc_assets.web.cards import Card


def _shown(pages: FlaskClient, card: Card) -> str:
    with pages.application.test_request_context():
        return render_template_string('{% from "cards.html" import track %}{{ track(card) }}', card=card)


def test_names_cannot_leave_their_attribute(pages: FlaskClient) -> None:
    title = "it's \"<b>\" & '><script>alert(1)</script>"
    shown = _shown(pages, Card("0f", title, audio="/a"))

    attribute = shown.partition("data-track='")[2].partition("'")[0]
    assert json.loads(attribute)["title"] == title
    assert "<script" not in shown


def test_nearness_is_a_bar_and_a_word_and_is_read_aloud(pages: FlaskClient) -> None:
    shown = _shown(pages, Card("0f", "One", nearness=Nearness(0.97), why="/why"))

    assert ">near<" in shown
    assert "closer than 97 % of the pairs of the library" in shown
    assert 'rect width="50.8"' in shown
    assert 'href="/why"' in shown


def test_a_track_that_nobody_may_hear_has_no_button(pages: FlaskClient) -> None:
    assert "<button" not in _shown(pages, Card("0f", "One"))
