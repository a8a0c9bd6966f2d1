"""The contract of `Browsing`, over every database."""

from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from mfcc_assets.errors import NotACursor
from mfcc_assets.ids import TrackId, track_id
from mfcc_assets.storage.sql.browsing import Browsing, TrackFilter, TrackOrder, album_id_of
from mfcc_assets.storage.sql.catalogue import Catalogue
from mfcc_assets.storage.sql.cursors import Page, cursor_of
from mfcc_assets.storage.sql.database import Database
from mfcc_assets.storage.sql.records import ListedYear, Soundtrack, Totals
from mfcc_assets.storage.sql.revisions import open_database
from mfcc_assets_tests.storage.sql.table_rows import analyse, observe, observed

_Item = TypeVar("_Item")

SONGS: dict[str, dict[str, Any]] = {
    "a.mp3": {"title": "Jóga", "artist": "Björk", "album": "Homogenic", "year": 1997, "genre": "Pop, Art"},
    "b.mp3": {"title": "bachelorette", "artist": "BJÖRK feat. X", "album": "Homogenic", "year": 1997, "genre": "pop"},
    "c.mp3": {"title": "Zephyr", "artist": "The Abbots", "album": "100% [Live]_", "year": 2020, "genre": "Rock"},
    "d.mp3": {"title": "夜に駆ける", "artist": "ＹＯＡＳＯＢＩ", "album": "The Book", "year": 2021, "genre": "J-Pop"},
    "e.mp3": {"title": "", "artist": "Unknown Artist", "album": "", "genre": ""},
    "f.mp3": {"title": "100 percent", "artist": "Abbots", "album": "", "genre": "Rock / Pop"},
}


def every_item(page: Callable[..., Page[_Item]], *, size: int) -> list[_Item]:
    items: list[_Item] = []
    after = None
    while True:
        part = page(after=after, size=size)
        assert len(part.items) == size or part.after is None
        items += part.items
        if (after := part.after) is None:
            return items


def names(tracks: list[Soundtrack]) -> str:
    return "".join(track.blob_name.removesuffix(".mp3") for track in tracks)


@pytest.fixture
def browsing(database: Database, catalogue: Catalogue) -> Browsing:
    for name, tags in SONGS.items():
        observe(catalogue, observed(name, **tags))
    analyse(catalogue, observed("a.mp3"), "audio a")
    return Browsing(database)


def test_tracks_are_read_in_the_asked_order_without_those_that_are_missing(browsing: Browsing) -> None:
    asked = [track_id("c.mp3"), TrackId("missing"), track_id("a.mp3"), TrackId("a\x00'"), track_id("c.mp3")]
    assert names(browsing.tracks(asked)) == "cac"
    assert browsing.tracks([]) == []


def test_a_track_has_its_tags_and_when_it_was_added(browsing: Browsing, catalogue: Catalogue) -> None:
    track = browsing.track(track_id("a.mp3"))
    assert track == catalogue.soundtracks()[0]
    assert track is not None
    assert (track.year, track.genre, track.seconds) == (1997, "Pop, Art", 61.5)
    assert browsing.track(track_id("none.mp3")) is None


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (TrackOrder.TITLE, "fbeacd"),
        (TrackOrder.ARTIST, "cfbade"),
        (TrackOrder.ALBUM, "cbadfe"),
        (TrackOrder.YEAR, "dcbafe"),
        (TrackOrder.NEWEST, "fedcba"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 4, 6, 7])
