"""The ids that music players know of artists and albums.

They are the texts by which artists and albums are told apart, written in letters that an address can have. So they stay
the same while the tags are written in the same way, and no table has to keep them.
"""

from typing import NamedTuple

from mfcc_assets.credits import Credited
from mfcc_assets.storage.sql.browse_keys import album_key, artist_key, artist_key_of
from mfcc_assets.storage.sql.cursors import from_address, to_address

NOBODY = "0"
"""Id of the artist of all soundtracks without a named artist. No other artist can have it."""

_ON_NO_ALBUM = "\x1c"
"""Begins the text from which the id of an album of songs that are on no album is made. No key begins with it."""


class AlbumKey(NamedTuple):
    """What tells albums apart: the key of an album; for songs of an artist that are on no album, the artist's key."""

    album: str
    artist: str


def artist_id_of(track: Credited) -> str:
    """Return the id of the first artist of a soundtrack."""
    return id_of_artist(artist_key_of(track))


def artist_id_of_name(name: str) -> str:
    """Return the id of the first artist whom a credit names."""
    return id_of_artist(artist_key(name))


def player_album_id_of(track: Credited) -> str:
    """Return the id of the album of a soundtrack, as `mfcc_assets.storage.sql.records.PlayerAlbum` has it."""
    on_album = album_key(track)
    return id_of_album(AlbumKey(on_album, "" if on_album else artist_key_of(track)))


def id_of_artist(key: str) -> str:
    """Return the id of an artist with this key."""
    return to_address(key) if key else NOBODY


def id_of_album(key: AlbumKey) -> str:
    """Return the id of an album with this key."""
    return to_address(key.album or f"{_ON_NO_ALBUM}{key.artist}")


def key_of_artist(written: str) -> str | None:
    """Return the key of the artist with this id; None if it is no id.

    Examples
    --------
    >>> key_of_artist(artist_id_of_name("The Beatles")), key_of_artist(NOBODY), key_of_artist("?")
    ('beatles', '', None)
    """
    return "" if written == NOBODY else _text_of(written)


def key_of_album(written: str) -> AlbumKey | None:
    """Return the key of the album with this id; None if it is no id."""
    text = _text_of(written)
    if text is None:
        return None
    is_album = not text.startswith(_ON_NO_ALBUM)
    return AlbumKey(text, "") if is_album else AlbumKey("", text.removeprefix(_ON_NO_ALBUM))


def _text_of(written: str) -> str | None:
    try:
        text = from_address(written)
    except ValueError:
        return None
    # Not every database takes a text with this character.
    return text if text and "\x00" not in text else None
