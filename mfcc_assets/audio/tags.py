"""Reads the tags of an audio file: title, artist, album, genre, track number and year.

Tags are optional. A file with unreadable tags counts as untagged, and its audio may still be usable.
"""

import logging
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfcc_assets.audio.id3_guard import is_harmless

_logger = logging.getLogger(__name__)

# Names of each field in Vorbis comments, APEv2 and mutagen's easy interfaces, then in ID3 (WAV, AIFF) and in ASF.
_FIELD_NAMES = {
    "title": ("title", "TIT2", "Title"),
    "artist": ("artist", "TPE1", "Author"),
    "album": ("album", "TALB", "WM/AlbumTitle"),
    "genre": ("genre", "TCON", "WM/Genre"),
    "track_number": ("tracknumber", "track", "TRCK", "WM/TrackNumber"),
    "date": ("date", "year", "TDRC", "WM/Year"),
}

_COLUMN_BYTES = 2 * 255
"""Bytes in UTF-16 that fit the column type NVARCHAR(255)."""

# Control characters except white space, lone surrogates, and characters that XML forbids.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_FILE_SUFFIX = re.compile(r"\.[A-Za-z0-9]{2,4}$")

# Matches "03 - ", "3. " and "1-03 ", but neither "99 Luftballons" nor "10.000".
_LEADING_TRACK_NUMBER = re.compile(r"^(?:[0-9]{1,2}-)?(?:[0-9]{1,3}\s*[-.)]\s*|0[0-9]+\s+)(?![0-9])")


@dataclass(frozen=True)
class Tags:
    """The tags of one file. A missing tag is an empty string or None."""

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
        A file with any content.

    Returns
    -------
    Tags
        Tags cleaned by `clean_text`, with several values of a field joined by commas. All are empty if the file has no
        tags, if they are damaged, or if reading them would take very long.

    Raises
    ------
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> from importlib.resources import files
    >>> tags = read_tags(Path(str(files("mfcc_assets.demo"))) / "library" / "Will_Savino_Ocean.ogg")
    >>> tags.artist, tags.title
    ('Will Savino', 'Ocean')
    """
    from mutagen import File

    if not is_harmless(path):
        _logger.warning(
            "the tags of %s are not read, because they have compressed, very long or very many frames", path.name
        )
        return Tags()
    with path.open("rb") as file:
        try:
            fields = getattr(File(file, easy=True), "tags", None) or {}
            values = {field: _values(fields, names) for field, names in _FIELD_NAMES.items()}
        except Exception as failure:  # noqa: BLE001  mutagen raises not only its own errors, but also IndexError, struct.error, …
            _logger.debug("the tags of %s cannot be read: %r", path.name, failure)
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
    """Clean a text so that every column, page and plot can hold it.

    Returns
    -------
    str
        The text in Unicode's normal form C, without control characters and lone surrogates, with single spaces as its
        only white space, and cut to at most 255 UTF-16 code units.

    Examples
    --------
    >>> clean_text("  Night   Drive ")
    'Night Drive'
    """
    squeezed = " ".join(_UNPRINTABLE.sub("", text).split())
    composed = unicodedata.normalize("NFC", squeezed)
    return composed.encode("utf-16-le")[:_COLUMN_BYTES].decode("utf-16-le", errors="ignore").rstrip()


def title_from_name(blob_name: str) -> str:
    """Make a title for an untagged file from its name without folders, suffix and track number.

    Underscores become spaces. Hyphens become spaces too if the name has no other spaces. The title is never empty.

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
    # An ID3 frame has its values in `text`. Those of genres are in `genres` too, where "(17)" of ID3v1 becomes "Rock".
    values = getattr(field, "genres", None) or getattr(field, "text", field)
    return [str(value) for value in ([values] if isinstance(values, str) else values)]


def _joined(values: Iterable[str]) -> str:
    cleaned = dict.fromkeys(clean_text(value) for value in values)
    return clean_text(", ".join(filter(None, cleaned)))


def _first_number(pattern: str, values: Iterable[str]) -> int | None:
    """Return the first match that is not 0, since tagging programs write 0 for an unknown number."""
    found = (re.search(pattern, value) for value in values)
    return next((number for match in found if match and (number := int(match.group()))), None)
