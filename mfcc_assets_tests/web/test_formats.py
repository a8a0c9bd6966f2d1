"""Tests of how pages write times, sizes and dates."""

from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.web.formats import clock, moment


@given(st.integers(min_value=0, max_value=100 * 3600))
def test_a_clock_reads_back_as_its_seconds(seconds: int) -> None:
    shown = 0
    for part in clock(seconds).split(":"):
        shown = 60 * shown + int(part)

    assert shown == seconds


def test_what_is_no_moment_is_shown_as_it_is() -> None:
    assert moment("yesterday") == "yesterday"
