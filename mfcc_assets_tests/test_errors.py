import copy
import inspect

import pytest

from mfcc_assets import errors
from mfcc_assets.errors import AudioError, MfccError, TooShort

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, MfccError)]


@pytest.mark.parametrize(
    ("subject", "remedy", "message"),
    [
        ("", "", "it has no sound."),
        ("a.mp3", "", "a.mp3: it has no sound."),
        ("", "Choose another", "it has no sound. Choose another."),
        ("a.mp3", "Choose another", "a.mp3: it has no sound. Choose another."),
    ],
)
def test_a_message_says_to_what_it_happened_what_and_what_to_do(subject, remedy, message):
    assert str(MfccError("it has no sound", subject=subject, remedy=remedy)) == message


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_caught_as_ours_and_says_what_it_is_for(kind):
    assert kind.__doc__
    with pytest.raises(MfccError, match=r"song: it failed\. Try again\."):
        raise kind("it failed", subject="song", remedy="Try again")


def test_every_fault_of_audio_has_a_code_of_its_own():
    codes = [kind.code for kind in KINDS if issubclass(kind, AudioError)]
    assert len(set(codes)) == len(codes) > 5


def test_an_error_survives_copies():
    error = TooShort("it is too short", subject="a.mp3", remedy="Choose a longer one")
    assert str(copy.copy(error)) == str(error)
    assert isinstance(copy.copy(error), TooShort)
