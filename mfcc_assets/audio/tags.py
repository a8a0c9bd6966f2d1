"""What a file says about itself: title, artist, album, genre, track number and year.

Tags are decoration. A file whose tags make no sense has none; whether its audio can be used is the decoder's to say.
"""

import logging
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfcc_assets.audio.id3_guard import is_harmless

_LOGGER = logging.getLogger(__name__)

# The field's name in Vorbis comments, APEv2 and mutagen's easy interfaces, then in bare ID3 (WAV, AIFF) and in ASF.
_FIELD_NAMES = {
    "title": ("title", "TIT2", "Title"),
    "artist": ("artist", "TPE1", "Author"),
    "album": ("album", "TALB", "WM/AlbumTitle"),
    "genre": ("genre", "TCON", "WM/Genre"),
    "track_number": ("tracknumber", "track", "TRCK", "WM/TrackNumber"),
    "date": ("date", "year", "TDRC", "WM/Year"),
}

# An NVARCHAR(255) holds 255 UTF-16 code units: an emoji takes two of them.
_COLUMN_BYTES = 2 * 255

# Control characters that are no white space, lone surrogates, and what XML forbids.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_FILE_SUFFIX = re.compile(r"\.[A-Za-z0-9]{2,4}$")

# "03 - ", "3. ", "1-03 "; but neither "99 Luftballons" nor "10.000".
_LEADING_TRACK_NUMBER = re.compile(r"^(?:[0-9]{1,2}-)?(?:[0-9]{1,3}\s*[-.)]\s*|0[0-9]+\s+)(?![0-9])")


@dataclass(frozen=True)
class Tags:
    """The tags of one file: ``""`` and None where it has none."""

    title: str = ""
    artist: str = ""
    album: str = ""
    genre: str = ""
    track_number: int | None = None
    year: int | None = None


def read_tags(path: Path) -> Tags:
    """Read the tags of any format that mutagen knows.

    Parameters
    ----------
    path
        A file, of whatever content.

    Returns
    -------
    Tags
        As `clean_text` leaves them, several values joined by commas. Empty where the file has none, they are damaged,
        or their reader would be kept busy.

    Raises
    ------
    OSError
        The file cannot be opened.
    """
    from mutagen import File

    if not is_harmless(path):
        _LOGGER.warning("the tags of %s are not read: frames are compressed, very long or very many", path.name)
        return Tags()
    with path.open("rb") as file:
        try:
            fields = getattr(File(file, easy=True), "tags", None) or {}
            values = {field: _values(fields, names) for field, names in _FIELD_NAMES.items()}
        except Exception as failure:  # mutagen lets the IndexError, struct.error … of its parsers out, not just its own
            _LOGGER.debug("no tags in %s: %r", path.name, failure)
            return Tags()
    return Tags(
        title=_joined(values["title"]),
        artist=_joined(values["artist"]),
        album=_joined(values["album"]),
        genre=_joined(values["genre"]),
        track_number=_first_number(r"[0-9]{1,4}(?![0-9])", values["track_number"]),
        year=_first_number(r"[0-9]{4}", values["date"]),
    )


def clean_text(text: str) -> str:
    """Make text that any column, page and plot can take.

    Returns
    -------
    str
        In Unicode's normal form C, white space squeezed, without control characters and lone surrogates, and at most
        255 UTF-16 code units long.
    """
    squeezed = " ".join(_UNPRINTABLE.sub("", text).split())
    composed = unicodedata.normalize("NFC", squeezed)
    return composed.encode("utf-16-le")[:_COLUMN_BYTES].decode("utf-16-le", errors="ignore").rstrip()


def title_from_name(blob_name: str) -> str:
    """The title of an untagged file: its name without folders, suffix and track number; never empty.

    Underscores stand for spaces, and so do hyphens where a name has neither.

    Examples
    --------
    >>> title_from_name("artist/album/03 - Foo_bar.mp3")
    'Foo bar'
    """
    name = clean_text(re.split(r"[/\\]", blob_name.rstrip("/\\"))[-1])
    words = clean_text(_FILE_SUFFIX.sub("", name).replace("_", " "))
    title = _LEADING_TRACK_NUMBER.sub("", words) or words
    if " " not in title:
        title = title.replace("-", " ")
    return clean_text(title.strip(" -.")) or name or "Untitled"


def _values(fields: Any, names: Iterable[str]) -> list[str]:
    field: Any = next((fields[name] for name in names if name in fields), [])
    # An ID3 frame wraps its values in `text`; a genre's also resolves the numbers of ID3v1, "(17)" to "Rock".
    values = getattr(field, "genres", None) or getattr(field, "text", field)
    return [str(value) for value in ([values] if isinstance(values, str) else values)]


def _joined(values: Iterable[str]) -> str:
    cleaned = dict.fromkeys(clean_text(value) for value in values)
    return clean_text(", ".join(filter(None, cleaned)))


def _first_number(pattern: str, values: Iterable[str]) -> int | None:
    """The first number of that pattern that is not 0, which taggers write where they know none."""
    found = (re.search(pattern, value) for value in values)
    return next((number for match in found if match and (number := int(match.group()))), None)
