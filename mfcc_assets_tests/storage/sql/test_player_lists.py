"""The contract of `PlayerLists`, over every database."""

from typing import Any

import pytest

from mfcc_assets.storage.sql.catalogue import Catalogue
from mfcc_assets.storage.sql.database import Database
from mfcc_assets.storage.sql.player_ids import NOBODY, artist_id_of, artist_id_of_name, player_album_id_of
from mfcc_assets.storage.sql.player_lists import AlbumOrder, PlayerLists, SongFilter
from mfcc_assets.storage.sql.records import PlayerAlbum, PlayerGenre, Soundtrack
from mfcc_assets_tests.storage.sql.table_rows import analyse, observe, observed

SONGS: dict[str, dict[str, Any]] = {
    "a.mp3": {"title": "Jóga", "artist": "Björk", "album": "Homogenic", "year": 1997, "genre": "Pop, Art"},
    "b.mp3": {"title": "Bachelorette", "artist": "Björk feat. X", "album": "Homogenic", "year": 1998, "genre": "pop"},
    "c.mp3": {"title": "Zephyr", "artist": "The Abbots", "album": "100% [Live]_", "year": 2020, "genre": "Rock"},
    "d.mp3": {"title": "Duet", "artist": "Abbots & Cy", "album": "Both", "album_artist": "Abbots", "year": 1990},
    "e.mp3": {"title": "Loose", "artist": "Unknown Artist", "album": ""},
    "f.mp3": {"title": "Single", "artist": "Abbots", "album": "", "genre": "Rock"},
    "m/1.mp3": {"title": "First", "artist": "Dee", "album": "Mix", "track_number": 2, "year": 2001},
    "m/2.mp3": {"title": "Second", "artist": "Eve", "album": "Mix", "track_number": 1, "year": 2001},
    "g.mp3": {"title": "Ghost", "artist": "Dee", "album": "Named", "album_artist": "Only Here"},
}


def names(tracks: list[Soundtrack]) -> str:
    return " ".join(track.blob_name.removesuffix(".mp3") for track in tracks)


def titles(albums: list[PlayerAlbum]) -> list[str]:
    return [album.title for album in albums]


@pytest.fixture
def lists(database: Database, catalogue: Catalogue) -> PlayerLists:
    for name, tags in SONGS.items():
        observe(catalogue, observed(name, **tags))
    analyse(catalogue, observed("a.mp3"), "audio a")
    return PlayerLists(database)


def test_an_empty_library_has_empty_lists(database: Database) -> None:
    lists = PlayerLists(database)
    assert (lists.artists(), lists.albums(), lists.songs(), lists.genres(), lists.random_albums(3)) == (
        [],
        [],
        [],
        [],
        [],
    )
    assert lists.random_songs(size=3) == []
    assert lists.last_change() is None


def test_every_song_has_an_artist_and_an_album_that_can_be_opened(lists: PlayerLists) -> None:
    for song in lists.songs():
        assert song in lists.songs_of_album(player_album_id_of(song))
        assert song in lists.songs_of_artist(artist_id_of(song))
        assert player_album_id_of(song) in [album.album_id for album in lists.albums_of_artist(artist_id_of(song))]


def test_artists_are_listed_by_name_without_guests(lists: PlayerLists) -> None:
    found = lists.artists()
    assert [artist.name for artist in found] == ["", "Abbots", "Abbots & Cy", "Björk", "Dee", "Eve"]
    assert found[0].artist_id == NOBODY
    assert {artist.name: (artist.totals.tracks, artist.albums) for artist in found}["Abbots"] == (2, 2)
    assert all(lists.artist(artist.artist_id) == artist for artist in found)
    assert lists.artists(skip=1, size=2) == found[1:3]


@pytest.mark.parametrize(
    ("search", "expected"),
    [("bjork", ["Björk"]), ("the abbots", ["Abbots", "Abbots & Cy"]), ("abbots & cy", ["Abbots & Cy"]), ("%", [])],
)
def test_artists_are_found_by_the_words_of_their_names(lists: PlayerLists, search: str, expected: list[str]) -> None:
    assert [artist.name for artist in lists.artists(search)] == expected


def test_an_artist_who_is_named_on_albums_only_can_be_opened(lists: PlayerLists) -> None:
    only = artist_id_of_name("only here")
    artist = lists.artist(only)
    assert artist is not None
    assert (artist.name, artist.totals.tracks, artist.albums) == ("Only Here", 1, 1)
    assert titles(lists.albums_of_artist(only)) == ["Named"]
    assert names(lists.songs_of_artist(only)) == "g"


def test_an_artist_has_the_albums_with_own_songs_and_under_the_own_name(lists: PlayerLists) -> None:
    assert titles(lists.albums_of_artist(artist_id_of_name("Abbots"))) == ["100% [Live]_", "Both", ""]
    assert titles(lists.albums_of_artist(artist_id_of_name("Dee"))) == ["Mix", "Named"]
    assert titles(lists.albums_of_artist(NOBODY)) == [""]


@pytest.mark.parametrize("written", ["", "?", "nobody", "AAAA", "9" * 5000])
def test_unknown_ids_lead_to_nothing(lists: PlayerLists, written: str) -> None:
    assert lists.artist(written) is None
    assert lists.album(written) is None
    assert [*lists.albums_of_artist(written), *lists.songs_of_album(written), *lists.songs_of_artist(written)] == []


