"""Tests of answers as JSON."""

from flask import Flask

from mfcc_assets.web.api.models import Totals
from mfcc_assets.web.api.replies import reply


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
