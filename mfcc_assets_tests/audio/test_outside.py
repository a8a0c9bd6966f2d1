"""Tests with files that are made to harm whoever reads them. None may harm the reading of others."""

import io
import struct
import sys
import time
import zlib
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import mutagen.id3
import numpy as np
import pytest
from PIL import Image

from mfcc_assets.audio.artwork import MAX_PICTURE_BYTES
from mfcc_assets.audio.bounds import Bounds
from mfcc_assets.audio.decoding import beginning
from mfcc_assets.audio.outside import cut_excerpt, inspect, read_beginning, read_tags
from mfcc_assets.audio.reader import read_audio_id
from mfcc_assets.audio.tags import Tags
from mfcc_assets.errors import AudioError, EmptyAudio, TooCostly, TooShort, UnreadableAudio
from mfcc_assets_tests.audio_samples import retag, tone, write_audio, write_music

BOUNDS = Bounds(cpu_seconds=1, cpu_share=0.1, memory_bytes=200 << 20)


def picture(kind: str, size: tuple[int, int] = (64, 64), **options: object) -> bytes:
    file = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(file, kind, **options)
    return file.getvalue()


def png_of(width: int, height: int) -> bytes:
    """Make a small PNG that declares a size."""
    data = bytearray(picture("PNG"))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def png_of_400_million_pixels() -> bytes:
    return png_of(20_000, 20_000)


def jpeg_of_thousands_of_scans() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (3_000, 3_000)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + 3_000 * data[last:-2] + data[-2:]


def gif_of_thousands_of_pictures() -> bytes:
    pictures = [Image.new("P", (64, 64), number % 256) for number in range(2_000)]
    file = io.BytesIO()
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:])
    return file.getvalue()


def with_cover(path: Path, data: bytes) -> Path:
    write_music(path, 2, seed=1)
    tags = mutagen.id3.ID3()
    tags.add(mutagen.id3.TIT2(text="Ocean"))
    tags.add(mutagen.id3.APIC(mime="image/jpeg", type=3, data=data))
    tags.save(path)
    return path


def many_atoms(path: Path) -> Path:
    path.write_bytes(struct.pack(">I8sI", 16, b"ftypM4A ", 0) + 400_000 * struct.pack(">I4s", 8, b"free"))
    return path


def nested_atoms(path: Path) -> Path:
    depth = 30_000
    atoms = b"".join(struct.pack(">I4s", 8 * (depth - level), b"moov") for level in range(depth))
    path.write_bytes(struct.pack(">I8sI", 16, b"ftypM4A ", 0) + atoms)
    return path


def tiny_pages(path: Path) -> Path:
    page = b"OggS\x00\x00" + bytes(20) + b"\x01\x01\x00"
    path.write_bytes(b"OggS\x00\x02" + page[6:] + 300_000 * page)
    return path


def million_frames(path: Path) -> Path:
    write_music(path, 2, seed=1)
    frames = 1_000_000 * (b"TXXX" + bytes(7) + b"\x01" + bytes(2))
    size = bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x03\x00\x00" + size + frames + path.read_bytes())
    return path


def thousands_of_streams(path: Path) -> Path:
    song = write_music(path, 1, seed=1, sample_rate=8_000).read_bytes()
    path.write_bytes(2_000 * song[:3_000])
    return path


DAMAGED = (UnreadableAudio, TooCostly)

HOSTILE: dict[str, tuple[Callable[[Path], Path], str, tuple[type[AudioError], ...]]] = {
    "png.mp3": (lambda path: with_cover(path, png_of_400_million_pixels()), "Ocean", ()),
    "jpeg.mp3": (lambda path: with_cover(path, jpeg_of_thousands_of_scans()), "Ocean", ()),
    "gif.mp3": (lambda path: with_cover(path, gif_of_thousands_of_pictures()), "Ocean", ()),
    "atoms.m4a": (many_atoms, "", DAMAGED),
    "nested.m4a": (nested_atoms, "", DAMAGED),
    "pages.ogg": (tiny_pages, "", DAMAGED),
    "frames.mp3": (million_frames, "", ()),
    "streams.mp3": (thousands_of_streams, "", ()),
    "streams.ogg": (thousands_of_streams, "", (EmptyAudio,)),
    "constant.flac": (
        lambda path: write_audio(path, np.full((300_000, 8), 0.25), sample_rate=655_350),
        "",
        (TooShort,),
    ),
}
"""How each file is made, its title, and the errors of which its audio has one, if it cannot be used."""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_made_to_harm_ends_within_the_bounds_and_the_next_one_is_read(tmp_path: Path, name: str) -> None:
    make, title, errors = HOSTILE[name]
    path = make(tmp_path / name)
    begin = time.monotonic()
    assert inspect(path, bounds=BOUNDS).tags.title == title
    with pytest.raises(errors) if errors else nullcontext():
        read_audio_id(path, bounds=BOUNDS)
    assert time.monotonic() - begin < 20  # three readings of at most two seconds of computing, on a busy machine
    song = write_music(tmp_path / "song.flac", 2, seed=1)
    retag(song, title="Ocean")
    assert read_tags(song).title == "Ocean"
    read_audio_id(song)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits for a process")
