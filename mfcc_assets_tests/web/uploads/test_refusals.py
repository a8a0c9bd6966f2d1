"""Tests of refusals."""

from http import HTTPStatus

from mfcc_assets.web.uploads.refusals import Refused


def test_who_is_refused_for_now_is_told_when_to_come_again() -> None:
    headers = dict(Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Not now.", retry_seconds=5).get_headers())

    assert headers["Retry-After"] == "5"


def test_who_is_refused_for_good_is_not_told_to_come_again() -> None:
    assert "Retry-After" not in dict(Refused(HTTPStatus.FORBIDDEN, "No.").get_headers())
