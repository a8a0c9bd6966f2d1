"""Calls that list albums and songs, or search for them."""

from collections.abc import Callable
from typing import Any

from flask import request

from mfcc_assets.storage.sql.player_lists import AlbumOrder, SongFilter
from mfcc_assets.storage.sql.records import PlayerAlbum, PlayerArtist
from mfcc_assets.web.site import site
from mfcc_assets.web.subsonic.answers import Content
from mfcc_assets.web.subsonic.asked import needed, number, optional_number
from mfcc_assets.web.subsonic.failures import CallFailed, Code
from mfcc_assets.web.subsonic.items import album_folder, album_item, artist_folder, artist_item, song_item

_MOST = 500
"""Largest number of items of a list, as the protocol has it."""

_MOST_FOUND = 10_000
"""Largest number of items of a search. Some players copy the whole library in steps, and stop at a smaller one."""

_LARGEST_OFFSET = 10**9
_LONGEST_SEARCH = 1000
_WITHOUT_ITEMS = ("frequent", "highest", "recent", "starred")
"""Lists of albums by what the library does not keep: what was played, rated or starred."""

_ORDERS = {
    "alphabeticalByName": AlbumOrder.TITLE,
    "alphabeticalByArtist": AlbumOrder.ARTIST,
    "newest": AlbumOrder.NEWEST,
}


def album_list() -> Content:
    """List albums as folders."""
    return {"albumList": {"album": [album_folder(album) for album in _albums()]}}


def album_list_2() -> Content:
    """List albums."""
    return {"albumList2": {"album": [album_item(album) for album in _albums()]}}


def random_songs() -> Content:
    """Return songs in a random order."""
    chosen = SongFilter(
        genre=request.values.get("genre", ""),
        first_year=optional_number("fromYear"),
        last_year=optional_number("toYear"),
    )
    songs = site().library.player_lists.random_songs(chosen, size=number("size", 10, _MOST))
    return {"randomSongs": {"song": [song_item(song) for song in songs]}}


def songs_by_genre() -> Content:
    """List the songs of a genre."""
    genre, part = needed("genre"), {"skip": number("offset", 0, _LARGEST_OFFSET), "size": number("count", 10, _MOST)}
    # An empty text chooses every song in a filter, but names no genre.
    songs = site().library.player_lists.songs(SongFilter(genre=genre), **part) if genre.strip() else []
    return {"songsByGenre": {"song": [song_item(song) for song in songs]}}


def old_search() -> Content:
    """Refuse the search that the protocol gave up many years ago."""
    raise CallFailed(Code.GENERIC, "This search is too old. Call search3.")


def search_2() -> Content:
    """Search for artists, albums and songs, the first two as folders."""
    return {"searchResult2": _found(artist_folder, album_folder)}


def search_3() -> Content:
    """Search for artists, albums and songs. An empty search finds everything, part by part."""
    return {"searchResult3": _found(artist_item, album_item)}


def _found(
    artist: Callable[[PlayerArtist], dict[str, Any]], album: Callable[[PlayerAlbum], dict[str, Any]]
) -> dict[str, Any]:
    # Some players write an empty search as two quotation marks, and add an asterisk to words.
    search = needed("query").replace('"', " ").replace("*", " ")[:_LONGEST_SEARCH].strip()
    lists = site().library.player_lists
    chosen = SongFilter(search=search)
    return {
        "artist": [artist(each) for each in lists.artists(search, **_part("artist"))],
        "album": [album(each) for each in lists.albums(chosen, AlbumOrder.TITLE, **_part("album"))],
        "song": [song_item(each) for each in lists.songs(chosen, **_part("song"))],
    }


def _part(kind: str) -> dict[str, int]:
    return {
        "skip": number(f"{kind}Offset", 0, _LARGEST_OFFSET),
        "size": number(f"{kind}Count", 20, _MOST_FOUND),
    }


def _albums() -> list[PlayerAlbum]:
    kind = needed("type")
    skip, size = number("offset", 0, _LARGEST_OFFSET), number("size", 10, _MOST)
    lists = site().library.player_lists
    if kind in _WITHOUT_ITEMS:
        return []
    if kind == "random":
        return lists.random_albums(size)
    if kind == "byGenre":
        genre = needed("genre")
        return lists.albums(SongFilter(genre=genre), skip=skip, size=size) if genre.strip() else []
    if kind == "byYear":
        first, last = optional_number("fromYear"), optional_number("toYear")
        if first is None or last is None:
            raise CallFailed(Code.MISSING_PARAMETER, "The parameters fromYear and toYear are needed.")
        order = AlbumOrder.YEAR if first <= last else AlbumOrder.LAST_YEAR
        chosen = SongFilter(first_year=min(first, last), last_year=max(first, last))
        return lists.albums(chosen, order, skip=skip, size=size)
    if kind not in _ORDERS:
        raise CallFailed(Code.GENERIC, "There is no such list of albums.")
    return lists.albums(order=_ORDERS[kind], skip=skip, size=size)