def test_pages_of_every_size_make_the_whole_list_in_its_order(
    browsing: Browsing, order: TrackOrder, expected: str, size: int
) -> None:
    tracks = every_item(lambda **page: browsing.tracks_page(order=order, **page), size=size)
    assert names(tracks) == expected


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"search": "bjork"}, "ab"),
        ({"search": "ＢJÖRK  jog"}, "a"),
        ({"search": "homogenic BACH"}, "b"),
        ({"search": "yoasobi"}, "d"),
        ({"search": "に"}, "d"),
        ({"search": "100%"}, "c"),
        ({"search": "[live]_"}, "c"),
        ({"search": "_"}, "c"),
        ({"search": "/"}, ""),
        ({"search": "e.mp3"}, "e"),
        ({"search": "\x00\ud800"}, ""),
        ({"search": "'; DROP TABLE"}, ""),
        ({"artist": "Björk"}, "ab"),
        ({"artist": "abbots"}, "cf"),
        ({"artist": "bjork"}, ""),
        ({"artist": "unknown artist"}, "e"),
        ({"artist": "\x00"}, ""),
        ({"genre": "Pop"}, "ab"),
        ({"genre": "art"}, "a"),
        ({"genre": "rock"}, "c"),
        ({"genre": "Rock / Pop"}, "f"),
        ({"genre": "%"}, ""),
        ({"year": 1997}, "ab"),
        ({"year": 10**30}, ""),
        ({"year": 1997, "genre": "art", "artist": "Björk", "search": "joga"}, "a"),
        ({"album": "not an id"}, ""),
        ({"album": cursor_of("x")}, ""),
    ],
)
def test_a_filter_chooses_what_it_names(browsing: Browsing, chosen: dict[str, Any], expected: str) -> None:
    wanted = TrackFilter(**chosen)
    found = every_item(lambda **page: browsing.tracks_page(wanted, TrackOrder.NEWEST, **page), size=1)
    assert "".join(sorted(names(found))) == expected
    assert browsing.totals(wanted).tracks == len(found)


def test_the_totals_add_up_the_known_lengths(browsing: Browsing) -> None:
    assert browsing.totals() == Totals(6, 61.5)
    assert browsing.totals(TrackFilter(artist="nobody")) == Totals(0, 0.0)


@pytest.mark.parametrize("size", [1, 2, 50])
def test_artists_are_listed_once_by_name_with_their_totals(browsing: Browsing, size: int) -> None:
    artists = every_item(browsing.artists, size=size)
    assert [(artist.name, artist.totals) for artist in artists] == [
        ("Abbots", Totals(2, 0.0)),
        ("BJÖRK feat. X", Totals(2, 61.5)),
        ("ＹＯＡＳＯＢＩ", Totals(1, 0.0)),
    ]
    for artist in artists:
        found = browsing.tracks_page(TrackFilter(artist=artist.name)).items
        assert len(found) == artist.totals.tracks
        assert artist.track_id in {track.track_id for track in found}


@pytest.mark.parametrize("size", [1, 2, 50])
def test_albums_are_listed_by_title_and_choose_their_tracks(browsing: Browsing, size: int) -> None:
    albums = every_item(browsing.albums, size=size)
    assert [(album.title, album.artist, album.year, album.totals.tracks) for album in albums] == [
        ("100% [Live]_", "The Abbots", 2020, 1),
        ("Homogenic", "BJÖRK feat. X", 1997, 2),
        ("The Book", "ＹＯＡＳＯＢＩ", 2021, 1),
    ]
    for album in albums:
        found = browsing.tracks_page(TrackFilter(album=album.album_id)).items
        assert {album_id_of(track) for track in found} == {album.album_id}
        assert len(found) == album.totals.tracks
        assert browsing.album(album.album_id) == album
    assert browsing.album("no album") is None
    assert browsing.album("") is None


def test_the_albums_of_an_artist_are_listed(browsing: Browsing) -> None:
    assert [album.title for album in browsing.albums(artist="björk").items] == ["Homogenic"]
    assert browsing.albums(artist="nobody") == Page([], None)


def test_an_album_of_several_artists_names_its_album_artist_or_nobody(database: Database, catalogue: Catalogue) -> None:
    for number in range(2):
        observe(catalogue, observed(f"s/{number}.mp3", artist=f"A{number}", album="Summer"))
        tags: dict[str, Any] = {"artist": f"A{number}", "album": "Winter", "album_artist": "" if number else "Them"}
        observe(catalogue, observed(f"w/{number}.mp3", **tags))
    albums = Browsing(database).albums().items
    assert ("Summer", "", 2) in [(album.title, album.artist, album.totals.tracks) for album in albums]
    assert ("Winter", "Them") in [(album.title, album.artist) for album in albums]


