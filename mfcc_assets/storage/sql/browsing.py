"""The soundtracks as pages show them: sorted, filtered, searched, and page by page. Nothing is written here."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa

from mfcc_assets.credits import Credited
from mfcc_assets.ids import TrackId
from mfcc_assets.storage.sql.browse_keys import album_key, artist_key, genre_key, genres_of, has_genre, search_words
from mfcc_assets.storage.sql.cursors import Page, cursor_of, from_address, not_a_cursor, place_of, to_address
from mfcc_assets.storage.sql.database import Database, reconnecting
from mfcc_assets.storage.sql.records import ListedAlbum, ListedArtist, ListedGenre, ListedYear, Soundtrack, Totals
from mfcc_assets.storage.sql.rows import batches, read_records, read_rows, select_record
from mfcc_assets.storage.sql.schema import SOUNDTRACKS
from mfcc_assets.texts import printable

PAGE_SIZE = 50
"""Number of items on a page by default."""

_COLUMNS = SOUNDTRACKS.c
TOTALS = (sa.func.count(), sa.func.sum(_COLUMNS.SECONDS))
"""The first columns of every query whose rows `totals_of` reads."""

_ALBUMS = sa.select(
    *TOTALS,
    sa.func.min(_COLUMNS.ALBUM),
    sa.func.max(_COLUMNS.ALBUM_ARTIST),
    sa.func.min(_COLUMNS.ARTIST),
    sa.case((sa.func.min(_COLUMNS.ARTIST_KEY) == sa.func.max(_COLUMNS.ARTIST_KEY), 1), else_=0),
    sa.func.max(_COLUMNS.YEAR),
    sa.func.min(_COLUMNS.TRACK_ID),
    _COLUMNS.ALBUM_KEY,
).group_by(_COLUMNS.ALBUM_KEY)

_ESCAPE = "/"
_LARGEST_INTEGER = 2**31 - 1
_Item = TypeVar("_Item")
_Row: TypeAlias = Any


class TrackOrder(StrEnum):
    """The orders of a list of soundtracks. `YEAR` and `NEWEST` begin with the last, and what is missing comes last."""

    TITLE = "title"
    ARTIST = "artist"
    ALBUM = "album"
    YEAR = "year"
    NEWEST = "newest"


_SORTED_BY = {
    TrackOrder.TITLE: _COLUMNS.BY_TITLE,
    TrackOrder.ARTIST: _COLUMNS.BY_ARTIST,
    TrackOrder.ALBUM: _COLUMNS.BY_ALBUM,
    TrackOrder.YEAR: _COLUMNS.BY_YEAR,
    TrackOrder.NEWEST: _COLUMNS.ADDED_AT,
}


@dataclass(frozen=True)
class TrackFilter:
    """Which soundtracks a list has: those for which everything that is given here holds.

    Attributes
    ----------
    search
        Words, each of which is somewhere in the title, the artists or the album. Case, width and accents do not count.
        A soundtrack without a title is searched by the name of its file.
    artist
        Name of the first artist, compared as `mfcc_assets.credits` says.
    album
        Id of an album: `ListedAlbum.album_id` or `album_id_of`.
    genre
        One of the genres.
    year
        Year of the release.
    """

    search: str = ""
    artist: str = ""
    album: str = ""
    genre: str = ""
    year: int | None = None


_EVERY_TRACK = TrackFilter()


@reconnecting
class Browsing:
    """Reads what pages show of the soundtracks, in SQLite, PostgreSQL, SQL Server or Azure SQL.

    A page begins behind the last item of the page before it, so that each page takes the same time, and no item is
    missed or shown twice if others are added or removed meanwhile.

    Parameters
    ----------
    database
        Database with the newest schema, as `open_database` returns it. Its user needs no more than the role
        ``mfcc_pages``.

    Raises
    ------
    StoreError
        From every method, if the database cannot be reached, is locked for too long, or refuses.
    NotACursor
        From every method with `after`, if this is not the cursor of a page of the same list in the same order.

    Examples
    --------
    >>> from mfcc_assets.storage.sql.revisions import open_database
    >>> browsing = Browsing(open_database("sqlite://"))
    >>> browsing.tracks_page(TrackFilter(search="ocean"), TrackOrder.NEWEST)
    Page(items=[], after=None)
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def track(self, track_id: TrackId) -> Soundtrack | None:
        """Return a soundtrack, or None if there is no such soundtrack."""
        return next(iter(self.tracks([track_id])), None)

    def tracks(self, track_ids: Sequence[TrackId]) -> list[Soundtrack]:
        """Return soundtracks in the order of their ids, with one query for up to 500. Missing ones are left out."""
        found: dict[TrackId, Soundtrack] = {}
        for ids in batches([track for track in dict.fromkeys(track_ids) if track.isalnum()]):
            query = select_record(Soundtrack, SOUNDTRACKS).where(_COLUMNS.TRACK_ID.in_(ids))
            found |= {track.track_id: track for track in read_records(self._database, Soundtrack, query)}
        return [found[track] for track in track_ids if track in found]

    def tracks_page(
        self,
        chosen: TrackFilter = _EVERY_TRACK,
        order: TrackOrder = TrackOrder.TITLE,
        *,
        after: str | None = None,
        size: int = PAGE_SIZE,
    ) -> Page[Soundtrack]:
        """Return a page of the soundtracks that a filter chooses.

        Parameters
        ----------
        chosen
            Filter of the soundtracks.
        order
            Order of the list.
        after
            Cursor of the page, from `Page.after` of the page before it. None for the first page.
        size
            Largest number of soundtracks on the page.
        """
        by, is_falling = _SORTED_BY[order], order is TrackOrder.NEWEST
        query = select_record(Soundtrack, SOUNDTRACKS).where(*conditions_of(chosen))
        if after is not None:
            query = query.where(*_behind(by, is_falling, after, order))
        columns = [column.desc() if is_falling else column for column in (by, _COLUMNS.TRACK_ID)]
        rows = self._rows(query.add_columns(by).order_by(*columns).limit(size + 1))

        def cursor(row: _Row) -> str:
            key = row[-1].isoformat() if is_falling else row[-1]
            return cursor_of(order, key, row.TRACK_ID)

        return _page(rows, size, lambda row: Soundtrack(*row[:-1]), cursor)

    def totals(self, chosen: TrackFilter = _EVERY_TRACK) -> Totals:
        """Return the number and the length of the soundtracks that a filter chooses."""
        (row,) = self._rows(sa.select(*TOTALS).select_from(SOUNDTRACKS).where(*conditions_of(chosen)))
        return totals_of(row)

    def artists(self, *, after: str | None = None, size: int = PAGE_SIZE) -> Page[ListedArtist]:
        """Return a page of the artists, sorted by name. Guests and soundtracks without an artist do not count."""
        key = _COLUMNS.ARTIST_KEY
        (last,) = place_of(after, "artists", str) if after is not None else ("",)
        query = (
            sa.select(*TOTALS, sa.func.min(_COLUMNS.ARTIST), sa.func.min(_COLUMNS.TRACK_ID), key)
            .where(key > last)
            .group_by(key)
            .order_by(key)
        )
        return _page(
            self._rows(query.limit(size + 1)),
            size,
            lambda row: ListedArtist(row[2], totals_of(row), TrackId(row[3])),
            lambda row: cursor_of("artists", row[-1]),
        )

    def albums(self, *, artist: str = "", after: str | None = None, size: int = PAGE_SIZE) -> Page[ListedAlbum]:
        """Return a page of the albums, sorted by title.

        Parameters
        ----------
        artist
            Name of an artist. Then the list has the artist's albums, and the totals count only this artist.
        after, size
            As for `tracks_page`.
        """
        key, kind = _COLUMNS.ALBUM_KEY, f"albums {artist_key(printable(artist))}"
        (last,) = place_of(after, kind, str) if after is not None else ("",)
        query = _ALBUMS.where(key > last, *conditions_of(TrackFilter(artist=artist))).order_by(key)
        return _page(self._rows(query.limit(size + 1)), size, _album, lambda row: cursor_of(kind, row[-1]))

    def album(self, album_id: str) -> ListedAlbum | None:
        """Return an album, or None if there is no such album."""
        if not album_id:
            return None
        return next(map(_album, self._rows(_ALBUMS.where(_is_of_album(album_id)))), None)

    def genres(self, *, after: str | None = None, size: int = PAGE_SIZE) -> Page[ListedGenre]:
        """Return a page of the genres, sorted by name. A soundtrack with several genres counts for each."""
        (last,) = place_of(after, "genres", str) if after is not None else ("",)
        number = sa.func.count()
        query = sa.select(*TOTALS, _COLUMNS.GENRE).where(_COLUMNS.GENRE != "").group_by(_COLUMNS.GENRE)
        found: dict[str, ListedGenre] = {}
        # A genre is shown as most soundtracks write it.
        for row in self._rows(query.order_by(number.desc(), _COLUMNS.GENRE)):
            for name in genres_of(row.GENRE):
                known = found.setdefault(genre_key(name), ListedGenre(name, Totals(0, 0.0)))
                found[genre_key(name)] = replace(known, totals=known.totals + totals_of(row))
        keys = sorted(key for key in found if key > str(last))
        items = [found[key] for key in keys[:size]]
        return Page(items, cursor_of("genres", keys[size - 1]) if len(keys) > size else None)

    def years(self, *, after: str | None = None, size: int = PAGE_SIZE) -> Page[ListedYear]:
        """Return a page of the years, the last year first."""
        year = _COLUMNS.YEAR
        query = sa.select(*TOTALS, year).where(year.is_not(None)).group_by(year).order_by(year.desc())
        if after is not None:
            query = query.where(year < place_of(after, "years", int)[0])
        return _page(
            self._rows(query.limit(size + 1)),
            size,
            lambda row: ListedYear(row.YEAR, totals_of(row)),
            lambda row: cursor_of("years", row.YEAR),
        )

    def _rows(self, query: sa.Executable) -> Sequence[_Row]:
        return read_rows(self._database, query)


