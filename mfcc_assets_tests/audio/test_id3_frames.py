import io
import re
import struct
import time
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import mutagen.id3
import mutagen.wave
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mfcc_assets.audio.artwork import Picture, embedded_picture
from mfcc_assets.audio.id3_frames import without_harmful_frames
from mfcc_assets.audio.tags import Tags, read_tags
from mfcc_assets_tests.audio_samples import write_tone

LONG = b"\x03" + 200_000 * b"a"


def synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def plain(number: int) -> bytes:
    return struct.pack(">I", number)


def frame(name: bytes, data: bytes, flags: int = 0, size_of=synchsafe) -> bytes:
    return name + size_of(len(data)) + struct.pack(">H", flags) + data


def tag(frames: bytes, version: int = 4, flags: int = 0) -> bytes:
    return b"ID3" + bytes([version, 0, flags]) + synchsafe(len(frames)) + frames


def compressed(data: bytes, size_of=synchsafe) -> bytes:
    return size_of(len(data)) + zlib.compress(data)


TITLE = frame(b"TIT2", b"\x03Ocean")
PLAIN_TITLE = frame(b"TIT2", b"\x03Ocean", size_of=plain)
ENCAPSULATED = b"\x00image/png\x00\x03\x00" + LONG
HARMFUL = {
    "compressed": tag(TITLE + frame(b"TPE1", compressed(LONG), 0x0009)),
    "compressed, of version 3": tag(PLAIN_TITLE + frame(b"TPE1", compressed(LONG, plain), 0x0080, plain), version=3),
    "long": tag(TITLE + frame(b"TPE1", LONG)),
    "long, of version 3": tag(frame(b"TPE1", LONG, size_of=plain) + PLAIN_TITLE, version=3),
    "long, of version 2": tag(
        b"TP1" + len(LONG).to_bytes(3) + LONG + b"TT2" + (6).to_bytes(3) + b"\x00Ocean", version=2
    ),
    "with sizes as iTunes wrote them": tag(PLAIN_TITLE + frame(b"TPE1", LONG, size_of=plain)),
    "behind an extended header": tag(synchsafe(6) + b"\x01\x00" + TITLE + frame(b"TPE1", LONG), flags=0x40),
    "unsynchronised": tag(
        frame(b"PRIV", b"\xff", 0, plain) + b"\x00" + PLAIN_TITLE + frame(b"TPE1", LONG, 0, plain),
        version=3,
        flags=0x80,
    ),
    "before very many others": tag(TITLE + frame(b"TPE1", LONG) + 20_000 * frame(b"TXXX", b"\x03a\x00b")),
    "in a chunk of a WAV": None,
}


def with_tag(path: Path, content: bytes | None) -> Path:
    """Write a short tone with a tag before it, or with an ID3 tag in a chunk behind it if there is no content."""
    if content is not None:
        path.write_bytes(content + write_tone(path.with_name("tone.mp3"), 1.5).read_bytes())
        return path
    sound = write_tone(path.with_name("tone.wav"), 1.5).read_bytes()
    chunk = tag(frame(b"TPE1", LONG) + TITLE)
    behind = b"id3 " + struct.pack("<I", len(chunk)) + chunk
    path.write_bytes(b"RIFF" + struct.pack("<I", len(sound) + len(behind) - 8) + sound[8:] + behind)
    return path


@pytest.mark.parametrize("content", HARMFUL.values(), ids=HARMFUL.keys())
def test_a_harmful_frame_is_left_out_with_a_note_and_the_others_are_read(tmp_path: Path, content: bytes | None) -> None:
    tags = read_tags(with_tag(tmp_path / "song", content))
    assert (tags.title, tags.artist) == ("Ocean", "")
    assert "left out" in tags.note
    assert re.search(r"TPE?1", tags.note)


@pytest.mark.parametrize(
    "others",
    [
        frame(b"USLT", b"\x03eng\x00" + 100_000 * b"la "),
        frame(b"SYLT", b"\x03eng\x02\x01\x00" + 30_000 * b"la\x00\x00\x00\x00\x01"),
        frame(b"TXXX", b"\x03lyrics\x00" + 100_000 * b"la "),
        frame(b"COMM", b"\x03eng\x00" + LONG),
        frame(b"PRIV", b"me\x00" + LONG),
        frame(b"GEOB", ENCAPSULATED),
        frame(b"CHAP", b"one\x00" + 16 * b"\x00" + frame(b"APIC", ENCAPSULATED)),
        frame(b"CHAP", b"one\x00" + 16 * b"\x00" + frame(b"TIT2", compressed(LONG), 0x0009)),
        frame(b"CTOC", b"toc\x00\x03\x01one\x00"),
        frame(b"TENC", compressed(LONG), 0x0009),
        frame(b"XXXX", LONG),
    ],
    ids=[
        "lyrics",
        "timed lyrics",
        "own field",
        "comment",
        "private",
        "object",
        "chapter picture",
        "packed in a chapter",
        "contents",
        "packed and unused",
        "unknown",
    ],
)
def test_a_frame_that_nobody_needs_keeps_neither_tags_nor_artwork_from_being_read(
    tmp_path: Path, others: bytes
) -> None:
    cover = io.BytesIO()
    Image.new("RGB", (8, 8)).save(cover, "PNG")
    front = frame(b"APIC", b"\x00image/png\x00\x03\x00" + cover.getvalue())
    path = with_tag(tmp_path / "song", tag(others + TITLE + others + frame(b"TPE1", b"\x03Will") + front))
    assert read_tags(path) == Tags(title="Ocean", artist="Will")
    assert embedded_picture(path) == Picture(cover.getvalue(), "image/png")


