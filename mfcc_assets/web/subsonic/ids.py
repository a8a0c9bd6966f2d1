"""The ids of songs, albums and artists, which players send back. A player may ask for any of them by one parameter."""

from mfcc_assets.credits import Credited
from mfcc_assets.storage.sql.player_ids import artist_id_of, artist_id_of_name, player_album_id_of

ALBUM, ARTIST = "al-", "ar-"
"""Beginnings of the ids of albums and artists. The id of a song is its track id, which has neither."""

FOLDER = 1
"""Id of the only music folder."""


def album_of(track: Credited) -> str:
    """Return the id of the album of a song."""
    return f"{ALBUM}{player_album_id_of(track)}"


def artist_of(track: Credited) -> str:
    """Return the id of the first artist of a song."""
    return f"{ARTIST}{artist_id_of(track)}"


def artist_named(credit: str) -> str:
    """Return the id of the first artist of a credit."""
    return f"{ARTIST}{artist_id_of_name(credit)}"


def after_prefix(prefix: str, written: str) -> str | None:
    """Return an id without its beginning; None if it begins in another way.

    Examples
    --------
    >>> after_prefix(ALBUM, "al-MQ"), after_prefix(ARTIST, "al-MQ")
    ('MQ', None)
    """
    return written.removeprefix(prefix) if written.startswith(prefix) else None
