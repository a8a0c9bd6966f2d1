"""Pictures of tracks: those embedded in their files, and covers that are drawn for files without a picture."""

import base64
import colorsys
import hashlib
import html
import io
import logging
import math
import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfcc_assets.audio.id3_frames import HarmlessFile, without_harmful_frames
from mfcc_assets.audio.tags import clean_text
from mfcc_assets.texts import printable

MAX_PICTURE_BYTES = 16 << 20
"""Largest picture that is accepted, in bytes."""

MAX_PICTURE_PIXELS = 40_000_000
"""Largest picture that is accepted, in pixels. It needs 160 MB when decoded, and a small file may declare far more."""

_TOO_MANY_PIXELS = f"it has more than {MAX_PICTURE_PIXELS:,} pixels"

_logger = logging.getLogger(__name__)

_SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "image/webp": ".webp",
    "image/gif": ".gif",
}

# Pillow calls a JPEG with more than one picture MPO. Some cameras write them.
_MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
}

_FRONT_COVER = 3
"""Number of the front cover in ID3's list of picture types, which FLAC and Ogg use too."""

_APE_COVER = "cover art"
"""Begins the names of pictures in APEv2, such as "Cover Art (Front)"."""

# Geometry of a generated cover, in pixels.
_SIDE = 600
_MARGIN = 44
_RAYS = 144

_CENTRE = (300, 210)
"""Centre of the ring, so high that the longest ray ends above a title of three lines."""

_INNER_RADIUS = 76
_LONGEST_RAY = 104

_HUES = (0.42, 1.08)
"""Range of hues, from teal over blue and red to orange. Dark shades of yellow and green look dirty."""

_TITLE_FITS = ((64, 13, 1), (46, 19, 2), (36, 24, 3))
"""Font size in pixels, average letters in a line, and lines. A title takes the first size that it fits."""

_ARTIST_SIZE, _ARTIST_COLUMNS = 26, 34

_ATTRIBUTES = (
    rb"viewBox|width|height|role|id|offset|stop-color|d|fill|fill-opacity|stroke|stroke-width|stroke-linecap|font-family"
    rb"|font-size|font-weight|x|y|x1|x2|y1|y2"
)
_TAG = (
    rb"</?(?:title|defs|linearGradient|stop|rect|path|g|text|svg)(?: (?:" + _ATTRIBUTES + rb")=\"[\w #(),.'-]*\")*+/?>"
)
_DRAWN_COVER = re.compile(
    rb'<svg xmlns="http://www\.w3\.org/2000/svg"(?: (?:' + _ATTRIBUTES + rb')="[\w ]*")*+>(?:' + _TAG + rb"|[^<>]++)*+"
)
"""The elements and attributes of generated covers. None of them can run a script, or load anything."""

OnLeftOut = Callable[[str], None]
"""Function that is told why a picture is left out."""


@dataclass(frozen=True)
class Picture:
    """A picture and its media type.

    Attributes
    ----------
    data
        Bytes of the picture's file.
    media_type
        Media type for browsers, such as ``image/png``.
    """

    data: bytes
    media_type: str

    @property
    def suffix(self) -> str:
        """File suffix of the media type, such as ``.png``."""
        return _SUFFIXES[self.media_type]


def embedded_picture(path: Path, on_left_out: OnLeftOut = lambda _: None) -> Picture | None:
    """Read the picture embedded in a file, preferably the front cover.

    Parameters
    ----------
    path
        A file with any content.
    on_left_out
        Is told the reason for each picture that would be preferred but cannot be used. A reason may come twice.

    Returns
    -------
    Picture or None
        The first front cover that can be decoded and has at most `MAX_PICTURE_BYTES` and `MAX_PICTURE_PIXELS`, or the
        first other picture that does. None if there is no such picture. The media type is that of the decoder, since
        tags often name a wrong one.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    from mfcc_assets.audio.tag_sources import embedded_tags

    with without_harmful_frames(path) as harmless:
        embedded = embedded_tags(harmless)
        pictures = [(picture.type, picture.data) for picture in embedded.pictures]
        for tags in embedded.tags:
            pictures += _pictures(tags)
        pictures.sort(key=lambda picture: picture[0] != _FRONT_COVER)
        found = next(filter(None, (_decoded(data, on_left_out) for _, data in pictures)), None)
        return found or _attached_picture(harmless, on_left_out)


def generated_cover(seed: str, title: str, artist: str) -> Picture:
    """Draw a cover that shows a ring of rays on a gradient, with title and artist below.

    Parameters
    ----------
    seed
        Text that determines the drawing, such as the track id. The same seed gives the same bytes, and another seed
        gives a cover that looks different.
    title, artist
        Texts under the drawing. They are wrapped and shortened to fit.

    Returns
    -------
    Picture
        An SVG of 600 × 600 pixels.

    Examples
    --------
    >>> cover = generated_cover("28ff32e22751aab5", "Ocean", "Will Savino")
    >>> cover.media_type, cover.suffix
    ('image/svg+xml', '.svg')
    """
    digest = _digest(seed)
    light, dark, ray = _colours(digest)
    title, artist = printable(clean_text(title)), printable(clean_text(artist))
    label = " – ".join(filter(None, (title, artist)))
    svg = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIDE} {_SIDE}" width="{_SIDE}" height="{_SIDE}" \
role="img">
<title>{html.escape(label)}</title>
<defs><linearGradient id="sky" x1="0" y1="0" x2="0.35" y2="1">
<stop offset="0" stop-color="{light}"/><stop offset="1" stop-color="{dark}"/></linearGradient></defs>
<rect width="{_SIDE}" height="{_SIDE}" fill="url(#sky)"/>
<path d="{_ring(digest[2:])}" stroke="{ray}" stroke-width="3.2" stroke-linecap="round" fill="none"/>
<g font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" fill="#fff">
{_lettering(title, artist)}
</g>
</svg>
"""
    return Picture(svg.encode(), "image/svg+xml")


