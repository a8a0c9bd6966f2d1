"""Tests of the artwork in the size that a page shows."""

import io
import struct
import zlib
from dataclasses import replace

import pytest
from PIL import Image

from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.web.library.artwork import has_picture, sized_artwork


@pytest.fixture
def track(ten_tracks: Library, songs: list[TrackId]) -> Soundtrack:
    found = ten_tracks.browsing.track(songs[0])
    assert found is not None
    return replace(found, artwork="cover.png")


def _bomb() -> bytes:
    """Return a small PNG that declares 40,000 x 40,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(10_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("content", [_bomb(), b"", b"<svg><script>alert(1)</script></svg>", b"\x89PNG\r\n\x1a\nbroken"])
def test_a_picture_that_cannot_be_used_is_replaced_by_a_drawn_cover(
    ten_tracks: Library, track: Soundtrack, content: bytes
) -> None:
    ten_tracks.blobs.write("artworks", "cover.png", content)

    made = sized_artwork(ten_tracks, track, 64, "image/webp", takes_svg=True)

    assert made.media_type == "image/svg+xml"
    assert b"<script" not in made.data


def test_a_picture_that_is_gone_is_replaced_too(ten_tracks: Library, track: Soundtrack) -> None:
    assert (
        sized_artwork(ten_tracks, replace(track, artwork="gone.jpg"), 64, "image/webp", takes_svg=True).media_type
        == "image/svg+xml"
    )


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "1", "LA", "I;16"])
@pytest.mark.parametrize("media_type", ["image/webp", "image/jpeg"])
def test_pictures_of_every_mode_are_shown(ten_tracks: Library, track: Soundtrack, mode: str, media_type: str) -> None:
    written = io.BytesIO()
    Image.new(mode, (300, 300)).save(written, "PNG")
    ten_tracks.blobs.write("artworks", "cover.png", written.getvalue())

    made = sized_artwork(ten_tracks, track, 128, media_type, takes_svg=True)

    assert made.media_type == media_type
    with Image.open(io.BytesIO(made.data)) as image:
        assert image.size == (128, 128)


def test_a_stored_svg_is_never_sent_as_it_is(ten_tracks: Library, track: Soundtrack) -> None:
    ten_tracks.blobs.write("artworks", "cover.svg", b"<svg><script>alert(1)</script></svg>")

    assert not has_picture(replace(track, artwork="cover.svg"))
    assert (
        b"script"
        not in sized_artwork(ten_tracks, replace(track, artwork="cover.svg"), 64, "image/webp", takes_svg=True).data
    )


def test_names_in_a_drawn_cover_are_text(ten_tracks: Library, track: Soundtrack) -> None:
    made = sized_artwork(
        ten_tracks, replace(track, artwork="", title="<script>alert(1)</script>"), 64, "image/webp", takes_svg=True
    )

    assert b"<script" not in made.data


@pytest.mark.parametrize("content", [_bomb(), b"\x89PNG\r\n\x1a\nbroken", None])
def test_a_program_that_shows_no_svg_gets_a_drawn_cover_of_pixels(
    ten_tracks: Library, track: Soundtrack, content: bytes | None
) -> None:
    if content is not None:
        ten_tracks.blobs.write("artworks", "cover.png", content)

    made = sized_artwork(ten_tracks, track, 64, "image/webp", takes_svg=False)

    assert made.media_type == "image/jpeg"
    with Image.open(io.BytesIO(made.data)) as image:
        assert image.size == (64, 64)
