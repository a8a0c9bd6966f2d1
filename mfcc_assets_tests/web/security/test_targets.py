"""Tests of where a listener may be led to."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.web.security.targets import target_here

HERE = "https://music.example/login"


@given(st.text(alphabet="/\\:@.?#ahtps \t\n\r\x00%2Fevil", max_size=20))
def test_no_text_leads_to_another_site(asked: str) -> None:
    # A browser reads a backslash as a slash, and ignores tabs and line breaks.
    seen = target_here(asked).replace("\\", "/").translate({9: None, 10: None, 13: None})

    assert urlsplit(urljoin(HERE, seen)).netloc == "music.example"


@pytest.mark.parametrize("page", ["/", "/library?sort=year&search=a%20b", "/uploads/0123/why/45"])
def test_a_page_of_this_site_is_kept(page: str) -> None:
    assert target_here(page) == page
