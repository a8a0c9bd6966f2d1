"""Texts that stand where there is no name. `test_credits` has the list of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.placeholders import stands_for_no_name

NO_NAMES = st.sampled_from(
    ["Unknown Artist", "VA", "Různí", "Разные", "未知艺术家", "غير معروف", "Untitled Track", "VV.AA."]
)


@given(NO_NAMES, st.sampled_from(["{}", "({})", "<{}>", "[{}]", " {}. ", "{} (1)", "{} [2/3]", "- {} -", "{} 17"]))
def test_punctuation_and_numbers_do_not_make_a_name(text: str, form: str) -> None:
    assert stands_for_no_name(form.format(text))


@given(st.lists(NO_NAMES, min_size=1, max_size=3), st.sampled_from([" ", " - ", ", ", " / ", "; "]))
def test_no_names_side_by_side_are_no_name(texts: list[str], joint: str) -> None:
    assert stands_for_no_name(joint.join(texts))


@given(NO_NAMES, st.sampled_from(["Mortal", "Abba", "群青", "Земфира", "The"]))
def test_a_word_more_makes_it_a_name(text: str, word: str) -> None:
    assert not stands_for_no_name(f"{text} {word}")


@pytest.mark.parametrize("text", ["不明な" * 85 + "x", "unknown " * 30 + "x", "第" * 255, "v." * 120])
def test_a_long_text_is_judged_at_once(text: str) -> None:
    assert not stands_for_no_name(text)
