"""Reads the tags of an audio file: title, artists, album, genre, numbers and year.

Tags are optional. A file with unreadable tags counts as untagged, and its audio may still be usable.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

_Fields: TypeAlias = Mapping[str, list[str]]
"""Values by the name of their field, as `_field_name` writes it."""

# Names of each field in ID3, Vorbis comments, APEv2, MP4, ASF, Matroska and FFmpeg, in the order of preference.
_NAMES = {
    tag: names.split()
    for tag, names in {
        "title": "tit2 title ©nam track/title",
        "artist": "tpe1 artist ©art author track/artist performer",
        "artists": "artists wm/artists",
        "album": "talb album ©alb wm/albumtitle album/title product",
        "album_artist": "tpe2 albumartist aart wm/albumartist quodlibet::albumartist album/artist albumartists",
        "genre": "tcon genre ©gen wm/genre",
        "track_number": "trck tracknumber track trkn wm/tracknumber partnumber track/partnumber tracknum",
        "disc_number": "tpos discnumber disc disk wm/partofset",
        "date": "tdrc date ©day year wm/year datereleased album/datereleased tdrl tdor originaldate originalyear"
        " wm/originalreleaseyear creationdate",
    }.items()
}

# Since 2011, MusicBrainz calls a recording what it called a track. Most fields have kept their names.
_NAMES_OF_MBIDS = {
    "recording_mbid": (
        "ufid:http://musicbrainz.org",
        "musicbrainztrackid",
        "musicbrainz/trackid",
        "musicbrainzrecordingid",
    ),
    "release_mbid": ("musicbrainzalbumid", "musicbrainz/albumid", "musicbrainzreleaseid"),
    "artist_mbids": ("musicbrainzartistid", "musicbrainz/artistid"),
}

_DESCRIBED_BY = {"artists": "artist", "artist_mbids": "artist", "recording_mbid": "title", "release_mbid": "album"}
"""Tags that hold only beside a value of another tag. An older tag in the file may be of another piece."""

_COLUMN_BYTES = 2 * 255
"""Bytes in UTF-16 that fit the column type NVARCHAR(255)."""

# Control characters except white space, lone surrogates, byte order marks, and characters that XML forbids.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1b\x7f\ud800-\udfff\ufeff\ufffe\uffff]")

# A no-break space is a letter of another encoding in a text that was taken for Latin-1.
_SPACES = re.compile(r"[^\S\xa0]+")

_WINDOWS_1252 = {byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0xA0)}
"""What the control characters of Latin-1 stand for in windows-1252, as the WHATWG defines it. In practice, "Latin-1"
means this encoding. Five of them stand for themselves."""

_LATIN_1 = 0
"""Number of the encoding Latin-1 in ID3."""

_MP4_TEXTS = {0, 1}
"""Numbers of the types in MP4 that texts of free names have: unknown and UTF-8."""

# It is version 1 to 8 of a UUID. The nil UUID stands for no id.
_MBID = re.compile(r"(?i)(?<![0-9a-z])[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-z])")

_FILE_SUFFIX = re.compile(r"\.[A-Za-z0-9]{2,4}$")

# Matches "03 - ", "3. " and "1-03 ", but neither "99 Luftballons" nor "10.000".
_LEADING_TRACK_NUMBER = re.compile(r"^(?:[0-9]{1,2}-)?(?:[0-9]{1,3}\s*[-.)]\s*|0[0-9]+\s+)(?![0-9])")


@dataclass(frozen=True)
class Tags:
    """The tags of one file. A missing tag is an empty text, an empty tuple or None.

    Attributes
    ----------
    title, album, genre
        Several values are joined by commas.
    artist
        The artists as one text.
    album_artist
        The artist of the whole album.
    artists
        The artists one by one, if the tags list them. Empty if `artist` is a single value.
    track_number, disc_number
        Number of the track on its disc, and number of the disc in its box.
    year
        Year of the release.
    recording_mbid, release_mbid
        The ids of MusicBrainz for the recording and for the album, in lower case.
    artist_mbids
        The ids of MusicBrainz for the artists, in their order.
    note
        What the owner of the file should know: that its tags are damaged, or which parts of them were left out.
    """

    title: str = ""
    artist: str = ""
    album: str = ""
    genre: str = ""
    track_number: int | None = None
    year: int | None = None
    album_artist: str = ""
    artists: tuple[str, ...] = ()
    disc_number: int | None = None
    recording_mbid: str = ""
    release_mbid: str = ""
    artist_mbids: tuple[str, ...] = ()
    note: str = ""


def read_tags(path: Path) -> Tags:
    """Read the tags of any format that mutagen or FFmpeg knows.

    A field is taken from the first of these places that has it: the tags of the container, ID3, APEv2 and ID3v1 around
    the audio, and FFmpeg's metadata.

    Parameters
    ----------
    path
        A file with any content.

    Returns
    -------
    Tags
        Tags cleaned by `clean_text`. All are empty if the file has none, or if they are damaged. Parts that would take
        very long to read are left out. The note says so.

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
    # Others need only the classes of this module, and should not wait for codecs.
    from mfcc_assets.audio.id3_frames import without_harmful_frames
    from mfcc_assets.audio.tag_sources import embedded_tags, metadata_of, opened_by_ffmpeg

    with without_harmful_frames(path) as harmless:
        embedded = embedded_tags(harmless)
        sources = [_fields_of(tags) for tags in embedded.tags]
        with opened_by_ffmpeg(harmless) as container:
            if container is None:
                is_damaged = embedded.damaged
            else:
                is_damaged = embedded.damaged or embedded.container_damaged
                metadata = metadata_of(container)
                sources.append({_field_name(name): [_decoded(value)] for name, value in metadata.items()})
    return _with_note(_merged(sources), harmless.left_out, is_damaged=is_damaged)


