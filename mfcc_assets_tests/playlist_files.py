"""Strict readers of the playlist files that the engine writes."""

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class M3uTrack:
    """A track of an extended M3U."""

    seconds: int
    name: str
    location: str


def read_m3u8(text: str) -> list[M3uTrack]:
    """Return the tracks of an extended M3U. Fail if it is not a header, a title and two lines for each track."""
    assert text.endswith("\n")
    header, title, *lines = text.removesuffix("\n").split("\n")
    assert header == "#EXTM3U"
    assert title.startswith("#PLAYLIST:")
    assert len(lines) % 2 == 0
    tracks = []
    for described, location in zip(lines[::2], lines[1::2], strict=True):
        found = re.fullmatch(r"#EXTINF:(-1|[0-9]+),([^\r\v\f\x1c-\x1e\x85\u2028\u2029]*)", described)
        assert found, described
        assert location
        assert not location.startswith("#")
        tracks.append(M3uTrack(int(found[1]), found[2], location))
    return tracks


def check_jspf_track(track: dict[str, Any]) -> None:
    """Fail if JSPF of xspf.org does not allow the track: only lists of addresses, texts and whole milliseconds."""
    for name, value in track.items():
        if name in ("location", "identifier"):
            assert isinstance(value, list)
            for address in value:
                assert re.fullmatch(r"[a-z][a-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+", address), address
        elif name == "duration":
            assert type(value) is int
            assert value > 0
        else:
            assert name in ("title", "creator", "album")
            assert type(value) is str
            assert value
