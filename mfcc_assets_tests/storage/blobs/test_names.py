"""Tests of the names that a blob may have, and of names made from paths."""

import os
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfcc_assets.errors import BlobNameError
from mfcc_assets.storage.blobs.names import (
    LONGEST_NAME,
    check_name,
    clean_name,
    clean_name_of_file,
    file_of_name,
    name_of_file,
    shown_name,
)
from mfcc_assets_tests.storage.blobs.samples import BAD_NAMES, UNUSUAL_NAMES


class TestNames:
    @pytest.mark.parametrize("name", UNUSUAL_NAMES)
    def test_an_unusual_name_is_accepted(self, name):
        check_name(name)

    @pytest.mark.parametrize(("name", "reason"), BAD_NAMES.items())
    def test_a_refusal_has_a_reason_and_a_remedy_and_can_be_printed(self, name, reason):
        with pytest.raises(BlobNameError) as refused:
            check_name(name)
        assert reason in refused.value.what
        assert refused.value.remedy
        str(refused.value).encode()

    @pytest.mark.parametrize(
        ("path_like", "expected"),
        [
            ("song.mp3", "song.mp3"),
            ("/etc/passwd", "etc/passwd"),
            ("../../a/./song.mp3", "a/song.mp3"),
            ("C:\\Music\\song.mp3", "C:/Music/song.mp3"),
            ("a\0b\nc.mp3", "a_b_c.mp3"),
            ("🎷🎺", "🎷🎺"),
            (" . .hidden. ", "hidden"),
            ("", "untitled"),
            ("///", "untitled"),
            ("cafe\N{COMBINING ACUTE ACCENT}.mp3", "café.mp3"),
            (".mfcc/lock", "mfcc/lock"),
            ("100% #1 - 'x'.mp3", "100% #1 - 'x'.mp3"),
        ],
    )
    def test_a_clean_name_keeps_the_readable_parts(self, path_like, expected):
        assert clean_name(path_like) == expected

    def test_two_long_names_stay_different_and_keep_their_suffix(self):
        one, other = (clean_name("é" * 200 + ending) for ending in ("1.mp3", "2.mp3"))
        assert one != other
        assert one.startswith("é" * 100)
        assert one.endswith(".mp3")
        assert len(one.encode()) <= 255

    def test_two_long_paths_stay_different_and_keep_their_file_name(self):
        one, other = (clean_name("folder/" * 200 + f"{disc}/song.mp3") for disc in "12")
        assert one != other
        assert one.endswith("/song.mp3")

    @settings(max_examples=300)
    @given(st.text(st.characters(exclude_categories=())) | st.text("./\\ \0é\u0301🎷a=\u0338", max_size=40))
    def test_every_clean_name_is_valid_and_stays_unchanged(self, path_like):
        self.check_clean(path_like)

    @settings(max_examples=50)
    @given(st.lists(st.text("ab.é🎷 \u0301/", min_size=1, max_size=12), min_size=1, max_size=4), st.integers(20, 400))
    def test_every_long_clean_name_is_valid_and_stays_unchanged(self, pieces, repeats):
        self.check_clean("".join(piece * repeats for piece in pieces))

    def check_clean(self, path_like: str) -> None:
        cleaned = clean_name(path_like)
        check_name(cleaned)
        check_name(f"{'0' * 32}/{cleaned}")
        assert clean_name(cleaned) == cleaned
        assert unicodedata.is_normalized("NFC", cleaned)


FILE_NAMES = st.binary(min_size=1, max_size=255).map(lambda name: name.replace(b"/", b"_").replace(b"\0", b"_"))
"""Every name that a file on Linux can have, as bytes."""


class TestFileNames:
    @given(st.lists(FILE_NAMES.filter(lambda name: name not in (b".", b"..", b".mfcc")), min_size=1, max_size=3))
    def test_every_path_is_the_name_of_one_blob_from_which_its_bytes_are_found(self, segments):
        path = os.fsdecode(b"/".join(segments))
        name = name_of_file(path)

        if not name.casefold().startswith(".mfcc") and len(name) <= LONGEST_NAME:
            check_name(name)
        assert file_of_name(name) == path
        name.encode()
        shown_name(path).encode()
        check_name(clean_name(path))
        check_name(clean_name_of_file(path))

    @given(FILE_NAMES.filter(lambda name: name.strip(b" .") == name and len(name) < 200))
    def test_a_clean_name_of_a_file_keeps_every_byte_of_its_name(self, raw):
        file = os.fsdecode(raw)
        assert file_of_name(clean_name_of_file(file)) == unicodedata.normalize("NFC", file)

    @pytest.mark.parametrize("name", ["rock 'n' roll.mp3", "ä/ö.flac", "\ufffd\uf022.mp3"])
    def test_an_ordinary_name_is_the_same_on_the_disk(self, name):
        assert name_of_file(name) == file_of_name(name) == shown_name(name) == name

    @pytest.mark.parametrize("hidden", ["..", "/", "a", "é", "\0"])
    def test_no_stand_in_hides_a_character_that_needs_none(self, hidden):
        stand_ins = "".join(chr(ord(name_of_file("\udcff")) - 0xFF + byte) for byte in hidden.encode())
        with pytest.raises(BlobNameError, match="needs none"):
            check_name(f"uploads{stand_ins}/secret")

    @pytest.mark.parametrize(
        ("path", "shown"),
        [
            ("caf\udce9.mp3", "caf\\xe9.mp3"),
            ("line\nfeed\x07.mp3", "line\\x0afeed\\x07.mp3"),
            ("AC\\DC.mp3", "AC\\DC.mp3"),
            ("gpj.\N{RIGHT-TO-LEFT OVERRIDE}3pm", "gpj.\\u202e3pm"),
            ("half \ud83d.mp3", "half \\ud83d.mp3"),
        ],
    )
    def test_a_shown_name_can_be_read(self, path, shown):
        assert shown_name(path) == shown
