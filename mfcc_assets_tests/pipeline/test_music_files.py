"""Tests of files whose content decides, and of the difference between a listing and the catalogue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.pipeline.music_files import Difference, difference, is_worth_trying
from mfcc_assets_tests.audio_samples import write_tone

VERSIONS = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("123"))


@pytest.mark.parametrize(
    ("name", "content", "is_tried"),
    [
        ("README", b"A text.", False),
        ("LICENSE", b"", False),
        ("song.dat", b"A text.", False),
        ("song", None, True),
        ("song.dat", None, True),
        ("song.mp3", b"A text.", True),
        ("song.AU", b"", True),
        ("song.au", b"A text of many words.\n" * 200, False),
        ("song.mp3", b"%PDF-1.4\n" + bytes(500), False),
        ("song.mp3", bytes(500), True),
    ],
)
def test_content_decides_about_files_without_an_audio_suffix_and_about_what_is_surely_no_audio(
    tmp_path, name: str, content: bytes | None, is_tried
) -> None:
    path = tmp_path / name
    path.write_bytes(write_tone(tmp_path / "tone.flac", 0.1).read_bytes() if content is None else content)
    assert is_worth_trying(path, name) == is_tried


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
