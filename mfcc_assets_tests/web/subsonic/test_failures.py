"""Tests of the failures of calls."""

from mfcc_assets.web.subsonic.failures import CallFailed, Code


def test_a_failure_has_the_number_of_the_protocol_and_a_sentence() -> None:
    failure = CallFailed(Code.NOT_FOUND, "There is no such song.")
    assert (int(failure.code), failure.said, str(failure)) == (70, "There is no such song.", "There is no such song.")
