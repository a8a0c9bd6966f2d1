"""Tests of whole numbers in requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.web.numbers import whole_number


@given(st.integers(-(10**9) + 1, 10**9 - 1))
def test_a_number_is_read(number: int) -> None:
    assert whole_number(str(number)) == number


@pytest.mark.parametrize("written", ["", "-", "--5", "+5", "1_0", "1.5", " 5", "5\n", "٥", "²", "9" * 5000])
def test_what_is_no_number_is_none(written: str) -> None:
    assert whole_number(written) is None
