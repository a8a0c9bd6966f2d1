"""The parameters of a call, from its address or its form."""

from collections.abc import Sequence

from flask import request

from mfcc_assets.ids import TrackId
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.web.numbers import whole_number
from mfcc_assets.web.site import site
from mfcc_assets.web.subsonic import ids
from mfcc_assets.web.subsonic.failures import CallFailed, Code

_LONGEST_ID = 64


def needed(name: str) -> str:
    """Return a parameter. Raises `CallFailed` if the call has none of this name."""
    sent = request.values.get(name)
    if sent is None:
        raise CallFailed(Code.MISSING_PARAMETER, f"The parameter {name} is missing.")
    return sent


def number(name: str, default: int, most: int) -> int:
    """Return a whole number, at least 0, and moved to `most` if it is larger. Raises `CallFailed` if it is none."""
    found = optional_number(name)
    return default if found is None else min(max(found, 0), most)


def optional_number(name: str) -> int | None:
    """Return a whole number; None if the call has none of this name. Raises `CallFailed` if it is no number."""
    sent = request.values.get(name)
    if sent is None:
        return None
    found = whole_number(sent)
    if found is None:
        raise CallFailed(Code.GENERIC, f"The parameter {name} is no whole number.")
    return found


def song(name: str = "id") -> Soundtrack:
    """Return the song whose id a parameter has. Raises `CallFailed` if there is no such song."""
    return song_of_id(needed(name))


def song_of_id(song_id: str) -> Soundtrack:
    """Return the song of an id. Raises `CallFailed` if there is no such song."""
    found = site().library.browsing.track(TrackId(song_id)) if len(song_id) <= _LONGEST_ID else None
    if found is None:
        raise CallFailed(Code.NOT_FOUND, "The library has no such song.")
    return found


def songs_of_id(wanted: str) -> Sequence[Soundtrack]:
    """Return the songs that an id of a song, an album or an artist stands for, at least one.

    Raises `CallFailed` if the library has nothing of this id.
    """
    lists = site().library.player_lists
    if (album_id := ids.after_prefix(ids.ALBUM, wanted)) is not None:
        found = lists.songs_of_album(album_id)
    elif (artist_id := ids.after_prefix(ids.ARTIST, wanted)) is not None:
        found = lists.songs_of_artist(artist_id)
    else:
        return [song_of_id(wanted)]
    if not found:
        raise CallFailed(Code.NOT_FOUND, "The library has no such artist or album.")
    return found
