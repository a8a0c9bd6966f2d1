"""The lists of the library for programs: tracks with search, filters and sorting, artists, albums, genres and years."""

from flask import Response

from mfcc_assets.storage.sql import records
from mfcc_assets.storage.sql.browsing import TrackFilter, TrackOrder
from mfcc_assets.web.api.models import Totals
from mfcc_assets.web.api.operations import api
from mfcc_assets.web.api.replies import page_reply
from mfcc_assets.web.api.track_models import (
    Album,
    AlbumPage,
    AlbumsQuery,
    Artist,
    ArtistPage,
    Genre,
    GenrePage,
    ListedYear,
    PageQuery,
    Track,
    TrackPage,
    TracksQuery,
    YearPage,
)
from mfcc_assets.web.cards import card_of
from mfcc_assets.web.library.not_ready import check_not_lost
from mfcc_assets.web.site import site

_TAG = "library"


@api.get("/api/v1/tracks", tag=_TAG, query=TracksQuery, answer=TrackPage, problems=(404,))
def list_tracks(query: TracksQuery) -> Response:
    """List tracks of the library. All that is asked for must hold; case, width and accents do not count."""
    chosen = TrackFilter(query.search, query.artist, query.album or "", query.genre, query.year)
    browsing = site().library.browsing
    page = browsing.tracks_page(chosen, TrackOrder(query.sort), after=query.after, size=query.limit)
    items = [Track.of(card_of(track)) for track in page.items]
    return _page(TrackPage(items=items, after=page.after, totals=_totals(browsing.totals(chosen))))


@api.get("/api/v1/artists", tag=_TAG, query=PageQuery, answer=ArtistPage, problems=(404,))
def list_artists(query: PageQuery) -> Response:
    """List the artists of the library by name."""
    page = site().library.browsing.artists(after=query.after, size=query.limit)
    return _page(
        ArtistPage(items=[Artist(name=item.name, totals=_totals(item.totals)) for item in page.items], after=page.after)
    )


@api.get("/api/v1/albums", tag=_TAG, query=AlbumsQuery, answer=AlbumPage, problems=(404,))
def list_albums(query: AlbumsQuery) -> Response:
    """List the albums of the library by title."""
    page = site().library.browsing.albums(artist=query.artist, after=query.after, size=query.limit)
    items = [
        Album(
            album_id=item.album_id,
            title=item.title,
            artist=item.artist,
            year=item.year,
            totals=_totals(item.totals),
        )
        for item in page.items
    ]
    return _page(AlbumPage(items=items, after=page.after))


@api.get("/api/v1/genres", tag=_TAG, query=PageQuery, answer=GenrePage, problems=(404,))
def list_genres(query: PageQuery) -> Response:
    """List the genres of the library by name."""
    page = site().library.browsing.genres(after=query.after, size=query.limit)
    return _page(
        GenrePage(items=[Genre(name=item.name, totals=_totals(item.totals)) for item in page.items], after=page.after)
    )


@api.get("/api/v1/years", tag=_TAG, query=PageQuery, answer=YearPage, problems=(404,))
def list_years(query: PageQuery) -> Response:
    """List the years from which the library has tracks, the last one first."""
    page = site().library.browsing.years(after=query.after, size=query.limit)
    return _page(
        YearPage(
            items=[ListedYear(year=item.year, totals=_totals(item.totals)) for item in page.items], after=page.after
        )
    )


def _page(page: TrackPage | ArtistPage | AlbumPage | GenrePage | YearPage) -> Response:
    """Return a page. An empty one is only returned if the database has not lost its tracks."""
    if not page.items:
        check_not_lost(site().library)
    return page_reply(page)


def _totals(found: records.Totals) -> Totals:
    return Totals(tracks=found.tracks, seconds=found.seconds)
