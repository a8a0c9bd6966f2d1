"""Playlist formats: M3U8, XSPF, JSPF, which is XSPF written as JSON, and CSV."""

import csv
import io
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import quote
from xml.etree import ElementTree as ET

from mfcc_assets.errors import UnknownPlaylistFormat
from mfcc_assets.texts import printable

_CREATOR = "mfcc_assets"
_XSPF_NAMESPACE = "http://xspf.org/ns/0/"
_MUSICBRAINZ = "https://musicbrainz.org"
_OF_PLAYLIST, _OF_TRACK = f"{_MUSICBRAINZ}/doc/jspf#playlist", f"{_MUSICBRAINZ}/doc/jspf#track"
"""Names of the extensions of playlists and tracks that MusicBrainz and ListenBrainz read."""

_CSV_COLUMNS = ("position", "title", "artist", "album", "seconds", "location", "identifier")
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
    recording_mbid, release_mbid
        The ids of MusicBrainz for the recording and for the album. An id that is not known is empty.
    artist_mbids
        The ids of MusicBrainz for the artists.
    """

    location: Path | str
    title: str
    artist: str
    album: str
    seconds: float | None
    identifier: str
    recording_mbid: str = ""
    release_mbid: str = ""
    artist_mbids: tuple[str, ...] = ()


class Format(Protocol):
    """A function that returns the text of a playlist, to be written in UTF-8."""

    def __call__(self, title: str, entries: Sequence[Entry], *, relative_to: Path | None = None) -> str:
        """Return the text of a playlist.

        Parameters
        ----------
        title
            Title of the playlist.
        entries
            Tracks of the playlist, in order.
        relative_to
            The folder of the playlist file, without symbolic links, to write paths that are relative to it. By
            default paths are absolute. Addresses stay as they are.
        """


def m3u8(title: str, entries: Sequence[Entry], *, relative_to: Path | None = None) -> str:
    """Return the text of an extended M3U playlist; see `Format`.

    Each track has a line ``#EXTINF:seconds,artist - title``, a line ``#EXTALB:album`` if its album is known, and a line
    with its location. The length of a track is -1 if it is not known. The path of a file is written as an absolute
    address if it has characters that are no text, or would break the line.

    Examples
    --------
    >>> entry = Entry(Path("/music/rain.ogg"), "Rain", "Zoë", "Weather", 29.6, "urn:mfcc:1")
    >>> print(m3u8("A day", [entry], relative_to=Path("/music/lists")), end="")
    #EXTM3U
    #PLAYLIST:A day
    #EXTINF:30,Zoë - Rain
    #EXTALB:Weather
    ../rain.ogg
    """
    lines = ["#EXTM3U", f"#PLAYLIST:{_one_line(title)}"]
    for entry in entries:
        seconds = -1 if entry.seconds is None else round(entry.seconds)
        lines.append(f"#EXTINF:{seconds},{' - '.join(filter(None, map(_one_line, (entry.artist, entry.title))))}")
        if album := _one_line(entry.album):
            lines.append(f"#EXTALB:{album}")
        lines.append(_line_of_location(entry.location, relative_to))
    return "\n".join(lines) + "\n"


def xspf(title: str, entries: Sequence[Entry], *, relative_to: Path | None = None) -> str:
    """Return the text of an XSPF playlist (xspf.org), version 1; see `Format`.

    Values of a track that are not known are left out. Durations are in milliseconds, and locations are URIs. The first
    identifier is that of MusicBrainz, if it is known. An extension has the ids of MusicBrainz for album and artists.

    Examples
    --------
    >>> print(xspf("Weather", [Entry(Path("/music/rain.ogg"), "Rain", "", "", None, "urn:mfcc:1")]), end="")
    <?xml version="1.0" encoding="UTF-8"?>
    <playlist version="1" xmlns="http://xspf.org/ns/0/">
     <title>Weather</title>
     <creator>mfcc_assets</creator>
     <trackList>
      <track>
       <location>file:///music/rain.ogg</location>
       <identifier>urn:mfcc:1</identifier>
       <title>Rain</title>
      </track>
     </trackList>
    </playlist>
    """
    playlist = ET.Element("playlist", {"version": "1", "xmlns": _XSPF_NAMESPACE})
    for name, text in (("title", printable(title)), ("creator", _CREATOR)):
        ET.SubElement(playlist, name).text = text
    track_list = ET.SubElement(playlist, "trackList")
    for entry in entries:
        track = ET.SubElement(track_list, "track")
        for name, value in _xspf_track(entry, relative_to).items():
            for each in value if isinstance(value, list) else [value]:
                ET.SubElement(track, name).text = str(each)
        if known := _of_musicbrainz(entry):
            _add_extension(track, known)
    ET.indent(playlist, " ")
    text = ET.tostring(playlist, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def jspf(title: str, entries: Sequence[Entry], *, relative_to: Path | None = None) -> str:
    """Return the text of a JSPF playlist, which is XSPF (xspf.org) written as JSON; see `Format`.

    Values of a track that are not known are left out. Durations are in milliseconds, and locations are URIs. The first
    identifier is that of MusicBrainz, if it is known, so that ListenBrainz can import the playlist. It makes the
    playlist private, as the extension says. It refuses playlists with a track whose recording it does not know.

    Examples
    --------
    >>> entry = Entry(Path("/music/rain.ogg"), "Rain", "", "", None, "urn:mfcc:1")
    >>> json.loads(jspf("Weather", [entry]))["playlist"]["track"]
    [{'location': ['file:///music/rain.ogg'], 'identifier': ['urn:mfcc:1'], 'title': 'Rain'}]
    """
    tracks = [
        {**_xspf_track(entry, relative_to), **({"extension": {_OF_TRACK: known}} if known else {})}
        for entry, known in ((entry, _of_musicbrainz(entry)) for entry in entries)
    ]
    playlist: dict[str, Any] = {"title": printable(title), "creator": _CREATOR, "track": tracks}
    if any(entry.recording_mbid for entry in entries):
        playlist["extension"] = {_OF_PLAYLIST: {"public": False}}
    return json.dumps({"playlist": playlist}, indent=1, ensure_ascii=False) + "\n"


def csv_table(title: str, entries: Sequence[Entry], *, relative_to: Path | None = None) -> str:  # noqa: ARG001
    """Return a playlist as a CSV table with a header; see `Format`. The title has no place in it.

    A length that is not known is empty. Locations are written as in `m3u8`.

    Examples
    --------
    >>> print(csv_table("", [Entry(Path("/music/rain.ogg"), "Rain, rain", "Zoë", "", 29.6, "urn:mfcc:1")]), end="")
    position,title,artist,album,seconds,location,identifier
    1,"Rain, rain",Zoë,,29.6,/music/rain.ogg,urn:mfcc:1
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_CSV_COLUMNS)
    for position, entry in enumerate(entries, start=1):
        tags = map(printable, (entry.title, entry.artist, entry.album))
        seconds = "" if entry.seconds is None else round(entry.seconds, 3)
        location = _line_of_location(entry.location, relative_to)
        writer.writerow((position, *tags, seconds, location, entry.identifier))
    return text.getvalue()


