import base64
import io
import struct
from pathlib import Path
from xml.etree import ElementTree as ET

import mutagen
import mutagen.flac
import mutagen.id3
import mutagen.mp4
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mfcc_assets.audio.artwork import (
    MAX_PICTURE_BYTES,
    MAX_PICTURE_PIXELS,
    Picture,
    embedded_picture,
    generated_cover,
    generated_picture,
    is_generated_cover,
)

SVG = "{http://www.w3.org/2000/svg}"
BACK_COVER, FRONT_COVER = 4, 3


def image(kind: str, colour: str = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(buffer, kind)
    return buffer.getvalue()


FRONT, BACK = image("PNG", "red"), image("PNG", "blue")


def flac_picture(data: bytes, kind: int = FRONT_COVER) -> mutagen.flac.Picture:
    picture = mutagen.flac.Picture()
    picture.data, picture.type, picture.mime = data, kind, "image/png"
    return picture


def file_with(path: Path, *pictures: tuple[int, bytes]) -> Path:
    """Write a file of the format of its suffix, with embedded pictures of these types."""
    if path.suffix == ".m4a":
        atoms = ((b"ftyp", b"M4A \0\0\0\0M4A "), (b"moov", b""))
        path.write_bytes(b"".join(struct.pack(">I", 8 + len(body)) + name + body for name, body in atoms))
    else:
        soundfile.write(path, np.zeros(4_800), 48_000)
    container = mutagen.File(path)
    if container.tags is None:
        container.add_tags()
    if path.suffix == ".m4a":
        container["covr"] = [mutagen.mp4.MP4Cover(data) for _, data in pictures]
    elif path.suffix == ".ogg":
        written = [base64.b64encode(flac_picture(data, kind).write()).decode() for kind, data in pictures]
        container["metadata_block_picture"] = written
    elif path.suffix == ".flac":
        for kind, data in pictures:
            container.add_picture(flac_picture(data, kind))
    else:
        for kind, data in pictures:
            container.tags.add(mutagen.id3.APIC(type=kind, data=data, mime="image/png", desc=str(kind)))
    container.save()
    return path


@pytest.mark.parametrize("name", ["a.mp3", "a.wav", "a.aiff", "a.flac", "a.ogg"])
def test_the_front_cover_is_preferred(tmp_path: Path, name: str) -> None:
    path = file_with(tmp_path / name, (BACK_COVER, BACK), (FRONT_COVER, FRONT))
    assert embedded_picture(path) == Picture(FRONT, "image/png")


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.ogg"])
def test_another_picture_is_taken_if_the_front_cover_is_broken(tmp_path: Path, name: str) -> None:
    path = file_with(tmp_path / name, (FRONT_COVER, b"no picture"), (BACK_COVER, BACK))
    assert embedded_picture(path) == Picture(BACK, "image/png")


def test_the_first_cover_of_an_mp4_is_taken(tmp_path: Path) -> None:
    path = file_with(tmp_path / "a.m4a", (FRONT_COVER, FRONT), (FRONT_COVER, BACK))
    assert embedded_picture(path) == Picture(FRONT, "image/png")


@pytest.mark.parametrize(
    ("kind", "media_type", "suffix"),
    [
        ("JPEG", "image/jpeg", ".jpg"),
        ("MPO", "image/jpeg", ".jpg"),
        ("PNG", "image/png", ".png"),
        ("WEBP", "image/webp", ".webp"),
        ("GIF", "image/gif", ".gif"),
    ],
)
def test_the_media_type_depends_on_the_bytes_and_not_on_the_tag(
    tmp_path: Path, kind: str, media_type: str, suffix: str
) -> None:
    picture = embedded_picture(file_with(tmp_path / "a.mp3", (FRONT_COVER, image(kind))))
    assert picture is not None
    assert (picture.media_type, picture.suffix) == (media_type, suffix)


@pytest.mark.parametrize("data", [b"", b"<svg/>", image("BMP"), FRONT[:40], image("JPEG")[:200]])
def test_a_picture_that_cannot_be_decoded_is_not_taken(tmp_path: Path, data: bytes) -> None:
    assert embedded_picture(file_with(tmp_path / "a.mp3", (FRONT_COVER, data))) is None


def test_a_picture_with_too_many_bytes_is_not_taken(tmp_path: Path) -> None:
    # Decoders of PNG ignore everything behind the end of the picture.
    largest = FRONT + bytes(MAX_PICTURE_BYTES - len(FRONT))
    assert embedded_picture(file_with(tmp_path / "a.mp3", (FRONT_COVER, largest))) is not None
    assert embedded_picture(file_with(tmp_path / "b.mp3", (FRONT_COVER, largest + b"1"))) is None


def test_a_small_file_of_a_huge_picture_is_not_taken(tmp_path: Path) -> None:
    width, taken = 8_000, []
    for height in (MAX_PICTURE_PIXELS // width, MAX_PICTURE_PIXELS // width + 1):
        buffer = io.BytesIO()
        Image.new("1", (width, height)).save(buffer, "PNG")
        path = file_with(tmp_path / f"{height}.mp3", (FRONT_COVER, buffer.getvalue()))
        taken.append(embedded_picture(path) is not None)
    assert taken == [True, False]


def test_a_file_without_pictures_or_with_nonsense_has_no_picture(tmp_path: Path) -> None:
    assert embedded_picture(file_with(tmp_path / "a.ogg")) is None
    nonsense = tmp_path / "nonsense.mp3"
    for content in (b"", b"ID3\x04\0\0\x7f\x7f\x7f\x7f", bytes(1_000)):
        nonsense.write_bytes(content)
        assert embedded_picture(nonsense) is None


def test_a_picture_with_invalid_base64_is_not_taken(tmp_path: Path) -> None:
    path = file_with(tmp_path / "a.ogg")
    container = mutagen.File(path)
    container["metadata_block_picture"] = "%%%"
    container.save()
    assert embedded_picture(path) is None


def test_generated_covers_are_equal_for_one_seed_and_differ_between_seeds() -> None:
    covers = {generated_cover(f"{number:016x}", "Ocean", "Will Savino").data for number in range(200)}
    assert len(covers) == 200
    assert generated_cover("a", "Ocean", "Will Savino") == generated_cover("a", "Ocean", "Will Savino")


@given(st.text(st.characters()), st.text(st.characters()), st.text(st.characters()))
def test_a_generated_cover_is_well_formed_for_any_title(seed: str, title: str, artist: str) -> None:
    cover = generated_cover(seed, title, artist)
    assert cover.media_type == "image/svg+xml"
    assert cover.suffix == ".svg"
    assert ET.fromstring(cover.data).tag == f"{SVG}svg"
    assert is_generated_cover(cover.data)


@pytest.mark.parametrize(
    ("part", "harm"),
    [
        (b"<g", b"<g onload='alert(1)'"),
        (b"<g", b'<g onload="alert(1)"'),
        (b"<g", b"<foreignObject/><g"),
        (b"<svg", b'<?xml-stylesheet href="a.css"?><svg'),
        (b"url(#sky)", b"url(https://other.example/)"),
        (b"</svg>", b"</svg><"),
        (b"<svg", b"<SVG"),
    ],
)
def test_an_svg_that_could_run_or_load_something_is_no_generated_cover(part: bytes, harm: bytes) -> None:
    cover = generated_cover("a", "Ocean", "Will Savino").data
    assert part in cover
    assert not is_generated_cover(cover.replace(part, harm))


def test_a_large_file_is_no_generated_cover_and_is_refused_at_once() -> None:
    beginning = generated_cover("a", "Ocean", "Will Savino").data.partition(b"</svg>")[0]
    assert not is_generated_cover(beginning + b"<g>text" * 10_000 + b"<")


def lines_of(cover: Picture) -> list[str]:
    return [text.text or "" for text in ET.fromstring(cover.data).iter(f"{SVG}text")]


def test_title_and_artist_are_written_on_the_cover() -> None:
    assert lines_of(generated_cover("a", "Me & <you>", "Anna")) == ["Me & <you>", "Anna"]
    assert lines_of(generated_cover("a", "Ocean", "")) == ["Ocean"]


def test_a_title_cannot_turn_the_direction_of_writing_on_a_cover() -> None:
    assert lines_of(generated_cover("a", "\u202eOcean\u2066", "Anna\u200f")) == ["Ocean", "Anna"]


def test_a_long_title_is_wrapped_and_shortened() -> None:
    *title, artist = lines_of(generated_cover("a", "word " * 40, "name " * 20))
    assert len(title) == 3
    assert title[0].startswith("word word")
    assert title[-1].endswith("…")
    assert artist.startswith("name name")
    assert artist.endswith("…")
    assert len(artist) <= 34


def test_an_ideograph_is_as_wide_as_two_letters() -> None:
    latin = lines_of(generated_cover("a", "o" * 18, ""))
    ideographs = lines_of(generated_cover("a", "雨" * 18, ""))
    assert (len(latin), len(ideographs)) == (1, 2)


@pytest.mark.parametrize("size", [16, 300])
def test_a_generated_picture_is_a_jpeg_of_the_size_that_differs_between_seeds(size: int) -> None:
    one, other = generated_picture("a", size), generated_picture("b", size)
    assert one == generated_picture("a", size) != other
    with Image.open(io.BytesIO(one.data)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (size, size))