@pytest.mark.parametrize("size", [1, 2, 50])
def test_each_genre_is_listed_once_and_counts_every_track_that_has_it(browsing: Browsing, size: int) -> None:
    genres = every_item(browsing.genres, size=size)
    assert [(genre.name.lower(), genre.totals.tracks) for genre in genres] == [
        ("art", 1),
        ("j-pop", 1),
        ("pop", 2),
        ("rock", 1),
        ("rock / pop", 1),
    ]
    for genre in genres:
        assert browsing.totals(TrackFilter(genre=genre.name)) == genre.totals


@pytest.mark.parametrize("size", [1, 2, 50])
def test_the_last_year_is_listed_first(browsing: Browsing, size: int) -> None:
    assert every_item(browsing.years, size=size) == [
        ListedYear(2021, Totals(1, 0.0)),
        ListedYear(2020, Totals(1, 0.0)),
        ListedYear(1997, Totals(2, 61.5)),
    ]


def test_no_track_is_missed_or_repeated_when_others_come_and_go_between_pages(
    browsing: Browsing, catalogue: Catalogue
) -> None:
    first = browsing.tracks_page(size=2)
    observe(catalogue, observed("new.mp3", title="a new one"), gone=("f.mp3",))
    second = browsing.tracks_page(after=first.after, size=10)
    assert names(first.items) + names(second.items) == "fbeacd"


def test_tracks_with_equal_titles_are_all_listed_once(database: Database, catalogue: Catalogue) -> None:
    observe(catalogue, *(observed(f"{number}.mp3", title="Intro") for number in range(9)))
    for order in TrackOrder:
        found = every_item(lambda order=order, **page: Browsing(database).tracks_page(order=order, **page), size=2)
        assert len(set(found)) == len(found) == 9


def test_new_tags_and_a_new_name_change_what_is_found_and_not_when_it_was_added(
    browsing: Browsing, catalogue: Catalogue
) -> None:
    before = browsing.track(track_id("e.mp3"))
    observe(catalogue, observed("e.mp3", version=2, title="Army of Me", artist="Björk", genre="Rock"))
    after = browsing.track(track_id("e.mp3"))
    assert before is not None
    assert after is not None
    assert (before.added_at, after.title) == (after.added_at, "Army of Me")
    assert names(browsing.tracks_page(TrackFilter(search="army", artist="Björk", genre="rock")).items) == "e"
    assert browsing.tracks_page(TrackFilter(search="e.mp3")).items == []


def test_the_cursor_of_another_list_is_refused(browsing: Browsing) -> None:
    title = browsing.tracks_page(size=1).after
    albums = browsing.albums(size=1).after
    lists: list[Callable[[], object]] = [
        lambda: browsing.tracks_page(order=TrackOrder.ARTIST, after=title),
        lambda: browsing.tracks_page(order=TrackOrder.NEWEST, after=cursor_of("newest", "yesterday", "x")),
        lambda: browsing.tracks_page(after=""),
        lambda: browsing.albums(artist="Björk", after=albums),
        lambda: browsing.artists(after=albums),
        lambda: browsing.genres(after=albums),
        lambda: browsing.years(after=albums),
    ]
    for page in lists:
        with pytest.raises(NotACursor):
            page()


def test_a_page_of_a_large_library_is_found_by_an_index_and_not_sorted(sqlite_url: str) -> None:
    asked: list[tuple[str, Any]] = []
    with closing(open_database(sqlite_url)) as database:
        files = [observed(f"{number}.mp3", artist=f"{number % 9}", album="B", year=1990) for number in range(99)]
        observe(Catalogue(database), *files)
        with database.reading() as connection:
            engine = connection.engine

        @sa.event.listens_for(engine, "before_cursor_execute")
        def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if statement.startswith("SELECT"):
                asked.append((statement, parameters))

        browsing = Browsing(database)
        for order in TrackOrder:
            browsing.tracks_page(order=order, after=browsing.tracks_page(order=order, size=5).after)
        browsing.artists(after=browsing.artists(size=5).after)
        browsing.albums()
        browsing.years()
        with database.reading() as connection:
            plans = [
                [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
                for statement, parameters in asked.copy()
            ]
    assert len(plans) == 14
    assert [plan for plan in plans if len(plan) > 1 or "INDEX SOUNDTRACKS_" not in plan[0]] == []
