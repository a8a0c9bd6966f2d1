"""Cursors hold a place in a list, and other texts are refused."""

import json
import re
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.errors import NotACursor
from mfcc_assets.storage.sql.cursors import cursor_of, from_address, place_of, to_address

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=400)


@given(texts, texts, st.integers(-(2**31) + 1, 2**31 - 1))
def test_a_cursor_is_safe_in_an_address_and_holds_its_place(kind: str, key: str, number: int) -> None:
    cursor = cursor_of(kind, key, number)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
    assert place_of(cursor, kind, str, int) == (key, number)


@given(texts)
def test_a_text_is_read_from_the_address_that_has_it(text: str) -> None:
    assert from_address(to_address(text)) == text


@given(st.text())
def test_a_text_that_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(NotACursor, match="Begin with the first page"):
        place_of(text, "title", str, str)


def written(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        cursor_of("artist", "a", "b"),
        cursor_of("title", "a"),
        cursor_of("title", "a", 1),
        cursor_of("title", "a", "b", "c"),
        cursor_of("title", "a\x00", "b"),
        cursor_of("title", "a", "b") + "=",
        cursor_of("title", "a" * 5000, "b"),
        written(["title", "\ud800", "b"]),
        written(["title", None, "b"]),
        written({"title": 1}),
        written(7),
        written([]),
        to_address("[" * 3000),
    ],
)
def test_a_cursor_of_another_list_or_made_by_somebody_else_is_refused(cursor: str) -> None:
    with pytest.raises(NotACursor):
        place_of(cursor, "title", str, str)


@pytest.mark.parametrize("number", [True, 2**31, 10**400, 0.5])
def test_a_number_that_a_database_does_not_take_is_refused(number: float) -> None:
    with pytest.raises(NotACursor):
        place_of(written(["years", number]), "years", int)