def clean_text(text: str) -> str:
    r"""Clean a text so that every column, page and plot can hold it.

    Returns
    -------
    str
        The text in Unicode's normal form C, without control characters, byte order marks and lone surrogates, with
        single spaces as its only white space but for no-break spaces, and cut to at most 255 UTF-16 code units. Control
        characters from 0x80 to 0x9f are bytes of a text that was wrongly taken for Latin-1. They become what
        windows-1252 says, so none is lost.

    Examples
    --------
    >>> clean_text("  Night   Drive "), clean_text("Don\x92t Stop")
    ('Night Drive', 'Don’t Stop')
    """
    squeezed = _SPACES.sub(" ", _UNPRINTABLE.sub("", text.translate(_WINDOWS_1252))).strip(" ")
    composed = unicodedata.normalize("NFC", squeezed) if squeezed.strip() else ""
    return composed.encode("utf-16-le")[:_COLUMN_BYTES].decode("utf-16-le", errors="ignore").rstrip(" ")


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


def _merged(sources: Iterable[_Fields]) -> Tags:
    read = [_tags_in(fields) for fields in sources]
    if not read:
        return Tags()
    merged = {name: _best([tags[name] for tags in read]) for name in read[0]}
    for name, described in _DESCRIBED_BY.items():
        merged[name] = _best([tags[name] for tags in read if tags[described] == merged[described]])
    return Tags(**merged)


def _best(values: Sequence[Any]) -> Any:
    """Return the first value that is there and has no lost bytes, or else the first that is there."""
    found = [value for value in values if value] or values[:1]
    return next((value for value in found if not _has_lost_bytes(value)), found[0])


def _has_lost_bytes(value: Any) -> bool:
    """Return True if a value contains the sign that mutagen puts in place of bytes that are not valid UTF-8."""
    return "\ufffd" in "".join(value if isinstance(value, tuple) else str(value))


def _tags_in(fields: _Fields) -> dict[str, Any]:
    values = {tag: _values(fields, names) for tag, names in _NAMES.items()}
    mbids = {tag: _mbids(fields, names) for tag, names in _NAMES_OF_MBIDS.items()}
    artist = ", ".join(values["artist"]) or ", ".join(values["artists"])
    artists = values["artists"] or values["artist"]
    return {
        "title": clean_text(", ".join(values["title"])),
        "artist": clean_text(artist),
        "album": clean_text(", ".join(values["album"])),
        "genre": clean_text(", ".join(values["genre"])),
        "track_number": _first_number(r"[0-9]{1,4}(?![0-9])", values["track_number"]),
        "year": _first_number(r"[0-9]{4}", values["date"]),
        "album_artist": clean_text(", ".join(values["album_artist"])),
        "artists": tuple(artists) if artists != [artist] else (),
        "disc_number": _first_number(r"[0-9]{1,4}(?![0-9])", values["disc_number"]),
        "recording_mbid": "".join(mbids["recording_mbid"][:1]),
        "release_mbid": "".join(mbids["release_mbid"][:1]),
        "artist_mbids": mbids["artist_mbids"],
    }