def test_fields_of_free_names_are_read_beside_harmful_frames(tmp_path: Path) -> None:
    free = [frame(b"TXXX", b"\x03" + field) for field in (b"DISCNUMBER\x002", b"ALBUM ARTIST\x00A", b"TRACK\x003")]
    path = with_tag(tmp_path / "song", tag(TITLE + b"".join(free) + frame(b"COMM", b"\x03eng\x00" + LONG)))
    assert read_tags(path) == Tags(title="Ocean", album_artist="A", track_number=3, disc_number=2)


def test_a_small_packed_frame_is_read(tmp_path: Path) -> None:
    packed = frame(b"TPE1", compressed(b"\x03Will"), 0x0009)
    assert read_tags(with_tag(tmp_path / "song", tag(TITLE + packed))) == Tags(title="Ocean", artist="Will")


def test_a_tag_of_only_harmful_frames_has_a_note(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(tag(frame(b"TIT2", compressed(b"\x03" + bytes(1_000_000)), 0x0009)))
    assert path.stat().st_size < 1_100
    tags = read_tags(path)  # mutagen would take many seconds
    assert replace(tags, note="") == Tags()
    assert "TIT2" in tags.note


def test_many_small_packed_frames_of_empty_values_are_read_in_time(tmp_path: Path) -> None:
    packed = frame(b"TXXX", compressed(b"\x03artists\x00" + bytes(60_000)), 0x0009)
    path = with_tag(tmp_path / "song", tag(TITLE + 4_000 * packed))
    started = time.perf_counter()
    assert read_tags(path).title == "Ocean"  # mutagen would take minutes
    assert time.perf_counter() - started < 10


def test_the_tag_of_a_file_with_a_tag_in_every_second_is_read(tmp_path: Path) -> None:
    sound = write_tone(tmp_path / "tone.mp3", 1.5).read_bytes()
    stamp = tag(frame(b"PRIV", b"com.apple.streaming.transportStreamTimestamp\x00" + bytes(8)))
    path = tmp_path / "radio.mp3"
    path.write_bytes(tag(TITLE) + 2_000 * (sound[:400] + stamp))
    assert read_tags(path) == Tags(title="Ocean")


@given(st.lists(st.integers(0, 299_999), max_size=6), st.integers(0, 2**32 - 1))
def test_everything_else_in_a_file_stays_where_it_is(tmp_path_factory: Any, positions: list[int], seed: int) -> None:
    path = tmp_path_factory.mktemp("view") / "song"
    audio = np.random.default_rng(seed).integers(0, 0x49, 100_000, dtype=np.uint8).tobytes()
    harmful = tag(TITLE + frame(b"TPE1", LONG))
    path.write_bytes(audio[:50_000] + harmful + audio[50_000:])
    whole = path.read_bytes()
    with without_harmful_frames(path) as harmless:
        view = harmless.file.read()
        assert harmless.left_out == ("TPE1",)
        for position in positions:
            harmless.file.seek(position)
            assert harmless.file.read(100) == view[position : position + 100]
    assert len(view) == len(whole)
    assert view[:50_000] == whole[:50_000]
    assert view[50_000 + len(harmful) :] == whole[50_000 + len(harmful) :]


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("suffix", ["mp3", "wav"])
def test_tags_of_common_programs_are_read(tmp_path: Path, suffix: str, version: int) -> None:
    path = write_tone(tmp_path / f"song.{suffix}", 1.5)
    frames = [
        mutagen.id3.TIT2(encoding=3, text="Ocean"),
        mutagen.id3.TPE1(encoding=3, text=["Will", "Zoë"]),
        mutagen.id3.APIC(encoding=3, mime="image/png", type=3, desc="", data=500_000 * b"\xff\x00TIT2"),
        mutagen.id3.PRIV(owner="somebody", data=LONG),
    ]
    if suffix == "wav":
        file = mutagen.wave.WAVE(path)
        file.add_tags()
        tags: Any = file.tags
        for each in frames:
            tags.add(each)
        file.save(v2_version=version)
    else:
        tags = mutagen.id3.ID3()
        for each in frames:
            tags.add(each)
        tags.save(path, v2_version=version)
    tags_read = read_tags(path)
    assert (tags_read.title, tags_read.note) == ("Ocean", "")
    # Version 3 of ID3 has no lists. mutagen writes a slash between the values, as many programs do.
    assert tags_read.artists == (() if version == 3 else ("Will", "Zoë"))
    assert tags_read.artist == ("Will/Zoë" if version == 3 else "Will, Zoë")


@pytest.mark.parametrize(
    ("content", "is_noted"),
    [
        (b"", False),
        (b"ID3", True),
        (b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f", True),
        (b"ID3\x04\x00\x40\x00\x00\x00\x09T", True),
        (tag(b"nonsense" * 10), True),
        (tag(bytes(80)), False),
        (tag(frame(b"TSSE", b"\x03LAME")), False),
    ],
)
def test_only_damaged_tags_get_a_note(tmp_path: Path, content: bytes, is_noted: bool) -> None:
    tags = read_tags(with_tag(tmp_path / "song.mp3", content))
    assert replace(tags, note="") == Tags()
    assert tags.note == ("no tags could be read, because they are damaged" if is_noted else "")