def is_generated_cover(data: bytes) -> bool:
    """Return whether an SVG has only what covers of `generated_cover` have, so that a browser may show it.

    Examples
    --------
    >>> cover = generated_cover("28ff32e22751aab5", "Ocean", "Will Savino").data
    >>> is_generated_cover(cover), is_generated_cover(cover.replace(b"<g", b"<script/><g"))
    (True, False)
    """
    return _DRAWN_COVER.fullmatch(data) is not None


def generated_picture(seed: str, size: int) -> Picture:
    """Draw the cover of a seed for programs that show no SVG: the same ring on the same gradient, without texts.

    Parameters
    ----------
    seed
        Text that determines the drawing, as for `generated_cover`.
    size
        Side in pixels.

    Returns
    -------
    Picture
        A JPEG.

    Examples
    --------
    >>> generated_picture("28ff32e22751aab5", 64).media_type
    'image/jpeg'
    """
    from PIL import Image, ImageDraw

    digest, scale = _digest(seed), size / _SIDE
    light, dark, ray = _colours(digest)
    gradient = Image.linear_gradient("L").resize((size, size))
    cover = Image.composite(Image.new("RGB", gradient.size, dark), Image.new("RGB", gradient.size, light), gradient)
    # Lines have no smooth edges, so they are drawn larger and made smaller.
    large = Image.new("L", (2 * size, 2 * size))
    pen, width = ImageDraw.Draw(large), max(1, round(2 * 3.2 * scale))
    # Without texts below, the ring stands in the middle.
    down = _SIDE / 2 - _CENTRE[1]
    for x, y, to_x, to_y in _rays(digest[2:]):
        ends = [2 * scale * end for end in (x, y + down, to_x, to_y + down)]
        pen.line(ends, fill=255, width=width)
    cover.paste(Image.new("RGB", gradient.size, ray), mask=large.resize(gradient.size))
    written = io.BytesIO()
    cover.save(written, "JPEG", quality=85)
    return Picture(written.getvalue(), "image/jpeg")


def _digest(seed: str) -> bytes:
    return hashlib.blake2b(seed.encode("utf-8", "backslashreplace"), digest_size=16).digest()


def _colours(digest: bytes) -> tuple[str, str, str]:
    """Return the light and the dark end of the gradient, and the colour of the rays."""
    hue = _HUES[0] + (_HUES[1] - _HUES[0]) * digest[0] / 255
    turn = 0.16 * (digest[1] / 255 - 0.5)
    return _colour(hue, 0.40, 0.62), _colour(hue + turn, 0.10, 0.60), _colour(hue - turn, 0.86, 0.90)


def _pictures(tags: Any) -> list[tuple[int, bytes]]:
    """Return type and bytes of every picture in a tag of mutagen."""
    try:
        return list(_pictures_of(tags))
    except Exception as failure:  # noqa: BLE001  mutagen raises not only its own errors, but also IndexError, struct.error, …
        _logger.debug("the pictures of a file cannot be read: %r", failure)
        return []


def _pictures_of(tags: Any) -> Iterator[tuple[int, bytes]]:
    from mutagen.apev2 import APEv2
    from mutagen.flac import Picture as FlacPicture

    if hasattr(tags, "getall"):  # ID3
        for frame in tags.getall("APIC"):
            yield frame.type, frame.data
    elif isinstance(tags, APEv2):
        for name, value in dict(tags).items():
            if name.lower().startswith(_APE_COVER) and isinstance(value.value, bytes):
                # The name of a file stands before the picture.
                yield _FRONT_COVER if "front" in name.lower() else 0, value.value.partition(b"\0")[2]
    elif "covr" in tags:  # MP4, which has no picture types
        for cover in tags["covr"]:
            yield _FRONT_COVER, bytes(cover)
    elif "metadata_block_picture" in tags:  # Ogg
        for encoded in tags["metadata_block_picture"]:
            picture = FlacPicture(base64.b64decode(encoded))  # type: ignore[no-untyped-call]
            yield picture.type, picture.data