def _values(fields: _Fields, names: Iterable[str]) -> list[str]:
    """Return the clean and distinct values of the first of several fields that has any."""
    for name in names:
        cleaned = dict.fromkeys(map(clean_text, fields.get(name, ())))
        if any(cleaned):
            return list(filter(None, cleaned))
    return []


def _first_number(pattern: str, values: Iterable[str]) -> int | None:
    """Return the first match that is not 0, since tagging programs write 0 for an unknown number."""
    found = (re.search(pattern, value) for value in values)
    return next((number for match in found if match and (number := int(match.group()))), None)


def _mbids(fields: _Fields, names: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct ids of MusicBrainz in the first of several fields that has any, in lower case.

    Programs join several ids by slashes, semicolons or commas, to a text that is longer than a column.
    """
    for name in names:
        found = [mbid.lower() for value in fields.get(name, ()) for mbid in _MBID.findall(value)]
        if found:
            return tuple(dict.fromkeys(found))
    return ()


def _with_note(tags: Tags, left_out: tuple[str, ...], *, is_damaged: bool) -> Tags:
    notes = []
    if is_damaged and tags == Tags():
        notes.append("no tags could be read, because they are damaged")
    if left_out:
        frames = ", ".join(left_out)
        notes.append(f"parts of the tags are left out, because they are very long, very many or packed: {frames}")
    return replace(tags, note="; ".join(notes))


def _fields_of(tags: Any) -> dict[str, list[str]]:
    """Return the values of one tag of mutagen. A value in several fields of the same name belongs to all of them."""
    fields: dict[str, list[str]] = {}
    for name, value in _items(tags):
        fields.setdefault(_field_name(name), []).extend(_texts(value))
    return fields


def _items(tags: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(tags, "getall"):  # ID3
        yield from ((frame.HashKey, frame) for frame in tags.values() if hasattr(frame, "text"))
        yield from ((frame.HashKey, frame.data) for frame in tags.getall("UFID"))
    else:
        yield from dict(tags).items()


def _field_name(name: str) -> str:
    """Return the name of a field without regard to case and separators, and without the prefix of free names.

    Examples
    --------
    "Album Artist", "ALBUM_ARTIST" and "TXXX:ALBUMARTIST" become "albumartist", and "com.apple.quicktime.title" becomes
    "title".
    """
    folded = re.sub(r"[ _-]", "", name.lower()) if not name.startswith("----") else name.lower().rpartition(":")[2]
    return re.sub(r"[ _-]", "", folded.removeprefix("txxx:").removeprefix("com.apple.quicktime."))


def _texts(value: Any) -> list[str]:
    # An ID3 frame has its values in `text`. Those of genres are in `genres` too, where "(17)" of ID3v1 becomes "Rock".
    values = getattr(value, "genres", None) or getattr(value, "text", value)
    if getattr(value, "encoding", None) == _LATIN_1:
        return [_decoded(str(text)) for text in values]
    is_list = isinstance(values, Sequence) and not isinstance(values, str | bytes)
    return list(filter(None, map(_text, values if is_list else [values])))


def _text(value: Any) -> str:
    """Return a text, a number or a time of any format as a text, and an empty text for everything else.

    Pictures, links to other files, switches and other binary values may stand under any name.
    """
    if isinstance(value, tuple):  # a number and how many there are, in MP4
        return _text(value[0]) if value else ""
    if type(value) is bytes or getattr(value, "dataformat", None) in _MP4_TEXTS:
        return _decoded(value.decode("latin-1"))
    content = value.value if hasattr(value, "TYPE") else value  # an attribute of ASF
    is_text = isinstance(content, str | int) or hasattr(content, "year")
    return str(content) if is_text and not isinstance(content, bool) else ""


def _decoded(latin_1: str) -> str:
    """Decode a text that has one letter for each byte: as UTF-8 if it is valid, or else as it is."""
    try:
        return latin_1.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return latin_1