FORMATS: Mapping[str, Format] = MappingProxyType({".m3u8": m3u8, ".xspf": xspf, ".jspf": jspf, ".csv": csv_table})
"""Functions that return the text of a playlist, by the suffix of its file."""


def known_suffixes() -> str:
    """Return the suffixes of all formats as words.

    Examples
    --------
    >>> known_suffixes()
    '.m3u8, .xspf, .jspf or .csv'
    """
    *others, last = FORMATS
    return f"{', '.join(others)} or {last}"


def format_of(path: Path) -> Format:
    """Return the function of `FORMATS` that fits the suffix of a playlist file.

    Raises
    ------
    UnknownPlaylistFormat
        If no format has this suffix.
    """
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise UnknownPlaylistFormat(
            "this playlist format is not supported",
            subject=path.name,
            remedy=f"Use a file name that ends in {known_suffixes()}",
        ) from None


def _xspf_track(entry: Entry, relative_to: Path | None) -> dict[str, str | int | list[str]]:
    """Return the elements of a track in XSPF, without those that are not known. An element of a list may come again."""
    recording = [f"{_MUSICBRAINZ}/recording/{entry.recording_mbid}"] if entry.recording_mbid else []
    values = {
        "location": [_address(_placed(entry.location, relative_to))],
        "identifier": [*recording, entry.identifier],
        "title": printable(entry.title),
        "creator": printable(entry.artist),
        "album": printable(entry.album),
        "duration": None if entry.seconds is None else round(1000 * entry.seconds),
    }
    return {name: value for name, value in values.items() if value}


def _of_musicbrainz(entry: Entry) -> dict[str, str | list[str]]:
    """Return what the extension of MusicBrainz says of a track beside its identifier, as ListenBrainz writes it."""
    known: dict[str, str | list[str]] = {}
    if entry.artist_mbids:
        known["artist_identifiers"] = [f"{_MUSICBRAINZ}/artist/{mbid}" for mbid in entry.artist_mbids]
    if entry.release_mbid:
        known["release_identifier"] = f"{_MUSICBRAINZ}/release/{entry.release_mbid}"
    return known


def _add_extension(track: ET.Element, known: Mapping[str, str | list[str]]) -> None:
    """Add the extension of MusicBrainz to a track in XSPF. Its elements must not be of the namespace of XSPF."""
    extension = ET.SubElement(track, "extension", {"application": _OF_TRACK})
    for name, value in known.items():
        element = ET.SubElement(extension, name, {"xmlns": _OF_TRACK})
        if isinstance(value, str):
            element.text = value
        else:
            for each in value:
                ET.SubElement(element, "identifier").text = each


def _placed(location: Path | str, relative_to: Path | None) -> PurePath | str:
    """Return where an entry is: its address, its absolute path, or its path from the folder of the playlist."""
    if isinstance(location, str) or relative_to is None:
        return location
    return PurePath(os.path.relpath(location, relative_to))


def _address(location: PurePath | str) -> str:
    """Return a location as a URI. That of a relative path is relative, too."""
    if isinstance(location, str):
        return location
    if location.is_absolute():
        return location.as_uri()
    return _unmistakable(quote(os.fsencode(location)))


def _line_of_location(location: Path | str, relative_to: Path | None) -> str:
    """Return a location as a line. A path with a line break, or with bytes that are no text, becomes an address."""
    placed = _placed(location, relative_to)
    if isinstance(placed, str):
        return placed
    if _NO_TEXT_OF_A_LINE.search(str(placed)):
        return _address(location)
    return str(placed) if placed.is_absolute() else _unmistakable(str(placed))


def _unmistakable(relative: str) -> str:
    """Return a relative path that nobody takes for a comment, for the scheme of an address, or for surplus space."""
    return f"./{relative}" if relative[0] in "# " or ":" in relative.partition("/")[0] else relative


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())
