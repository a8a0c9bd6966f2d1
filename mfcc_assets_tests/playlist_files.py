"""Strict readers of the playlist files that the engine writes."""

import re
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

_OF_MUSICBRAINZ = "https://musicbrainz.org/doc/jspf#track"
_ADDRESS = r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+"
_XSPF = "{http://xspf.org/ns/0/}"

# The elements of a track in version 1 of XSPF: those that may come several times, and those that may come once.
_SEVERAL, _ONCE = {"location", "identifier"}, {"title", "creator", "annotation", "info", "image", "album", "duration"}


@dataclass(frozen=True)
class M3uTrack:
    """A track of an extended M3U."""

    seconds: int
    name: str
    album: str
    location: str


def read_m3u8(text: str) -> list[M3uTrack]:
    """Return the tracks of an extended M3U. Fail if a track has other lines than its name, its album and its path."""
    assert text.endswith("\n")
    header, title, *lines = text.removesuffix("\n").split("\n")
    assert header == "#EXTM3U"
    assert title.startswith("#PLAYLIST:")
    tracks, waiting = [], iter(lines)
    for described in waiting:
        found = re.fullmatch(r"#EXTINF:(-1|[0-9]+),([^\r\v\f\x1c-\x1e\x85\u2028\u2029]*)", described)
        assert found, described
        location, album = next(waiting), ""
        if location.startswith("#EXTALB:"):
            album, location = location.removeprefix("#EXTALB:"), next(waiting)
        assert location
        assert location[0] not in "# "
        tracks.append(M3uTrack(int(found[1]), found[2], album, location))
    return tracks


def check_jspf_track(track: dict[str, Any], *, relative: bool = False) -> None:
    """Fail if JSPF of xspf.org does not allow the track: only lists of addresses, texts and whole milliseconds."""
    for name, value in track.items():
        if name in ("location", "identifier"):
            assert isinstance(value, list)
            for address in value:
                _check_address(address, relative=relative and name == "location")
        elif name == "extension":
            assert set(value) == {_OF_MUSICBRAINZ}
            _check_ids(value[_OF_MUSICBRAINZ])
        elif name == "duration":
            assert type(value) is int
            assert value > 0
        else:
            assert name in ("title", "creator", "album")
            assert type(value) is str
            assert value


def read_xspf(text: str, *, relative: bool = False) -> tuple[str, list[dict[str, Any]]]:
    """Return the title and the tracks of an XSPF file, as JSPF has them.

    Fail if it breaks a rule of its schema, version 1.
    """
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    playlist = ET.fromstring(text.encode("utf-8"))
    assert playlist.tag == f"{_XSPF}playlist"
    assert playlist.attrib == {"version": "1"}
    named = {child.tag: child for child in playlist}
    assert len(named) == len(playlist), "an element comes once"
    assert set(named) == {f"{_XSPF}{name}" for name in ("title", "creator", "trackList")}
    tracks = []
    for track in named[f"{_XSPF}trackList"]:
        assert track.tag == f"{_XSPF}track"
        assert not (track.text or "").strip()
        values: dict[str, Any] = {}
        for element in track:
            name, text = element.tag.removeprefix(_XSPF), element.text or ""
            if name == "extension":
                values.setdefault(name, {}).update(_read_extension(element))
                continue
            assert name in _SEVERAL | _ONCE
            assert not len(element), "texts have no elements"
            if name in _SEVERAL:
                _check_address(text, relative=relative and name == "location")
                values.setdefault(name, []).append(text)
                continue
            assert name not in values
            if name == "duration":
                assert re.fullmatch("[0-9]+", text)
            values[name] = int(text) if name == "duration" else text
        tracks.append(values)
    return named[f"{_XSPF}title"].text or "", tracks


def recordings_for_listenbrainz(jspf: dict[str, Any]) -> list[str] | None:
    """Return the recordings that ListenBrainz takes from a playlist, or None if it refuses the playlist.

    It takes, of each track, the first identifier that is a recording of MusicBrainz, and refuses a playlist with a
    track that has none, without a title, or that does not say whether it is public.
    """
    playlist = jspf["playlist"]
    public = playlist.get("extension", {}).get("https://musicbrainz.org/doc/jspf#playlist", {}).get("public")
    found = []
    for track in playlist["track"]:
        recordings = [address for address in track["identifier"] if "//musicbrainz.org/recording/" in address]
        found += [address.rpartition("/")[2] for address in recordings[:1]]
    return found if playlist["title"] and isinstance(public, bool) and len(found) == len(playlist["track"]) else None


def _read_extension(extension: ET.Element) -> dict[str, Any]:
    """Return an extension of XSPF. Fail if its elements are of the namespace of XSPF, which the schema forbids."""
    application = extension.attrib["application"]
    assert extension.attrib == {"application": application}
    body: dict[str, Any] = {}
    for element in extension:
        namespace, _, name = element.tag[1:].partition("}")
        assert namespace == application
        assert name not in body
        body[name] = [each.text for each in element] if len(element) else element.text
    _check_ids(body)
    return {application: body}


def _check_ids(body: dict[str, Any]) -> None:
    assert body
    assert set(body) <= {"artist_identifiers", "release_identifier"}
    addresses = [*body.get("artist_identifiers", []), *filter(None, [body.get("release_identifier")])]
    for address in addresses:
        assert re.fullmatch(r"https://musicbrainz\.org/(artist|release)/[0-9a-f-]{36}", address)


def _check_address(address: str, *, relative: bool) -> None:
    scheme = "" if relative else r"[a-z][a-z0-9+.-]*:"
    assert re.fullmatch(scheme + _ADDRESS, address), address