def _attached_picture(harmless: HarmlessFile, on_left_out: OnLeftOut) -> Picture | None:
    """Return the first picture that FFmpeg finds in a format of which mutagen reads no pictures."""
    from mfcc_assets.audio.tag_sources import attached_pictures, opened_by_ffmpeg

    with opened_by_ffmpeg(harmless) as container:
        if container is None:
            return None
        found = (_decoded(data, on_left_out) for data in attached_pictures(container))
        return next(filter(None, found), None)


def _decoded(data: bytes, on_left_out: OnLeftOut) -> Picture | None:
    if not data:
        return None
    if len(data) > MAX_PICTURE_BYTES:
        on_left_out(f"it has more than {MAX_PICTURE_BYTES >> 20} MB")
        return None
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=["JPEG", "PNG", "WEBP", "GIF"]) as image:
            if image.width * image.height > MAX_PICTURE_PIXELS:
                on_left_out(_TOO_MANY_PIXELS)
                return None
            image.load()
            return Picture(data, _MEDIA_TYPES[image.format or ""])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # Pillow has a limit of its own
        on_left_out(_TOO_MANY_PIXELS)
        return None
    except Exception as failure:  # noqa: BLE001  Pillow too raises many kinds of errors for a broken picture
        _logger.debug("a picture cannot be decoded: %r", failure)
        on_left_out("it is damaged, or it is no JPEG, PNG, WebP or GIF")
        return None


def _colour(hue: float, lightness: float, saturation: float) -> str:
    red, green, blue = colorsys.hls_to_rgb(hue % 1, lightness, saturation)
    return f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"


def _ring(digest: bytes) -> str:
    """Return the SVG path of rays around a circle."""
    return "".join(f"M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}" for x, y, to_x, to_y in _rays(digest))


def _rays(digest: bytes) -> Iterator[tuple[float, float, float, float]]:
    """Yield the ends of rays around a circle.

    Their lengths follow a sum of four harmonics, which the digest chooses, so that the ring closes without a seam.
    """
    harmonics = [(2 + digest[i] % 17, math.tau * digest[i + 4] / 256, 0.4 + digest[i + 8] / 256) for i in range(4)]
    for ray in range(_RAYS):
        angle = math.tau * ray / _RAYS
        wave = sum(amplitude * math.sin(count * angle + phase) for count, phase, amplitude in harmonics)
        loudness = abs(wave) / sum(amplitude for _, _, amplitude in harmonics)
        inner, outer = _INNER_RADIUS - 26 * loudness, _INNER_RADIUS + 6 + _LONGEST_RAY * loudness
        x, y = math.cos(angle), math.sin(angle)
        yield _CENTRE[0] + inner * x, _CENTRE[1] + inner * y, _CENTRE[0] + outer * x, _CENTRE[1] + outer * y


def _lettering(title: str, artist: str) -> str:
    """Return title and artist as SVG text, set from the bottom edge up."""
    fits = (fit for fit in _TITLE_FITS if len(_wrapped(title, fit[1])) <= fit[2])
    title_size, title_columns, title_lines = next(fits, _TITLE_FITS[-1])
    baseline = float(_SIDE - _MARGIN)
    written = []
    for line in _shortened(artist, _ARTIST_COLUMNS, 1):
        written.append(_line_of_text(line, baseline, f'font-size="{_ARTIST_SIZE}" fill-opacity="0.8"'))
        baseline -= 1.6 * _ARTIST_SIZE
    for line in reversed(_shortened(title, title_columns, title_lines)):
        written.append(_line_of_text(line, baseline, f'font-size="{title_size}" font-weight="700"'))
        baseline -= 1.2 * title_size
    return "\n".join(reversed(written))


def _line_of_text(line: str, baseline: float, style: str) -> str:
    return f'<text x="{_MARGIN}" y="{baseline:.0f}" {style}>{html.escape(line)}</text>'


def _wrapped(text: str, columns: int) -> list[str]:
    """Wrap a text into lines of `columns` average letters."""
    average_width = sum(map(_letter_width, text)) / max(len(text), 1)
    return textwrap.wrap(text, max(2, int(columns / max(average_width, 1))))


def _letter_width(letter: str) -> float:
    """Return the width of a letter in average letters. Ideographs, emoji and the widest capitals are twice as wide."""
    if letter in "MW" or unicodedata.east_asian_width(letter) in "WF":
        return 2.0
    return 1.2 if letter.isupper() else 1.0


def _shortened(text: str, columns: int, lines: int) -> list[str]:
    wrapped = _wrapped(text, columns)
    if len(wrapped) <= lines:
        return wrapped
    last = wrapped[lines - 1]
    return [*wrapped[: lines - 1], last[: columns - 1].rstrip(" -,:;") + "…"]
