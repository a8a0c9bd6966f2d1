"""Complete files that follow each other in one file. `test_whole_streams` reads such files to their end."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.audio.following import files_in, next_file
from mfcc_assets.audio.reader import read_audio_id
from mfcc_assets_tests.audio_samples import write_audio, write_music

FORMATS = ["WAV", "AVI", "AIFF", "8SVX", "DSDIFF", "DSF", "Wave64", "AU", "TTA", "Monkey's Audio", "WavPack", "Ogg"]
FORMATS += ["CAF", "Flash Video", "MP4", "ASF", "Matroska", "MP3", "FLAC", "TAK"]

HEADERS = {
    "aiff": b"FORM\x00\x00\x10\x00AIFF",
    "riff": b"RIFF\x00\x10\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00",
    "FLAC": b"fLaC\x00\x00\x00\x22" + bytes(34),
    "MP3 ": b"ID3\x04\x00\x00\x00\x00\x00\x0atwo frames",
}
"""Beginnings of other files, which programs keep in metadata to restore the file that they compressed."""


@given(st.sampled_from(FORMATS), st.binary(max_size=100), st.integers(0, 5))
def test_any_bytes_have_at_least_one_file_and_no_byte_twice(format_name: str, content: bytes, start: int) -> None:
    files = list(files_in(content, format_name, start))
    places = [start, *(place for _, part in files for place in part)]
    assert places == sorted(places) or not content[start:]
    assert files[0][0] == format_name


@pytest.mark.parametrize("between", [b"", b"TAG" + bytes(125), b"ID3\x04\x00\x00\x00\x00\x00\x05hello"])
def test_the_next_file_is_found_behind_tags(tmp_path: Path, between: bytes) -> None:
    songs = [write_music(tmp_path / f"{suffix}.{suffix}", 1, seed=1).read_bytes() for suffix in ("wav", "flac", "mp3")]
    wav, flac, mp3 = songs
    assert list(files_in(wav + between + flac, "WAV", 0))[1][0] == "FLAC"
    assert list(files_in(wav + between + mp3, "WAV", 0))[1][0] == "MP3"
    assert next_file(between + wav, 0) == ("WAV", len(between))
    assert next_file(between + b"LIST" + bytes(90), 0) is None


def test_a_box_of_mp4_that_reaches_to_the_end_begins_no_file() -> None:
    content = b"".join(
        struct.pack(">I4s", size, name).ljust(size, b"\0") for size, name in ((24, b"ftyp"), (40, b"moov"))
    )
    content += struct.pack(">I4s", 0, b"mdat") + bytes(100)
    assert list(files_in(content, "MP4", 0)) == [("MP4", (0, len(content)))]


@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
def test_the_frames_of_silence_in_flac_are_no_file_of_their_own(tmp_path: Path, sample_rate: int) -> None:
    # The headers of such frames look like those of ADTS, and the frames are as long as these say.
    flac = write_audio(tmp_path / "silence.flac", np.zeros(600 * sample_rate), sample_rate).read_bytes()
    assert list(files_in(flac, "FLAC", 0)) == [("FLAC", (0, len(flac)))]


@pytest.mark.parametrize("name", HEADERS)
def test_the_header_of_the_file_that_a_flac_was_made_from_begins_no_file(tmp_path: Path, name: str) -> None:
    flac = write_music(tmp_path / "song.flac", 1, seed=1).read_bytes()
    kept = name.encode() + HEADERS[name]
    whole = flac[:42] + b"\x02" + len(kept).to_bytes(3) + kept + flac[42:]
    assert list(files_in(whole, "FLAC", 0)) == [("FLAC", (0, len(whole)))]
    joined = [("FLAC", (0, len(whole))), ("FLAC", (len(whole), 2 * len(whole)))]
    assert list(files_in(whole + whole, "FLAC", 0)) == joined
    (tmp_path / "foreign.flac").write_bytes(whole)
    assert read_audio_id(tmp_path / "foreign.flac") == read_audio_id(tmp_path / "song.flac")


@pytest.mark.parametrize("name", HEADERS)
def test_the_header_of_the_file_that_a_tak_was_made_from_begins_no_file(tmp_path: Path, name: str) -> None:
    flac = write_music(tmp_path / "song.flac", 1, seed=1).read_bytes()
    kept = HEADERS[name]
    tak = b"tBaK" + b"\x03" + len(kept).to_bytes(3, "little") + kept + bytes(4) + b"\xa0\xff" + bytes(5_000)
    assert list(files_in(tak, "TAK", 0)) == [("TAK", (0, len(tak)))]
    assert list(files_in(tak + flac, "TAK", 0))[1:] == [("FLAC", (len(tak), len(tak + flac)))]
