"""Tests of the distinction of music from other files, and of the difference between a listing and the catalogue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.pipeline.music_files import COMPANION_SUFFIXES, Difference, difference, is_companion

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
VERSIONS = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("123"))


@pytest.mark.parametrize(
    "name", ["cover.JPG", "album/Folder.jpeg", "list.m3u8", ".hidden.mp3", "a/._song.mp3", "Thumbs.db", "notes.txt"]
)
def test_a_file_that_accompanies_music_is_a_companion(name: str) -> None:
    assert is_companion(name)


@pytest.mark.parametrize(
    "name", ["song.mp3", "song", "song.jpg.mp3", ".hidden/song.mp3", "jpg", "song.xyz", "cover.jpg/song", "song."]
)
def test_every_other_file_is_tried(name: str) -> None:
    assert not is_companion(name)


@given(NAMES, st.sampled_from(sorted(COMPANION_SUFFIXES)))
def test_the_suffix_alone_makes_a_companion_in_small_and_capital_letters(stem: str, suffix: str) -> None:
    assert is_companion(f"{stem}{suffix}")
    assert is_companion(f"{stem}{suffix.upper()}")


@given(VERSIONS, VERSIONS)
def test_every_name_is_new_or_changed_or_gone_or_unchanged(listing: dict[str, str], manifest: dict[str, str]) -> None:
    expected: dict[str, list[str]] = {"new": [], "changed": [], "gone": [], "unchanged": []}
    for name in sorted(listing | manifest):
        if name not in manifest:
            expected["new"].append(name)
        elif name not in listing:
            expected["gone"].append(name)
        else:
            expected["unchanged" if listing[name] == manifest[name] else "changed"].append(name)
    found = difference(listing, manifest)
    assert found == Difference(**{kind: tuple(names) for kind, names in expected.items()})
    assert bool(found) == (listing != manifest)