def album_id_of(track: Credited) -> str:
    """Return the id of the album of a soundtrack, for a `TrackFilter`. Empty if it is on no album."""
    return to_address(album_key(track))


def conditions_of(chosen: TrackFilter) -> list[sa.ColumnElement[bool]]:
    """Return the conditions for rows of SOUNDTRACKS that a filter chooses."""
    conditions: list[sa.ColumnElement[bool]] = [
        has_text(_COLUMNS.SEARCH_TEXT, word) for word in search_words(chosen.search)
    ]
    if chosen.artist:
        conditions.append(_COLUMNS.ARTIST_KEY == artist_key(printable(chosen.artist)))
    if chosen.album:
        conditions.append(_is_of_album(chosen.album))
    if chosen.genre:
        conditions.append(has_text(_COLUMNS.GENRE_KEYS, has_genre(printable(chosen.genre))))
    if chosen.year is not None:
        conditions.append(_COLUMNS.YEAR == chosen.year if abs(chosen.year) <= _LARGEST_INTEGER else sa.false())
    return conditions


def _is_of_album(album_id: str) -> sa.ColumnElement[bool]:
    try:
        return _COLUMNS.ALBUM_KEY == from_address(album_id)
    except ValueError:
        return sa.false()


def has_text(column: sa.ColumnElement[str], text: str) -> sa.ColumnElement[bool]:
    """Return the condition for rows whose column has a text in it. In SQL Server a bracket has a meaning too."""
    literal = re.sub(r"[/%_[]", rf"{_ESCAPE}\g<0>", text)
    return column.like(f"%{literal}%", escape=_ESCAPE)


