"""Texts as they are shown and compared."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.texts import folded, printable, unaccented

any_text = st.text(st.characters()) | st.text("a\x1b\x9b\n\r\u202e\u2066\u200f\ud800 [:")


@given(any_text)
def test_a_printable_text_is_one_line_that_cannot_command_a_terminal(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1
    assert not [letter for letter in shown if unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"}]
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]", shown)
    assert printable(shown) == shown


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs", "M"])))
def test_letters_signs_and_spaces_are_shown_as_they_are(text: str) -> None:
    assert printable(text) == text


@given(any_text)
def test_folded_texts_are_equal_in_every_form_and_case(text: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert folded(unicodedata.normalize(form, text)) == folded(text)
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Café", "Cafe\u0301"), ("ＡＢＢＡ", "abba"), ("STRASSE", "straße"), (" a  b ", "A\xa0B"), ("Å", "\u212b")],
)
def test_texts_that_look_alike_fold_alike(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize("unseen", ["\ufeff", "\u200b", "\u200e", "\u202a", "\u00ad", "\u2060"])
def test_what_nobody_sees_does_not_count(unseen: str) -> None:
    assert folded(f"{unseen}An{unseen}na {unseen}") == folded("Anna")


def test_letters_with_and_without_an_accent_differ() -> None:
    assert folded("resume") != folded("resumé")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Beyoncé", "beyonce"),
        ("MØ", "mo"),
        ("Ｂｊöｒｋ", "Bjork"),
        ("Ångström", "angstrom"),
        ("Don’t", "don't"),
        ("Чайковский", "чаиковскии"),
        ("Ἀθήνα", "αθηνα"),
        ("Łódź", "lodz"),
    ],
)
def test_accents_do_not_count_in_a_search(one: str, other: str) -> None:
    assert unaccented(one) == unaccented(other)


@pytest.mark.parametrize(("one", "other"), [("が", "か"), ("한", "하"), ("की", "क")])
def test_marks_that_make_another_letter_count_in_a_search(one: str, other: str) -> None:
    assert unaccented(one) != unaccented(other)


@given(any_text)
def test_a_text_without_accents_stays_as_it_is(text: str) -> None:
    assert unaccented(unaccented(text)) == unaccented(text)
    assert unaccented(folded(text)) == unaccented(text)
