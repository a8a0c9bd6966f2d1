"""Which large files were verified is remembered for a while."""

import os
import time

import pytest

from mfcc_assets.storage.verified_parts import VERIFIED_FOR, VerifiedParts


@pytest.fixture
def verified(tmp_path):
    return VerifiedParts(tmp_path / "verified")


def test_only_what_was_verified_is_known(verified, tmp_path):
    assert not verified.has("name", "etag")
    verified.add("name", "etag")
    assert verified.has("name", "etag")
    assert not verified.has("name", "another etag")
    assert not verified.has("name etag")
    assert VerifiedParts(tmp_path / "verified").has("name", "etag"), "another process knows it"


@pytest.mark.parametrize("age", [VERIFIED_FOR + 60, -3600])
def test_a_check_counts_for_a_while_and_not_if_the_clock_was_wrong(verified, tmp_path, age):
    verified.add("name", "etag")
    [note] = (tmp_path / "verified").iterdir()
    then = time.time() - age
    os.utime(note, (then, then))
    assert not verified.has("name", "etag")
    verified.add("another", "etag")
    assert note.exists() == (age < 0), "what counts no more is forgotten"


def test_a_folder_that_cannot_be_made_remembers_nothing(tmp_path):
    (tmp_path / "file").touch()
    verified = VerifiedParts(tmp_path / "file")
    verified.add("name", "etag")
    assert not verified.has("name", "etag")
