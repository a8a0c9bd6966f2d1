"""Words for failures."""

from mfcc_assets.errors import AudioError
from mfcc_assets.pipeline.failure_words import FAILURE_WORDS, words_for_failure
from mfcc_assets.pipeline.upload_register import MISSED
from mfcc_assets.pipeline.uploads import UNANSWERABLE


def test_every_code_of_a_failure_has_words() -> None:
    audio: set[type[AudioError]] = {AudioError, *AudioError.__subclasses__()}
    assert {kind.code for kind in audio} | {*UNANSWERABLE, *MISSED} == FAILURE_WORDS.keys()


def test_an_unknown_code_has_words_too() -> None:
    assert words_for_failure("of another version") == "This cannot be answered."
