"""Tests of the password of the pages."""

import resource
import threading
from concurrent.futures import ThreadPoolExecutor

import argon2
import pytest

from mfcc_assets.web.security.passwords import hash_of, is_hash, matches

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def hashed() -> str:
    return hash_of(PASSWORD)


def test_only_the_password_matches_its_hash(hashed: str) -> None:
    assert matches(PASSWORD, hashed)
    assert not matches(f"{PASSWORD} ", hashed)
    assert not matches("", hashed)


def test_two_hashes_of_a_password_differ(hashed: str) -> None:
    assert hash_of(PASSWORD) != hashed


def test_a_letter_with_an_accent_matches_however_the_keyboard_writes_it() -> None:
    assert matches("cafe\u0301 cafe\u0301 cafe\u0301", hash_of("café café café"))


@pytest.mark.parametrize("text", ["", PASSWORD, "$argon2id$v=19$", "$2b$12$abcdefghijklmnopqrstuv"])
def test_other_texts_are_no_hashes_and_match_nothing(text: str) -> None:
    assert not is_hash(text)
    assert not matches(text, text)


def test_only_the_variant_that_resists_both_kinds_of_attack_is_accepted(hashed: str) -> None:
    assert is_hash(hashed)
    assert not is_hash(argon2.PasswordHasher(type=argon2.Type.I, time_cost=1).hash(PASSWORD))


def test_twenty_attempts_at_once_take_the_memory_of_two(hashed: str) -> None:
    # The kernel counts the largest memory of this process, which the hashes before have already raised.
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ready = threading.Barrier(20)

    def attempt(number: int) -> bool:
        ready.wait()
        try:
            return matches(f"wrong {number}", hashed)
        except TimeoutError:
            return False

    with ThreadPoolExecutor(20) as threads:
        assert not any(threads.map(attempt, range(20)))

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 3 * 64 * 1024
