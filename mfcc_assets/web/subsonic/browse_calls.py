"""Calls that lead from artists to albums and songs."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from mfcc_assets.storage.sql.records import PlayerAlbum, PlayerArtist
from mfcc_assets.texts import printable
from mfcc_assets.web.site import site
from mfcc_assets.web.subsonic import ids
from mfcc_assets.web.subsonic.answers import Content
from mfcc_assets.web.subsonic.asked import needed, song
from mfcc_assets.web.subsonic.failures import CallFailed, Code
from mfcc_assets.web.subsonic.items import (
    IGNORED_ARTICLES,
    album_folder,
    album_item,
    artist_folder,
    artist_item,
    letter_of,
    name_of,
    song_item,
)

_FOLDER_NAME = "Music"


def music_folders() -> Content:
    """List the only music folder."""
    return {"musicFolders": {"musicFolder": [{"id": ids.FOLDER, "name": _FOLDER_NAME}]}}


def indexes() -> Content:
    """List the artists as folders, by letter."""
    changed = site().library.player_lists.last_change() or datetime.fromtimestamp(0, UTC)
    return {
        "indexes": {
            "lastModified": int(changed.timestamp() * 1000),
            "ignoredArticles": IGNORED_ARTICLES,
            "index": _by_letter(artist_folder),
            "child": [],
        }
    }


def artists() -> Content:
    """List the artists, by letter."""
    return {"artists": {"ignoredArticles": IGNORED_ARTICLES, "index": _by_letter(artist_item)}}


def artist() -> Content:
    """Return an artist with the albums."""
    found = _artist(needed("id"))
    albums = site().library.player_lists.albums_of_artist(found.artist_id)
    content = {**artist_item(found), "albumCount": len(albums), "album": [album_item(album) for album in albums]}
    return {"artist": content}


def album() -> Content:
    """Return an album with its songs."""
    found = _album(needed("id"))
    songs = site().library.player_lists.songs_of_album(found.album_id)
    return {"album": {**album_item(found), "song": [song_item(each) for each in songs]}}


def one_song() -> Content:
    """Return a song."""
    return {"song": song_item(song())}


def music_directory() -> Content:
    """Return what is in a folder: the artists, the albums of an artist, or the songs of an album."""
    wanted = needed("id")
    lists = site().library.player_lists
    if wanted == str(ids.FOLDER):
        children = [
            {"id": each["id"], "isDir": True, "title": each["name"], "parent": wanted}
            for each in map(artist_folder, lists.artists())
        ]
        return _directory(wanted, _FOLDER_NAME, children)
    if wanted.startswith(ids.ARTIST):
        found = _artist(wanted)
        albums = [album_folder(each) for each in lists.albums_of_artist(found.artist_id)]
        return _directory(wanted, name_of(found), albums, parent=str(ids.FOLDER))
    on_album = _album(wanted)
    songs = [song_item(each) for each in lists.songs_of_album(on_album.album_id)]
    folder = album_folder(on_album)
    return _directory(wanted, folder["title"], songs, parent=folder["parent"])


def genres() -> Content:
    """List the genres."""
    found = site().library.player_lists.genres()
    return {
        "genres": {
            "genre": [
                {"value": printable(genre.name), "songCount": genre.songs, "albumCount": genre.albums}
                for genre in found
            ]
        }
    }


def _directory(directory: str, name: str, children: list[dict[str, Any]], parent: str | None = None) -> Content:
    content: dict[str, Any] = {"id": directory, "name": name, "child": children}
    return {"directory": content if parent is None else {**content, "parent": parent}}


def _by_letter(item: Callable[[PlayerArtist], dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for each in site().library.player_lists.artists():
        found.setdefault(letter_of(each), []).append(item(each))
    return [{"name": letter, "artist": found[letter]} for letter in sorted(found)]


def _artist(wanted: str) -> PlayerArtist:
    artist_id = ids.after_prefix(ids.ARTIST, wanted)
    found = None if artist_id is None else site().library.player_lists.artist(artist_id)
    if found is None:
        raise CallFailed(Code.NOT_FOUND, "The library has no such artist.")
    return found


def _album(wanted: str) -> PlayerAlbum:
    album_id = ids.after_prefix(ids.ALBUM, wanted)
    found = None if album_id is None else site().library.player_lists.album(album_id)
    if found is None:
        raise CallFailed(Code.NOT_FOUND, "The library has no such album.")
    return found
