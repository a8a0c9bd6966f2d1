"""What the notes on a file say, in a listener's words."""

import pytest

from mfcc_assets.pipeline.note_words import words_for_note


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("", []),
        ("damaged: 12 pieces could not be decoded", ["a part of it is damaged"]),
        ("damaged 12 s from its beginning; part 2 of 3 cannot be decoded and is left out", ["a part of it is damaged"]),
        ("its end is missing: the stream has no last page", ["its end is missing"]),
        ("its tags are left out: they are too long; its picture is left out: it is no picture",
         ["its tags could not be read", "its artwork could not be read"]),
        ("a remark of another version", ["something about this file is unusual"]),
    ],
)  # fmt: skip
def test_each_kind_of_remark_is_said_once(note: str, words: list[str]) -> None:
    assert words_for_note(note) == words
