"""The text of playlists: M3U8, and JSPF, which is XSPF in JSON."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mfcc_assets.errors import UnknownPlaylistFormat

_CREATOR = "mfcc_assets"


@dataclass(frozen=True)
class Entry:
    """A track as a playlist names it.

    Attributes
    ----------
    location
        Where a player finds it: an absolute path of this machine, or an address.
    seconds
        None where the length is not known.
    identifier
        An address that is the track's wherever it lies.
    """

    location: Path | str
    title: str
    artist: str
    album: str
    seconds: float | None
    identifier: str


def m3u8(title: str, entries: Sequence[Entry]) -> str:
    """An extended M3U of UTF-8: two lines a track, ``#EXTINF:seconds,artist - title`` and where it lies."""
    lines = ["#EXTM3U", f"#PLAYLIST:{_line(title)}"]
    for entry in entries:
        seconds = -1 if entry.seconds is None else round(entry.seconds)
        name = " - ".join(filter(None, (_line(entry.artist), _line(entry.title))))
        lines += [f"#EXTINF:{seconds},{name}", str(entry.location)]
    return "\n".join(lines) + "\n"


def jspf(title: str, entries: Sequence[Entry]) -> str:
    """XSPF in JSON (xspf.org): what is not known of a track is left out, and durations are milliseconds."""
    tracks = [{name: value for name, value in _jspf_track(entry).items() if value} for entry in entries]
    playlist = {"title": title, "creator": _CREATOR, "track": tracks}
    return json.dumps({"playlist": playlist}, indent=1, ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[[str, Sequence[Entry]], str]] = MappingProxyType({".m3u8": m3u8, ".jspf": jspf})
"""By the suffix of a playlist's file."""


def format_of(path: Path) -> Callable[[str, Sequence[Entry]], str]:
    """What writes the text of a playlist's file.

    Raises
    ------
    UnknownPlaylistFormat
        The suffix is none of `FORMATS`.
    """
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        known = " or ".join(FORMATS)
        raise UnknownPlaylistFormat(
            "no playlist is written in this format", subject=path.name, remedy=f"Let the name end in {known}"
        ) from None


def _jspf_track(entry: Entry) -> dict[str, Any]:
    location = entry.location.as_uri() if isinstance(entry.location, Path) else entry.location
    return {
        "location": [location],
        "identifier": [entry.identifier],
        "title": entry.title,
        "creator": entry.artist,
        "album": entry.album,
        "duration": None if entry.seconds is None else round(1000 * entry.seconds),
    }


def _line(text: str) -> str:
    return " ".join(text.split())
