"""The artists, albums and songs as music players list them. Nothing is written here.

A player goes from an artist to an album and to a song, and turns a page by a number of items to skip. So here every
soundtrack has an artist and an album: all without a named artist are of one artist, and the songs of an artist that are
on no album are one album.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from random import SystemRandom
from typing import Any, TypeAlias

import sqlalchemy as sa

from mfcc_assets.credits import first_artist, named
from mfcc_assets.ids import TrackId
from mfcc_assets.storage.sql.browse_keys import (
    artist_key,
    artist_words,
    genre_key,
    genres_of,
    search_words,
    words_of_key,
)
from mfcc_assets.storage.sql.browsing import TOTALS, TrackFilter, conditions_of, has_text, totals_of
from mfcc_assets.storage.sql.database import Database, reconnecting
from mfcc_assets.storage.sql.player_ids import AlbumKey, id_of_album, id_of_artist, key_of_album, key_of_artist
from mfcc_assets.storage.sql.records import PlayerAlbum, PlayerArtist, PlayerGenre, Soundtrack
from mfcc_assets.storage.sql.rows import batches, read_records, read_rows, select_record
from mfcc_assets.storage.sql.schema import SOUNDTRACKS

_COLUMNS = SOUNDTRACKS.c
_EMPTY: sa.ColumnElement[str] = sa.literal_column("''")

_ALBUM = (_COLUMNS.ALBUM_KEY, sa.case((_COLUMNS.ALBUM_KEY == _EMPTY, _COLUMNS.ARTIST_KEY), else_=_EMPTY))
"""What tells albums apart: the key of the album, and the artist of songs that are on no album."""

_ALBUM_COLUMNS: Sequence[sa.ColumnElement[Any]] = (
    *TOTALS,
    sa.func.min(_COLUMNS.ALBUM),
    sa.func.max(_COLUMNS.ALBUM_ARTIST),
    sa.func.min(_COLUMNS.ARTIST),
    sa.func.min(_COLUMNS.ARTIST_KEY),
    sa.func.max(_COLUMNS.ARTIST_KEY),
    sa.func.max(_COLUMNS.YEAR),
    sa.func.max(_COLUMNS.GENRE),
    sa.func.min(_COLUMNS.ADDED_AT),
    sa.func.min(_COLUMNS.TRACK_ID),
    sa.func.min(sa.func.nullif(_COLUMNS.RELEASE_MBID, _EMPTY)),
    sa.func.max(_COLUMNS.RELEASE_MBID),
    *_ALBUM,
)
_ALBUMS = sa.select(*_ALBUM_COLUMNS).group_by(*_ALBUM)

_ARTISTS = sa.select(
    *TOTALS,
    sa.func.min(_COLUMNS.ARTIST),
    sa.func.max(_COLUMNS.ALBUM_ARTIST),
    sa.func.count(_COLUMNS.ALBUM_KEY.distinct()),
    sa.func.min(_COLUMNS.TRACK_ID),
    _COLUMNS.ARTIST_KEY,
).group_by(_COLUMNS.ARTIST_KEY)

_SONGS = select_record(Soundtrack, SOUNDTRACKS)
_MOST_SPELLINGS = 100

_Condition: TypeAlias = "sa.ColumnElement[bool]"
_Row: TypeAlias = Any


class AlbumOrder(StrEnum):
    """The orders of a list of albums. Songs that are on no album come last by title."""

    TITLE = "title"
    ARTIST = "artist"
    NEWEST = "newest"
    YEAR = "year"
    LAST_YEAR = "last year"


_SORTED_BY: Mapping[AlbumOrder, sa.ColumnElement[Any]] = {
    AlbumOrder.TITLE: sa.case((_COLUMNS.ALBUM_KEY == _EMPTY, sa.literal_column("1")), else_=sa.literal_column("0")),
    AlbumOrder.ARTIST: sa.func.min(_COLUMNS.BY_ARTIST),
    AlbumOrder.NEWEST: sa.func.max(_COLUMNS.ADDED_AT).desc(),
    AlbumOrder.YEAR: sa.func.max(_COLUMNS.YEAR),
    AlbumOrder.LAST_YEAR: sa.func.max(_COLUMNS.YEAR).desc(),
}


@dataclass(frozen=True)
class SongFilter:
    """Which songs a list has: those for which everything that is given here holds.

    Attributes
    ----------
    search
        Words. For songs, as in `mfcc_assets.storage.sql.browsing.TrackFilter`. An album has each of them in its title,
        its artist or its folder.
    genre
        One of the genres.
    first_year, last_year
        The year of the release is between them.
    """

    search: str = ""
    genre: str = ""
    first_year: int | None = None
    last_year: int | None = None


_EVERY_SONG = SongFilter()


@reconnecting
class PlayerLists:
    """Reads what music players show of the soundtracks, in SQLite, PostgreSQL, SQL Server or Azure SQL.

    Methods that return part of a list take the number of items to skip, and the largest number of items. They read what
    they skip, so the last pages of a long list take longer.

    Parameters
    ----------
    database
        Database with the newest schema, as `open_database` returns it. Its user needs no more than the role
        ``mfcc_pages``.

    Raises
    ------
    StoreError
        From every method, if the database cannot be reached, is locked for too long, or refuses.

    Examples
    --------
    >>> from mfcc_assets.storage.sql.revisions import open_database
    >>> PlayerLists(open_database("sqlite://")).albums(SongFilter(search="ocean"), AlbumOrder.NEWEST, skip=0, size=10)
    []
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def artists(self, search: str = "", *, skip: int = 0, size: int | None = None) -> list[PlayerArtist]:
        """Return artists, sorted by name, whose names have all words of a search. All songs without a named artist are
        of one artist, who comes first.
        """
        conditions = [has_text(_COLUMNS.ARTIST_KEY, word) for word in artist_words(search)]
        query = _ARTISTS.where(*conditions).order_by(_COLUMNS.ARTIST_KEY)
        return [_artist(row) for row in self._rows(_part(query, skip, size))]

    def artist(self, artist_id: str) -> PlayerArtist | None:
        """Return an artist, also one who is only named as the artist of albums; None if there is no such artist."""
        key = key_of_artist(artist_id)
        if key is None:
            return None
        for row in self._rows(_ARTISTS.where(_COLUMNS.ARTIST_KEY == key)):
            return _artist(row)
        if not (spelled := self._album_artists(key)):
            return None
        columns = *TOTALS, sa.func.count(_COLUMNS.ALBUM_KEY.distinct()), sa.func.min(_COLUMNS.TRACK_ID)
        (row,) = self._rows(sa.select(*columns).where(_COLUMNS.ALBUM_ARTIST.in_(spelled)))
        return PlayerArtist(artist_id, spelled[0], totals_of(row), int(row[2]), TrackId(row[3]))

    def albums(
        self,
        chosen: SongFilter = _EVERY_SONG,
        order: AlbumOrder = AlbumOrder.TITLE,
        *,
        skip: int = 0,
        size: int | None = None,
    ) -> list[PlayerAlbum]:
        """Return albums that have a song which a filter chooses. Their totals count all their songs."""
        conditions = _conditions(replace(chosen, search=""))
        conditions += [
            has_text(_COLUMNS.ALBUM_KEY, word) | has_text(_COLUMNS.ARTIST_KEY, word)
            for word in search_words(chosen.search)
        ]
        query = _with_a_song(conditions).order_by(_SORTED_BY[order], *_ALBUM)
        return [_album(row) for row in self._rows(_part(query, skip, size))]

    def albums_of_artist(self, artist_id: str) -> list[PlayerAlbum]:
        """Return the albums that an artist is named on, sorted by title."""
        query = _with_a_song([self._is_by(artist_id)]).order_by(_SORTED_BY[AlbumOrder.TITLE], *_ALBUM)
        return [_album(row) for row in self._rows(query)]

    def random_albums(self, size: int) -> list[PlayerAlbum]:
        """Return albums in a random order."""
        every = [tuple(row) for row in self._rows(sa.select(*_ALBUM).distinct())]
        chosen = SystemRandom().sample(every, min(size, len(every)))
        found: dict[tuple[str, str], PlayerAlbum] = {}
        for keys in batches([key for key, _ in chosen]):
            rows = self._rows(_ALBUMS.where(_COLUMNS.ALBUM_KEY.in_(keys)))
            found |= {(row[-2], row[-1]): _album(row) for row in rows}
        return [found[album] for album in chosen if album in found]

    def album(self, album_id: str) -> PlayerAlbum | None:
        """Return an album, or None if there is no such album."""
        return next(map(_album, self._rows(_ALBUMS.where(_is_on(album_id)))), None)

    def songs(self, chosen: SongFilter = _EVERY_SONG, *, skip: int = 0, size: int | None = None) -> list[Soundtrack]:
        """Return songs that a filter chooses, sorted by title."""
        query = _SONGS.where(*_conditions(chosen)).order_by(_COLUMNS.BY_TITLE, _COLUMNS.TRACK_ID)
        return read_records(self._database, Soundtrack, _part(query, skip, size))

    def random_songs(self, chosen: SongFilter = _EVERY_SONG, *, size: int) -> list[Soundtrack]:
        """Return songs that a filter chooses, in a random order."""
        every = [row[0] for row in self._rows(sa.select(_COLUMNS.TRACK_ID).where(*_conditions(chosen)))]
        ids = SystemRandom().sample(every, min(size, len(every)))
        found: dict[TrackId, Soundtrack] = {}
        for some in batches(ids):
            songs = read_records(self._database, Soundtrack, _SONGS.where(_COLUMNS.TRACK_ID.in_(some)))
            found |= {song.track_id: song for song in songs}
        return [found[song] for song in ids if song in found]

    def songs_of_album(self, album_id: str) -> list[Soundtrack]:
        """Return the songs of an album, in the order of their discs and numbers."""
        query = _SONGS.where(_is_on(album_id)).order_by(_COLUMNS.BY_ALBUM, _COLUMNS.TRACK_ID)
        return read_records(self._database, Soundtrack, query)

    def songs_of_artist(self, artist_id: str) -> list[Soundtrack]:
        """Return the songs of an artist, album by album."""
        query = _SONGS.where(self._is_by(artist_id)).order_by(_COLUMNS.BY_ALBUM, _COLUMNS.TRACK_ID)
        return read_records(self._database, Soundtrack, query)

    def genres(self) -> list[PlayerGenre]:
        """Return the genres, sorted by name. A song with several genres counts for each."""
        query = sa.select(sa.func.count(), _COLUMNS.GENRE, *_ALBUM).where(_COLUMNS.GENRE != _EMPTY)
        names: dict[str, str] = {}
        songs: dict[str, int] = {}
        albums: dict[str, set[tuple[str, str]]] = {}
        for row in self._rows(query.group_by(_COLUMNS.GENRE, *_ALBUM).order_by(_COLUMNS.GENRE)):
            for name in genres_of(row[1]):
                key = genre_key(name)
                names.setdefault(key, name)
                songs[key] = songs.get(key, 0) + int(row[0])
                albums.setdefault(key, set()).add((row[2], row[3]))
        return [PlayerGenre(names[key], songs[key], len(albums[key])) for key in sorted(names)]

    def last_change(self) -> datetime | None:
        """Return when a file of the library was last read; None for an empty library."""
        (row,) = self._rows(sa.select(sa.func.max(_COLUMNS.OBSERVED_AT)))
        return None if row[0] is None else row[0].replace(tzinfo=UTC)

    def _is_by(self, artist_id: str) -> _Condition:
        key = key_of_artist(artist_id)
        if key is None:
            return sa.false()
        return (_COLUMNS.ARTIST_KEY == key) | _COLUMNS.ALBUM_ARTIST.in_(self._album_artists(key))

    def _album_artists(self, key: str) -> list[str]:
        """Return every way in which tags write the artist of an album who has this key."""
        words = [word for word in words_of_key(key) if word.isalnum() and word != "and"]
        if not words:
            return []
        query = sa.select(_COLUMNS.ALBUM_ARTIST).distinct().order_by(_COLUMNS.ALBUM_ARTIST)
        rows = self._rows(query.where(*(has_text(_COLUMNS.SEARCH_TEXT, word) for word in words)))
        return [row[0] for row in rows if artist_key(row[0]) == key][:_MOST_SPELLINGS]

    def _rows(self, query: sa.Executable) -> Sequence[_Row]:
        return read_rows(self._database, query)