def _behind(by: sa.Column[Any], is_falling: bool, after: str, order: TrackOrder) -> Iterable[sa.ColumnElement[bool]]:
    """Return the conditions for rows behind the place of a cursor."""
    key, track = place_of(after, order, str, str)
    if not is_falling:
        # The first of these conditions lets a database begin in its index.
        return by >= key, (by > key) | (_COLUMNS.TRACK_ID > track)
    moment = _moment(str(key))
    return by <= moment, (by < moment) | (_COLUMNS.TRACK_ID < track)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise not_a_cursor() from error


def _page(
    rows: Sequence[_Row],
    size: int,
    item: Callable[[_Row], _Item],
    cursor: Callable[[_Row], str],
) -> Page[_Item]:
    """Return a page of rows, of which the query asked for one more than the page has."""
    return Page([item(row) for row in rows[:size]], cursor(rows[size - 1]) if len(rows) > size else None)


def totals_of(row: _Row) -> Totals:
    """Return the totals of a row that begins with `TOTALS`."""
    return Totals(int(row[0]), float(row[1] or 0))


def _album(row: _Row) -> ListedAlbum:
    _, _, title, album_artist, artist, has_one_artist, year, track, key = row
    by = album_artist or (artist if has_one_artist else "")
    return ListedAlbum(to_address(key), title, by, year, totals_of(row), TrackId(track))
