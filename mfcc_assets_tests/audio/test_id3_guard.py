import struct
import zlib
from pathlib import Path
from typing import Any

import mutagen.id3
import mutagen.wave
import pytest

from mfcc_assets.audio.artwork import embedded_picture
from mfcc_assets.audio.id3_guard import is_harmless
from mfcc_assets.audio.tags import Tags, read_tags
from mfcc_assets_tests.audio_samples import write_tone

LONG = bytes(200_000)


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


SHORT_FRAME = frame(b"TIT2", b"\x03Ocean")
HARMFUL = {
    "compressed": tag(SHORT_FRAME + frame(b"TPE1", compressed(LONG), 0x0009)),
    "compressed, of version 3": tag(frame(b"TPE1", compressed(LONG, plain), 0x0080, plain), version=3),
    "long": tag(frame(b"TPE1", LONG)),
    "long, of version 3": tag(frame(b"TPE1", LONG, size_of=plain), version=3),
    "long, of version 2": tag(b"TP1" + (200_000).to_bytes(3) + LONG, version=2),
    "with sizes as iTunes wrote them": tag(frame(b"TPE1", LONG, size_of=plain)),
    "behind an extended header": tag(synchsafe(6) + b"\x01\x00" + frame(b"TPE1", LONG), flags=0x40),
    "unsynchronised": tag(frame(b"PRIV", b"\xff", 0, plain) + b"\x00" + frame(b"TPE1", LONG), version=3, flags=0x80),
    "of very many frames": tag(20_000 * frame(b"TXXX", b"\x03a\x00b")),
    "in a chunk of a WAV": b"RIFF\x00\x00\x00\x00WAVE" + b"id3 \x00\x00\x00\x00" + tag(frame(b"TIT2", LONG)),
    "one of very many tags": 1_000 * tag(b""),
}


@pytest.mark.parametrize("content", HARMFUL.values(), ids=HARMFUL.keys())
def test_a_harmful_tag_is_not_read(tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(content + write_tone(tmp_path / "tone.mp3", 1.5).read_bytes())
    assert not is_harmless(path)
    assert read_tags(path) == Tags()
    assert "song.mp3 are not read" in caplog.text
    assert embedded_picture(path) is None


def test_a_compressed_tag_of_a_million_empty_values_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(tag(frame(b"TIT2", compressed(b"\x03" + bytes(1_000_000)), 0x0009)))
    assert path.stat().st_size < 1_100
    assert read_tags(path) == Tags()  # mutagen would take many seconds


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
    assert is_harmless(path)
    assert read_tags(path).title == "Ocean"
    assert read_tags(path).artist.startswith("Will")


@pytest.mark.parametrize(
    "content", [b"", b"ID3", b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f", b"ID3\x04\x00\x40\x00\x00\x00\x09T"]
)
def test_an_incomplete_tag_is_harmless(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(content)
    assert is_harmless(path)
    assert read_tags(path) == Tags()
