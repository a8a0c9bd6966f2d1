"""The artwork of a track in the size that a page shows: the picture of its file made smaller, or a drawn cover."""

import io
import logging
from threading import Lock

from mfcc_assets.audio.artwork import (
    MAX_PICTURE_BYTES,
    MAX_PICTURE_PIXELS,
    Picture,
    generated_cover,
    generated_picture,
)
from mfcc_assets.errors import BlobNotFound, Conflict
from mfcc_assets.library import Library
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.texts import printable

_logger = logging.getLogger(__name__)

SIZES = (64, 128, 256, 512)
"""Sides in pixels that can be asked for."""

ARTWORKS = "artworks"

_QUALITY = 82
_FORMATS = {"image/webp": "WEBP", "image/jpeg": "JPEG"}
_decoding = Lock()
"""Held while a picture is decoded: a large one takes 160 MB, and a page asks for fifty of them at once."""


def sized_artwork(library: Library, track: Soundtrack, size: int, media_type: str, *, takes_svg: bool) -> Picture:
    """Return the artwork of a track, of at most this size.

    The picture of the file is decoded and encoded again, so that nothing but its pixels reaches a browser. A track
    without a usable picture gets the drawn cover of its track id.

    Parameters
    ----------
    library
        The library.
    track
        The track.
    size
        Longest side in pixels.
    media_type
        ``image/webp`` or ``image/jpeg``.
    takes_svg
        Whether the program shows an SVG. Then a drawn cover is one, with the names of the track; otherwise it is a
        JPEG of this size, without texts.

    Raises
    ------
    StoreError
        If the store of the artwork cannot be reached.
    """
    data = _stored(library, track)
    made = None if data is None else _smaller(data, size, media_type, track)
    if made is not None:
        return Picture(made, media_type)
    if not takes_svg:
        return generated_picture(track.track_id, size)
    return generated_cover(track.track_id, printable(track.display_title), printable(track.artist))


def has_picture(track: Soundtrack) -> bool:
    """Return whether the file of a track has a picture of its own. The others have a cover that was drawn for them."""
    return bool(track.artwork) and not track.artwork.endswith(".svg")


def _stored(library: Library, track: Soundtrack) -> bytes | None:
    if not has_picture(track):
        return None
    try:
        if library.blobs.stat(ARTWORKS, track.artwork).size > MAX_PICTURE_BYTES:
            return None
        return library.blobs.read(ARTWORKS, track.artwork)
    except (BlobNotFound, Conflict):
        return None


def _smaller(data: bytes, size: int, media_type: str, track: Soundtrack) -> bytes | None:
    from PIL import Image

    try:
        with _decoding, Image.open(io.BytesIO(data), formats=["JPEG", "PNG", "WEBP", "GIF"]) as image:
            if image.width * image.height > MAX_PICTURE_PIXELS:
                return None
            image.draft("RGB", (2 * size, 2 * size))  # a JPEG is decoded at about this size, which is much faster
            image.thumbnail((size, size))
            plain = image.convert("RGBA" if image.has_transparency_data else "RGB")
            if media_type == "image/jpeg" and plain.mode == "RGBA":
                ground = Image.new("RGB", plain.size, "white")
                ground.paste(plain, mask=plain.getchannel("A"))
                plain = ground
            written = io.BytesIO()
            plain.save(written, _FORMATS[media_type], quality=_QUALITY)
            return written.getvalue()
    except Exception as failure:  # noqa: BLE001  Pillow raises many kinds of errors for a broken picture
        _logger.info("The artwork of %s cannot be shown: %r", track.track_id, failure)
        return None
