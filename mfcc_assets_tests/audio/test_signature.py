"""Tests of the signatures: what a file is, judged by its bytes and not by its name."""

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.audio.signature import (
    CONTENT_NAMES,
    Impression,
    audio_format,
    content_without_audio,
    first_impression,
    read_signature,
)
from mfcc_assets_tests.audio_samples import encode, music, write_music

FORMATS = {
    "song.wav": "WAV",
    "song.flac": "FLAC",
    "song.ogg": "Ogg",
    "song.opus": "Ogg",
    "song.mp3": "MP3",
    "song.aiff": "AIFF",
    "song.au": "AU",
    "song.caf": "CAF",
    "song.w64": "Wave64",
}

ENCODINGS = [
    ("song.m4a", "aac", "ipod", "MP4"),
    ("song.mov", "aac", "mov", "MP4"),
    ("song.3gp", "aac", "3gp", "MP4"),
    ("song.aac", "aac", "adts", "AAC"),
    ("song.wma", "wmav2", "asf", "ASF"),
    ("song.webm", "libopus", "webm", "Matroska"),
    ("song.wv", "wavpack", "wv", "WavPack"),
    ("song.tta", "tta", "tta", "TTA"),
    ("song.ac3", "ac3", "ac3", "AC-3"),
    ("song.eac3", "eac3", "eac3", "AC-3"),
    ("song.mp2", "mp2", "mp2", "MP2"),
    ("song.avi", "mp2", "avi", "AVI"),
    ("song.flv", "aac", "flv", "Flash Video"),
    ("song.ts", "aac", "mpegts", "MPEG transport stream"),
    ("song.m2ts", "ac3", "mpegts", "MPEG transport stream"),
    ("song.mpg", "mp2", "mpeg", "MPEG program stream"),
    ("song.rm", "ac3", "rm", "RealMedia"),
]


def id3(size: int) -> bytes:
    """Make a tag of ID3v2.4 that has `size` zeros behind its header, as padding."""
    return b"ID3\x04\x00\x00" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)


def unnamed(path: Path) -> Path:
    """Take away the suffix of a file, which must play no part."""
    return path.rename(path.with_name("file"))


@pytest.mark.parametrize(("name", "expected"), FORMATS.items())
def test_files_of_libsndfile_are_known_by_their_bytes(tmp_path: Path, name: str, expected: str) -> None:
    assert audio_format(unnamed(write_music(tmp_path / name, 1, seed=1, sample_rate=48_000))) == expected


@pytest.mark.parametrize(("name", "coding", "container", "expected"), ENCODINGS)
def test_files_of_ffmpeg_are_known_by_their_bytes(
    tmp_path: Path, name: str, coding: str, container: str, expected: str
) -> None:
    path = encode(tmp_path / name, coding, music(1, seed=1, sample_rate=48_000), container=container)
    assert audio_format(unnamed(path)) == expected


@pytest.mark.parametrize(
    "front", [id3(100), id3(300_000), id3(50) + id3(70), bytes(10), bytes(200_000), id3(9) + bytes(4_000)]
)
@pytest.mark.parametrize("name", ["song.mp3", "song.flac", "song.wav"])
def test_tags_and_zeros_in_front_are_skipped(tmp_path: Path, front: bytes, name: str) -> None:
    path = write_music(tmp_path / name, 1, seed=1)
    path.write_bytes(front + path.read_bytes())
    signature = read_signature(path)
    assert signature is not None
    assert (signature.format, signature.start) == (FORMATS[name], len(front))


@pytest.mark.parametrize("front", [bytes(10), bytes(4_096), bytes(200_001), id3(9) + bytes(4_000)])
def test_zeros_in_front_of_an_mp4_are_told_from_those_that_it_begins_with(tmp_path: Path, front: bytes) -> None:
    path = encode(tmp_path / "song.m4a", "aac", music(1, seed=1))
    path.write_bytes(front + path.read_bytes())
    signature = read_signature(path)
    assert signature is not None
    assert (signature.format, signature.start) == ("MP4", len(front))


def test_audio_is_found_behind_a_tag_that_declares_more_bytes_than_the_file_has(tmp_path: Path) -> None:
    song = write_music(tmp_path / "song.mp3", 1, seed=1).read_bytes()
    path = tmp_path / "tagged.mp3"
    path.write_bytes(id3(10_000_000)[:10] + bytes(500) + song)
    signature = read_signature(path)
    assert signature is not None
    assert (signature.format, signature.start) == ("MP3", 510)


