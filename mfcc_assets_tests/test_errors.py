import ast
import copy
import inspect
import re

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
def test_a_message_names_the_subject_what_happened_and_the_remedy(subject, remedy, message):
    assert str(MfccError("it has no sound", subject=subject, remedy=remedy)) == message


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_a_docstring_and_is_caught_as_mfcc_error(kind):
    assert kind.__doc__
    with pytest.raises(MfccError, match=r"song: it failed\. Try again\."):
        raise kind("it failed", subject="song", remedy="Try again")


def test_every_audio_error_has_a_different_code():
    codes = [kind.code for kind in KINDS if issubclass(kind, AudioError)]
    assert len(set(codes)) == len(codes) > 5


def test_a_copied_error_keeps_its_message():
    error = TooShort("it is too short", subject="a.mp3", remedy="Choose a longer one")
    assert str(copy.copy(error)) == str(error)
    assert isinstance(copy.copy(error), TooShort)


def test_the_tree_in_the_docstring_is_that_of_the_classes():
    assert errors.__doc__
    drawn = re.findall(r"^    ([│├└─ ]*)(\w+)", errors.__doc__, re.MULTILINE)
    parents: dict[str, str] = {}
    path: list[str] = []
    for branches, name in drawn:
        path = [*path[: len(branches) // 4], name]
        parents[name] = path[-2] if len(path) > 1 else "Exception"
    assert parents == {kind.__name__: kind.__bases__[0].__name__ for kind in KINDS}
    defined = [node.name for node in ast.parse(inspect.getsource(errors)).body if isinstance(node, ast.ClassDef)]
    assert defined == list(parents), "the classes are in the order of the tree"