def _is_on(written: str) -> _Condition:
    key = key_of_album(written)
    if key is None:
        return sa.false()
    on_album = _COLUMNS.ALBUM_KEY == key.album
    return on_album if key.album else on_album & (_COLUMNS.ARTIST_KEY == key.artist)


def _with_a_song(conditions: Sequence[_Condition]) -> sa.Select[Any]:
    """Return the query for albums that have a song for which all conditions hold."""
    if not conditions:
        return _ALBUMS
    holds = sa.and_(*conditions)
    # The first condition lets a database use its indexes. The second one chooses among songs that are on no album.
    near = _ALBUMS.where(_COLUMNS.ALBUM_KEY.in_(sa.select(_COLUMNS.ALBUM_KEY).where(holds)))
    return near.having(sa.func.max(sa.case((holds, 1), else_=0)) == 1)


def _conditions(chosen: SongFilter) -> list[_Condition]:
    conditions = conditions_of(TrackFilter(search=chosen.search, genre=chosen.genre))
    if chosen.first_year is not None:
        conditions.append(chosen.first_year <= _COLUMNS.YEAR)
    if chosen.last_year is not None:
        conditions.append(chosen.last_year >= _COLUMNS.YEAR)
    return conditions


def _part(query: sa.Select[Any], skip: int, size: int | None) -> sa.Select[Any]:
    part = query if size is None else query.limit(size)
    return part.offset(skip) if skip else part


def _artist(row: _Row) -> PlayerArtist:
    _, _, artist, album_artist, albums, track, key = row
    name = first_artist(named(artist, album_artist)) if key else ""
    return PlayerArtist(id_of_artist(key), name, totals_of(row), int(albums), TrackId(track))


def _album(row: _Row) -> PlayerAlbum:
    _, _, title, album_artist, artist, first, last, year, genre, added_at, track, mbid, last_mbid, *keys = row
    key, artist_off_albums = keys
    has_one_artist = first == last
    by = album_artist or (first_artist(artist) if has_one_artist and first else "")
    by_key = artist_key(album_artist) or (first if has_one_artist else "")
    return PlayerAlbum(
        album_id=id_of_album(AlbumKey(key, artist_off_albums)),
        title=title if key else "",
        artist=by,
        artist_id=id_of_artist(by_key) if by_key or has_one_artist else "",
        year=year,
        genre=genre,
        totals=totals_of(row),
        added_at=added_at,
        track_id=TrackId(track),
        release_mbid=mbid if mbid == last_mbid else "",
    )
