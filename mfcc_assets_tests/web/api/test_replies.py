"""Tests of answers as JSON."""

from flask import Flask

from mfcc_assets.web.api.models import ListPage, Totals
from mfcc_assets.web.api.replies import page_reply, reply


def test_a_caller_that_has_the_answer_already_is_sent_none() -> None:
    app, totals = Flask(__name__), Totals(tracks=1, seconds=2.0)
    with app.test_request_context("/"):
        first = reply(totals)
    assert first.get_json() == {"tracks": 1, "seconds": 2.0}
    with app.test_request_context("/", headers={"If-None-Match": first.headers["ETag"]}):
        again = reply(totals)
        changed = reply(Totals(tracks=2, seconds=2.0))
    assert (again.status_code, changed.status_code) == (304, 200)
    assert first.headers["Cache-Control"] == "private, no-cache"


def test_the_answer_to_a_change_has_no_tag() -> None:
    with Flask(__name__).test_request_context("/", method="POST"):
        response = reply(Totals(tracks=1, seconds=2.0), 201)
    assert response.status_code == 201
    assert "ETag" not in response.headers


def test_a_page_names_the_address_of_the_next_one_with_all_that_was_asked_for() -> None:
    with Flask(__name__).test_request_context("/list?search=a+b&after=first&limit=2"):
        assert page_reply(ListPage(after="next")).headers["Link"] == '</list?search=a+b&limit=2&after=next>; rel="next"'
        assert "Link" not in page_reply(ListPage(after=None)).headers