def test_an_album_has_its_artist_only_if_it_is_one(lists: PlayerLists) -> None:
    found = {(album.title, album.artist, album.artist_id) for album in lists.albums()}
    assert ("Homogenic", "Björk", artist_id_of_name("Björk")) in found
    assert ("Both", "Abbots", artist_id_of_name("Abbots")) in found
    assert ("Mix", "", "") in found
    assert ("", "", NOBODY) in found


def test_an_album_counts_all_its_songs(lists: PlayerLists) -> None:
    (album,) = lists.albums(SongFilter(genre="art"))
    assert (album.title, album.totals.tracks, album.totals.seconds, album.year) == ("Homogenic", 2, 61.5, 1998)
    assert album.added_at.tzinfo is not None
    assert lists.album(album.album_id) == album


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (AlbumOrder.TITLE, ["100% [Live]_", "Both", "Homogenic", "Mix", "Named", "", ""]),
        (AlbumOrder.ARTIST, ["100% [Live]_", "", "Both", "Homogenic", "Mix", "Named", ""]),
        (AlbumOrder.NEWEST, ["Named", "Mix", "", "", "Both", "100% [Live]_", "Homogenic"]),
    ],
)
def test_albums_are_sorted_and_parts_make_the_whole_list(
    lists: PlayerLists, order: AlbumOrder, expected: list[str]
) -> None:
    assert titles(lists.albums(order=order)) == expected
    parts = [lists.albums(order=order, skip=skip, size=3) for skip in (0, 3, 6, 9)]
    assert titles([album for part in parts for album in part]) == expected


@pytest.mark.parametrize(
    ("chosen", "order", "expected"),
    [
        (SongFilter(first_year=1990, last_year=1998), AlbumOrder.YEAR, ["Both", "Homogenic"]),
        (SongFilter(first_year=1990, last_year=1998), AlbumOrder.LAST_YEAR, ["Homogenic", "Both"]),
        (SongFilter(genre="ROCK"), AlbumOrder.TITLE, ["100% [Live]_", ""]),
        (SongFilter(search="homogenic"), AlbumOrder.TITLE, ["Homogenic"]),
        (SongFilter(search="bjork homo"), AlbumOrder.TITLE, ["Homogenic"]),
        (SongFilter(search="joga"), AlbumOrder.TITLE, []),
        (SongFilter(search="[live]_"), AlbumOrder.TITLE, ["100% [Live]_"]),
    ],
)
def test_albums_are_chosen(lists: PlayerLists, chosen: SongFilter, order: AlbumOrder, expected: list[str]) -> None:
    assert titles(lists.albums(chosen, order)) == expected


def test_the_songs_of_an_album_are_in_their_order(lists: PlayerLists) -> None:
    (album,) = lists.albums(SongFilter(search="mix"))
    assert names(lists.songs_of_album(album.album_id)) == "m/2 m/1"


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (SongFilter(), "b d m/1 g a e m/2 f c"),
        (SongFilter(search="bjork"), "b a"),
        (SongFilter(genre="pop"), "b a"),
        (SongFilter(genre="rock", first_year=2000), "c"),
        (SongFilter(last_year=1997), "d a"),
    ],
)
def test_songs_are_chosen_and_sorted_by_title(lists: PlayerLists, chosen: SongFilter, expected: str) -> None:
    assert names(lists.songs(chosen)) == expected
    parts = [lists.songs(chosen, skip=skip, size=2) for skip in range(0, 10, 2)]
    assert names([song for part in parts for song in part]) == expected


def test_random_songs_and_albums_are_different_ones_of_the_library(lists: PlayerLists) -> None:
    songs = lists.random_songs(size=5)
    assert len({song.track_id for song in songs}) == 5
    assert sorted(song.track_id for song in lists.random_songs(size=500)) == sorted(s.track_id for s in lists.songs())
    assert names(lists.random_songs(SongFilter(genre="art"), size=3)) == "a"
    assert len({album.album_id for album in lists.random_albums(3)}) == 3
    assert {album.album_id for album in lists.random_albums(50)} == {album.album_id for album in lists.albums()}


def test_genres_count_their_songs_and_albums(lists: PlayerLists) -> None:
    assert lists.genres() == [PlayerGenre("Art", 1, 1), PlayerGenre("Pop", 2, 1), PlayerGenre("Rock", 2, 2)]


def test_the_last_change_is_when_a_file_was_read(lists: PlayerLists) -> None:
    change = lists.last_change()
    assert change is not None
    assert change.tzinfo is not None


def test_an_album_has_the_release_that_its_songs_agree_on(database: Database, catalogue: Catalogue) -> None:
    one, two = "0b5a1d6e-2f4c-4a7b-9c3d-8e1f2a3b4c5d", "1c6b2e7f-3a5d-4b8c-8d4e-9f2a3b4c5d6e"
    for album, releases in {"Agreed": (one, one, ""), "Two": (one, two), "Untold": ("", "")}.items():
        for number, release in enumerate(releases):
            observe(catalogue, observed(f"{album}/{number}.mp3", artist="A", album=album, release_mbid=release))

    found = PlayerLists(database).albums()

    assert {album.title: album.release_mbid for album in found} == {"Agreed": one, "Two": "", "Untold": ""}
