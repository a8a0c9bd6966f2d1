"""Keys of users and programs."""

import hashlib
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mfcc_assets.errors import KeyNotFound, UnusableKeyName
from mfcc_assets.library import Library
from mfcc_assets.pipeline.api_keys import key_of_text, key_of_token, keys_in_use, make_key, revoke_key
from mfcc_assets.settings import Settings

MADE_UP = f"mfcc_{'0' * 16}_{'A' * 43}"


def token_of(text: str, salt: str) -> str:
    return hashlib.md5((text + salt).encode()).hexdigest()


def test_a_key_opens_the_library_and_says_whose_it_is(library: Library) -> None:
    listener, operator = make_key(library, "Zoë", is_operator=False), make_key(library, "boss", is_operator=True)

    for text, name, is_operator in ((listener, "Zoë", False), (operator, "boss", True)):
        key = key_of_text(library, text)
        assert key is not None
        assert (key.name, key.is_operator) == (name, is_operator)
        assert key in keys_in_use(library)
    assert len(keys_in_use(library)) == 2


def test_the_text_of_a_key_is_stored_nowhere(library: Library) -> None:
    text = make_key(library, "Zoë", is_operator=False)
    library.close()

    files = [path for path in library.settings.home.rglob("*") if path.is_file()]
    assert any(b"API_KEYS" in path.read_bytes() for path in files)
    assert not any(text.split("_", 2)[2].encode() in path.read_bytes() for path in files)


def test_a_revoked_key_opens_nothing_and_leaves_the_others(library: Library) -> None:
    text, other = (make_key(library, "Zoë", is_operator=False) for _ in range(2))
    revoked = key_of_text(library, text)
    assert revoked is not None

    assert revoke_key(library, revoked.key_id) == revoked

    assert key_of_text(library, text) is None
    assert key_of_token(library, "Zoë", token_of(text, "salt"), "salt") is None
    assert [key_of_text(library, other)] == keys_in_use(library)
    with pytest.raises(KeyNotFound, match="no key in use has this id"):
        revoke_key(library, revoked.key_id)


@pytest.mark.parametrize("made_up", ["", "mfcc_", MADE_UP, "ü", "\ud800", "mfcc_" + "٠" * 16 + "_" + "A" * 43])
def test_a_made_up_text_opens_nothing(library: Library, made_up: str) -> None:
    make_key(library, "Zoë", is_operator=False)

    assert key_of_text(library, made_up) is None
    assert key_of_token(library, "Zoë", made_up, made_up) is None


def test_a_text_with_any_character_altered_opens_nothing(library: Library) -> None:
    text = make_key(library, "Zoë", is_operator=True)
    for place in range(len(text)):
        altered = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        assert key_of_text(library, altered) is None
    assert key_of_text(library, text + "\n") is None


def test_a_row_that_was_copied_into_another_library_opens_it_to_nobody(library: Library, tmp_path: Path) -> None:
    text = make_key(library, "Zoë", is_operator=True)
    with Library(Settings(home=tmp_path / "other")) as other:
        other.api_keys.record_key(library.api_keys.stored_keys()[0])
        assert key_of_text(other, text) is None
        assert key_of_token(other, "Zoë", token_of(text, "salt"), "salt") is None


def test_a_token_of_a_key_and_a_salt_opens_the_library_under_the_name_of_the_key(library: Library) -> None:
    texts = [make_key(library, "Zoë", is_operator=False) for _ in range(2)]

    for text in texts:
        assert key_of_token(library, "Zoë", token_of(text, "c19b2d"), "c19b2d") == key_of_text(library, text)
    assert key_of_token(library, "Zoë", token_of(texts[0], "c19b2d").upper(), "c19b2d") is not None
    assert key_of_token(library, "zoë", token_of(texts[0], "c19b2d"), "c19b2d") is None
    assert key_of_token(library, "Zoë", token_of(texts[0], "c19b2d"), "other") is None


@pytest.mark.parametrize("name", ["", " ", " Zoë", "Zoë\n", "two\nlines", "\x1b[2J", "x" * 65, "🎷" * 33, "\ud800"])
def test_a_name_that_cannot_be_shown_is_refused(library: Library, name: str) -> None:
    with pytest.raises(UnusableKeyName, match="Use 1 to 64 printable characters"):
        make_key(library, name, is_operator=False)
    assert keys_in_use(library) == []


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(salt=st.text(max_size=20), wrong=st.text(string.hexdigits, min_size=32, max_size=32))
def test_tokens_of_every_salt_are_understood(library: Library, salt: str, wrong: str) -> None:
    in_use = keys_in_use(library)
    text = make_key(library, "Zoë", is_operator=False) if not in_use else None
    if text is not None:
        library.settings.home.joinpath("key").write_text(text)
    text = library.settings.home.joinpath("key").read_text()

    assert key_of_token(library, "Zoë", token_of(text, salt), salt) == key_of_text(library, text)
    assert key_of_token(library, "Zoë", wrong, salt) is None
