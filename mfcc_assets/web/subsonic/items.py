"""Songs, albums and artists as the protocol describes them."""

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from mfcc_assets.credits import first_artist, named
from mfcc_assets.storage.sql.browse_keys import genres_of
from mfcc_assets.storage.sql.player_ids import key_of_artist
from mfcc_assets.storage.sql.records import PlayerAlbum, PlayerArtist, Soundtrack
from mfcc_assets.texts import printable
from mfcc_assets.web.subsonic import ids
from mfcc_assets.web.subsonic.answers import protocol_time, without_missing

IGNORED_ARTICLES = "The"

_NO_ARTIST = "[Unknown Artist]"
_NO_ALBUM = "[Unknown Album]"
_SEVERAL_ARTISTS = "Various Artists"

_TYPES = {
    "aac": "audio/aac",
    "aif": "audio/aiff",
    "aifc": "audio/aiff",
    "aiff": "audio/aiff",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "m4b": "audio/mp4",
    "mp3": "audio/mpeg",
    "mp4": "audio/mp4",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "wave": "audio/wav",
    "webm": "audio/webm",
    "wma": "audio/x-ms-wma",
}
"""Type of a file by its suffix. The type with which it is sent is that of its content."""


def song_item(track: Soundtrack) -> dict[str, Any]:
    """Return a song as a ``Child``."""
    suffix = PurePosixPath(track.blob_name).suffix.removeprefix(".").lower()
    artist = printable(named(track.artist, track.album_artist))
    artists = _credited(track.artists or [artist])
    album_artist = printable(named(track.album_artist))
    return without_missing(
        {
            "id": track.track_id,
            "parent": ids.album_of(track),
            "isDir": False,
            "title": printable(track.title or PurePosixPath(track.blob_name).stem),
            "album": printable(named(track.album)) or _NO_ALBUM,
            "artist": artist or _NO_ARTIST,
            "track": track.track_number,
            "year": track.year,
            "genre": printable(track.genre) or None,
            "coverArt": track.track_id,
            "size": track.bytes,
            "contentType": _TYPES.get(suffix, "application/octet-stream"),
            "suffix": printable(suffix) or None,
            "duration": None if track.seconds is None else round(track.seconds),
            "bitRate": round(track.bytes / track.seconds / 125) if track.seconds else None,
            "path": printable(track.blob_name),
            "isVideo": False,
            "discNumber": track.disc_number,
            "created": None if track.added_at is None else protocol_time(track.added_at),
            "albumId": ids.album_of(track),
            "artistId": ids.artist_of(track),
            "type": "music",
            "mediaType": "song",
            "musicBrainzId": track.recording_mbid or None,
            "genres": _genres(track.genre),
            "artists": artists,
            "displayArtist": artist or _NO_ARTIST,
            "albumArtists": _credited([album_artist]) if album_artist else artists,
            "displayAlbumArtist": album_artist or artist or _NO_ARTIST,
        }
    )


def album_item(album: PlayerAlbum) -> dict[str, Any]:
    """Return an album as an ``AlbumID3``."""
    album_id, artist_id = _ids_of(album)
    artist = _artist_of(album)
    return without_missing(
        {
            "id": album_id,
            "name": _title_of(album),
            "artist": artist,
            "artistId": artist_id,
            "coverArt": album_id,
            "songCount": album.totals.tracks,
            "duration": round(album.totals.seconds),
            "created": protocol_time(album.added_at),
            "year": album.year,
            "genre": printable(album.genre) or None,
            "genres": _genres(album.genre),
            "artists": [{"id": artist_id, "name": artist}] if artist_id else [],
            "displayArtist": artist,
            "isCompilation": artist_id is None,
            "musicBrainzId": album.release_mbid or None,
        }
    )


def album_folder(album: PlayerAlbum) -> dict[str, Any]:
    """Return an album as the ``Child`` that stands for a folder."""
    album_id, artist_id = _ids_of(album)
    title = _title_of(album)
    return without_missing(
        {
            "id": album_id,
            "parent": artist_id or str(ids.FOLDER),
            "isDir": True,
            "title": title,
            "album": title,
            "artist": _artist_of(album),
            "artistId": artist_id,
            "year": album.year,
            "genre": printable(album.genre) or None,
            "coverArt": album_id,
            # These two are not described for folders, but clients that treat them as albums need them.
            "name": title,
            "songCount": album.totals.tracks,
            "duration": round(album.totals.seconds),
            "created": protocol_time(album.added_at),
            "isVideo": False,
            "mediaType": "album",
        }
    )


def artist_item(artist: PlayerArtist) -> dict[str, Any]:
    """Return an artist as an ``ArtistID3``."""
    return {
        "id": f"{ids.ARTIST}{artist.artist_id}",
        "name": name_of(artist),
        "coverArt": f"{ids.ARTIST}{artist.artist_id}",
        "albumCount": artist.albums,
    }


def artist_folder(artist: PlayerArtist) -> dict[str, Any]:
    """Return an artist as an ``Artist``, which stands for a folder."""
    return {"id": f"{ids.ARTIST}{artist.artist_id}", "name": name_of(artist)}


def name_of(artist: PlayerArtist) -> str:
    """Return the name under which an artist is shown."""
    return printable(artist.name) or _NO_ARTIST


def letter_of(artist: PlayerArtist) -> str:
    """Return the letter under which an artist is listed. What begins with no letter is listed under ``#``."""
    first = (key_of_artist(artist.artist_id) or "")[:1].upper()
    return first if first.isalpha() else "#"


def _ids_of(album: PlayerAlbum) -> tuple[str, str | None]:
    """Return the id of an album, and that of its artist; None if several artists share the album."""
    return f"{ids.ALBUM}{album.album_id}", f"{ids.ARTIST}{album.artist_id}" if album.artist_id else None


def _title_of(album: PlayerAlbum) -> str:
    return printable(album.title) or _NO_ALBUM


def _artist_of(album: PlayerAlbum) -> str:
    return printable(named(album.artist)) or (_NO_ARTIST if album.artist_id else _SEVERAL_ARTISTS)


def _credited(names: Iterable[str]) -> list[dict[str, str]]:
    """Return the artists of a credit, each with an id."""
    found = {ids.artist_named(name): printable(first_artist(named(name))) or _NO_ARTIST for name in names}
    return [{"id": artist, "name": name} for artist, name in found.items()]


def _genres(genre: str) -> list[dict[str, str]]:
    return [{"name": printable(name)} for name in genres_of(genre)]