def test_a_picture_that_takes_too_much_computing_costs_neither_the_tags_nor_the_audio(tmp_path: Path) -> None:
    path = with_cover(tmp_path / "song.mp3", jpeg_of_thousands_of_scans())
    inspection = inspect(path, bounds=BOUNDS)
    assert inspection.picture is None
    assert inspection.tags.title == "Ocean"
    assert inspection.remarks == ("its picture is left out: reading it takes far too much computing",)
    assert read_audio_id(path) == read_audio_id(write_music(tmp_path / "plain.mp3", 2, seed=1))


@pytest.mark.parametrize(
    ("cover", "reason"),
    [
        (png_of_400_million_pixels(), "it has more than 40,000,000 pixels"),
        (png_of(10_000, 10_000), "it has more than 40,000,000 pixels"),
        (png_of(6_400, 6_400), "it has more than 40,000,000 pixels"),
        (picture("PNG") + bytes(MAX_PICTURE_BYTES), "it has more than 16 MB"),
        (picture("BMP"), "it is damaged, or it is no JPEG, PNG, WebP or GIF"),
        (picture("JPEG")[:500], "it is damaged, or it is no JPEG, PNG, WebP or GIF"),
    ],
)
def test_a_remark_says_why_a_picture_is_left_out(tmp_path: Path, cover: bytes, reason: str) -> None:
    inspection = inspect(with_cover(tmp_path / "song.mp3", cover))
    assert inspection.picture is None
    assert inspection.tags.title == "Ocean"
    assert inspection.remarks == (f"its picture is left out: {reason}",)


def test_tags_and_picture_arrive_from_the_child_as_they_are(tmp_path: Path) -> None:
    cover = picture("PNG")
    inspection = inspect(with_cover(tmp_path / "song.mp3", cover))
    assert inspection.tags == Tags(title="Ocean")
    assert inspection.picture is not None
    assert (inspection.picture.data, inspection.picture.media_type) == (cover, "image/png")
    assert inspection.remarks == ()


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    for read in (inspect, read_tags, cut_excerpt):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "missing.mp3")


def test_an_excerpt_arrives_from_the_child_as_it_is(tmp_path: Path) -> None:
    excerpt = cut_excerpt(write_music(tmp_path / "song.mp3", 20, seed=1))
    assert excerpt.suffix == ".mp3"
    assert excerpt.begin_seconds == pytest.approx(4, abs=0.1)
    assert len(excerpt.data) > 1_000
    (tmp_path / "text.mp3").write_text("no music")
    with pytest.raises(UnreadableAudio):
        cut_excerpt(tmp_path / "text.mp3")


@pytest.mark.parametrize(
    ("channels", "seconds", "shape"), [(2, 1.0, (44_100, 2)), (1, 1.0, (44_100, 1)), (2, 9.0, (88_200, 2))]
)
def test_the_beginning_has_the_samples_of_the_file(
    tmp_path: Path, channels: int, seconds: float, shape: tuple[int, int]
) -> None:
    signal = np.stack([tone(2), tone(2, 660)], axis=1)
    path = write_audio(tmp_path / "song.wav", signal, subtype="FLOAT")
    samples, sample_rate = read_beginning(path, path.name, seconds=seconds, channels=channels)
    assert (samples.shape, sample_rate) == (shape, 44_100)
    np.testing.assert_allclose(samples, signal[: shape[0], :channels], atol=1e-6)


def test_reading_the_beginning_counts_the_seconds_that_were_decoded(tmp_path: Path) -> None:
    counted: list[float] = []
    beginning(write_audio(tmp_path / "song.wav", tone(30)), "song.wav", 99.0, 1, counted.append)
    assert counted == sorted(counted)
    assert counted[0] < counted[-1] == pytest.approx(30)
