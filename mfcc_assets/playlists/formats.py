"""Playlist formats: M3U8, and JSPF, which is XSPF written as JSON."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mfcc_assets.errors import UnknownPlaylistFormat
from mfcc_assets.texts import printable

_CREATOR = "mfcc_assets"
_NO_TEXT_OF_A_LINE = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]")


@dataclass(frozen=True)
class Entry:
    """A track in a playlist file.

    Attributes
    ----------
    location
        An absolute path on this machine, or an address, where a player finds the audio.
    title, artist, album
        Tags of the track. A tag that is not known is empty. They are written as `mfcc_assets.texts.printable` has them.
    seconds
        Length of the track, or None if it is not known.
    identifier
        A URI that identifies the track wherever its audio is stored.
    """

    location: Path | str
    title: str
    artist: str
    album: str
    seconds: float | None
    identifier: str


def m3u8(title: str, entries: Sequence[Entry]) -> str:
    """Return the text of an extended M3U playlist in UTF-8.

    Each track has two lines: ``#EXTINF:seconds,artist - title`` and its location. The length of a track is -1 if it is
    not known. The path of a file is written as an address if it has characters that are no text, or would break the
    line.

    Examples
    --------
    >>> entry = Entry(Path("/music/rain.ogg"), "Rain", "Zoë", "", 29.6, "urn:mfcc:1")
    >>> print(m3u8("Weather", [entry]), end="")
    #EXTM3U
    #PLAYLIST:Weather
    #EXTINF:30,Zoë - Rain
    /music/rain.ogg
    """
    lines = ["#EXTM3U", f"#PLAYLIST:{_one_line(title)}"]
    for entry in entries:
        seconds = -1 if entry.seconds is None else round(entry.seconds)
        name = " - ".join(filter(None, (_one_line(entry.artist), _one_line(entry.title))))
        lines += [f"#EXTINF:{seconds},{name}", _line_of_location(entry.location)]
    return "\n".join(lines) + "\n"


def jspf(title: str, entries: Sequence[Entry]) -> str:
    """Return the text of a JSPF playlist, which is XSPF (xspf.org) written as JSON.

    Values of a track that are not known are left out. Durations are in milliseconds.

    Examples
    --------
    >>> entry = Entry(Path("/music/rain.ogg"), "Rain", "", "", None, "urn:mfcc:1")
    >>> json.loads(jspf("Weather", [entry]))["playlist"]["track"]
    [{'location': ['file:///music/rain.ogg'], 'identifier': ['urn:mfcc:1'], 'title': 'Rain'}]
    """
    tracks = [{name: value for name, value in _jspf_track(entry).items() if value} for entry in entries]
    playlist = {"title": printable(title), "creator": _CREATOR, "track": tracks}
    return json.dumps({"playlist": playlist}, indent=1, ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[[str, Sequence[Entry]], str]] = MappingProxyType({".m3u8": m3u8, ".jspf": jspf})
"""Functions that return the text of a playlist, by the suffix of its file."""


def format_of(path: Path) -> Callable[[str, Sequence[Entry]], str]:
    """Return the function of `FORMATS` that fits the suffix of a playlist file.

    Raises
    ------
    UnknownPlaylistFormat
        If no format has this suffix.
    """
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        known = " or ".join(FORMATS)
        raise UnknownPlaylistFormat(
            "this playlist format is not supported", subject=path.name, remedy=f"Use a file name that ends in {known}"
        ) from None


def _jspf_track(entry: Entry) -> dict[str, Any]:
    location = entry.location.as_uri() if isinstance(entry.location, Path) else entry.location
    return {
        "location": [location],
        "identifier": [entry.identifier],
        "title": printable(entry.title),
        "creator": printable(entry.artist),
        "album": printable(entry.album),
        "duration": None if entry.seconds is None else round(1000 * entry.seconds),
    }


def _line_of_location(location: Path | str) -> str:
    """Return a location as a line. A path with a line break, or with bytes that are no text, becomes an address."""
    is_plain = isinstance(location, str) or not _NO_TEXT_OF_A_LINE.search(str(location))
    return str(location) if is_plain else Path(location).as_uri()


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())
