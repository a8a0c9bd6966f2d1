"""Titles of files without tags, made from their names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.audio.tags import clean_text, title_from_name


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("artist/album/03 - Foo_bar.mp3", "Foo bar"),
        ("07_night_drive.flac", "night drive"),
        ("1-03 Foo.ogg", "Foo"),
        ("3. Foo.mp3", "Foo"),
        ("03-foo.mp3", "foo"),
        ("a-new-journey.mp3", "a new journey"),
        ("Foo - Live-Version.mp3", "Foo - Live-Version"),
        ("99 Luftballons.mp3", "99 Luftballons"),
        ("10.000 Nights.mp3", "10.000 Nights"),
        ("1999.mp3", "1999"),
        ("05.mp3", "05"),
        ("Mr. Blue", "Mr. Blue"),
        ("C:\\Music\\Foo.wma", "Foo"),
        ("album/", "album"),
        (".mp3", ".mp3"),
        ("", "Untitled"),
        ("\ud800\x00", "Untitled"),
    ],
)
def test_a_title_is_made_from_a_name(name: str, title: str) -> None:
    assert title_from_name(name) == title


@given(st.text(st.characters()) | st.text("01 -_./a"))
def test_a_title_made_from_a_name_is_clean_and_never_empty(name: str) -> None:
    title = title_from_name(name)
    assert title
    assert clean_text(title) == title