@pytest.mark.parametrize(
    "junk", [b"<html>" + 100_000 * b"junk ", b"\xff" * 5_000, b"RIFF\x00\x00\x00\x00RMP3data\x00\x00\x00\x00"]
)
@pytest.mark.parametrize("suffix", ["mp3", "aac"])
def test_frames_are_found_behind_other_bytes(tmp_path: Path, junk: bytes, suffix: str) -> None:
    path = tmp_path / f"song.{suffix}"
    if suffix == "mp3":
        write_music(path, 2, seed=1)
    else:
        encode(path, "aac", music(2, seed=1, sample_rate=48_000))
    path.write_bytes(junk + path.read_bytes())
    signature = read_signature(path)
    assert signature is not None
    assert (signature.format, signature.start) == (suffix.upper(), len(junk))


NO_AUDIO = {
    "text.au": (b"The words of a song.\n" * 999, "text"),
    "text.snd": ("Ünïcode\n".encode() * 999, "text"),
    "text.gsm": ((99 * "Text in UTF-16\n").encode("utf-16"), "text"),
    "MAC addresses.pcm": (b"MAC 00:11:22\nMP+ and TTA1\n" * 99, "text"),
    "duty.vox": (b"dutyfree\n" * 99, "text"),
    "zip.mp3": (b"PK\x03\x04" + bytes(range(256)) * 99, "a ZIP archive"),
    "picture.mp3": (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 99, "a picture"),
    "photo.m4a": (struct.pack(">I8s", 24, b"ftypheic") + bytes(99), "a picture"),
    "document.ogg": (b"%PDF-1.7\n" * 99, "a PDF document"),
    "list.mp3": (b"#EXTM3U\nother.mp3\n", "a playlist"),
    "tune.mid": (b"MThd\x00\x00\x00\x06" + bytes(range(99)), "MIDI notes without sound"),
    "zeros.raw": (bytes(100_000), "zeros or a tag alone"),
    "empty.mp3": (b"", "zeros or a tag alone"),
    "tag.mp3": (id3(500), "zeros or a tag alone"),
    "tags.mp3": (100_000 * id3(0), "zeros or a tag alone"),
    "cut tag.mp3": (id3(500)[:-100], "zeros or a tag alone"),
    "noise.raw": (np.random.default_rng(0).bytes(1_000_000), ""),
    "loud.raw": (b"\xff" * 1_000_000, ""),
}


@pytest.mark.parametrize("name", NO_AUDIO)
def test_what_is_no_audio_is_never_guessed_to_be_raw_samples(tmp_path: Path, name: str) -> None:
    content, description = NO_AUDIO[name]
    path = tmp_path / name
    path.write_bytes(content)
    assert audio_format(path) is None
    assert content_without_audio(path) == description


def test_an_archive_that_holds_an_mp3_is_no_mp3(tmp_path: Path) -> None:
    song = write_music(tmp_path / "song.mp3", 2, seed=1).read_bytes()
    path = tmp_path / "album.mp3"
    path.write_bytes(b"PK\x03\x04\x0a\x00\x00\x00\x00\x00song.mp3" + song)
    assert audio_format(path) is None


def test_a_single_frame_is_no_stream(tmp_path: Path) -> None:
    song = write_music(tmp_path / "song.mp3", 2, seed=1, sample_rate=44_100).read_bytes()
    with av.open(tmp_path / "song.mp3") as container:
        first = next(container.demux(audio=0)).size
    path = tmp_path / "frame.mp3"
    path.write_bytes(song[:first] + np.random.default_rng(1).bytes(50_000))
    assert audio_format(path) is None


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        audio_format(tmp_path / "missing.mp3")


@pytest.mark.parametrize(
    ("head", "impression"),
    [
        (b"fLaC" + bytes(100), Impression.AUDIO),
        (b"ID3\x04\x00\x00\x00\x7f\x7f\x7f" + b"a tag that goes on", Impression.AUDIO),
        (bytes(4096), Impression.AUDIO),
        (bytes(2000) + b"fLaC" + bytes(100), Impression.AUDIO),
        (b"<html>" * 100, Impression.OTHER),
        (bytes(2000) + b"%PDF-1.4", Impression.OTHER),
        (bytes(range(128, 256)) * 8, Impression.UNKNOWN),
    ],
)
def test_the_first_bytes_tell_what_a_file_is_unless_it_may_still_be_audio(head: bytes, impression: Impression) -> None:
    assert first_impression(head)[0] is impression


@given(st.binary(max_size=4096))
def test_a_file_with_a_signature_is_never_taken_for_something_else(head: bytes) -> None:
    found, content = first_impression(head)

    assert (content != "") == (found is Impression.OTHER)
    assert content in ("", *CONTENT_NAMES)
