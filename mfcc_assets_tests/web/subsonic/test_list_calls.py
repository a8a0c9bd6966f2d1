"""Tests of the lists and searches of players."""

import pytest

from mfcc_assets_tests.web.subsonic.players import Player


def album_names(player: Player, **parameters: object) -> list[str]:
    albums = player.call("getAlbumList2", **parameters)["albumList2"]["album"]
    folders = player.call("getAlbumList", **parameters)["albumList"]["album"]
    if parameters["type"] != "random":
        assert [folder["id"] for folder in folders] == [album["id"] for album in albums]
    return [album["name"] for album in albums]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ({"type": "alphabeticalByName"}, ['"&<>', "Air", "Mix", "[Unknown Album]"]),
        ({"type": "byGenre", "genre": "jazz"}, ["Air"]),
        ({"type": "byGenre", "genre": ""}, []),
        ({"type": "byYear", "fromYear": 1990, "toYear": 2010}, ["Air", "Mix"]),
        ({"type": "byYear", "fromYear": 2010, "toYear": 1990}, ["Mix", "Air"]),
        ({"type": "starred"}, []),
        ({"type": "highest"}, []),
        ({"type": "frequent"}, []),
        ({"type": "recent"}, []),
    ],
)
def test_albums_are_listed(shelves: Player, kind: dict[str, object], expected: list[str]) -> None:
    assert album_names(shelves, **kind) == expected


@pytest.mark.parametrize("kind", ["newest", "alphabeticalByArtist", "random"])
def test_other_orders_have_every_album(shelves: Player, kind: str) -> None:
    assert sorted(album_names(shelves, type=kind)) == ['"&<>', "Air", "Mix", "[Unknown Album]"]
    assert len(album_names(shelves, type=kind, size=1)) == 1


def test_a_list_is_turned_by_its_offset(shelves: Player) -> None:
    parts = [album_names(shelves, type="alphabeticalByName", size=3, offset=offset) for offset in (0, 3, 6)]
    assert parts == [['"&<>', "Air", "Mix"], ["[Unknown Album]"], []]


def test_an_unknown_list_is_told(shelves: Player) -> None:
    assert shelves.code("getAlbumList2", type="bySize") == 0


def test_random_songs_keep_to_what_is_asked(shelves: Player) -> None:
    def titles(**parameters: object) -> set[str]:
        return {song["title"] for song in shelves.call("getRandomSongs", **parameters)["randomSongs"]["song"]}

    assert titles(genre="jazz") == {"One", "Two"}
    assert titles(fromYear=2000, toYear=2010) == {"Three", "Four"}
    assert len(titles(size=3)) == 3


def test_songs_of_a_genre_are_listed(shelves: Player) -> None:
    songs = shelves.call("getSongsByGenre", genre="Jazz", count=1, offset=1)["songsByGenre"]["song"]
    assert [song["title"] for song in songs] == ["Two"]
    assert shelves.call("getSongsByGenre", genre=" ")["songsByGenre"]["song"] == []


@pytest.mark.parametrize("query", ["", '""', "*", " "])
def test_an_empty_search_finds_everything_part_by_part(shelves: Player, query: str) -> None:
    def titles(**parameters: int) -> list[str]:
        return [song["title"] for song in shelves.call("search3", query=query, **parameters)["searchResult3"]["song"]]

    whole = titles(songCount=500)
    assert len(whole) == 6
    assert [title for offset in range(0, 8, 2) for title in titles(songCount=2, songOffset=offset)] == whole


def test_a_search_finds_artists_albums_and_songs(shelves: Player) -> None:
    found = shelves.call("search3", query="zoe")["searchResult3"]
    assert [artist["name"] for artist in found["artist"]] == ["Zoë"]
    assert [album["name"] for album in found["album"]] == ["Air"]
    assert [song["title"] for song in found["song"]] == ["One", "Two"]
    assert shelves.call("search3", query="tw*")["searchResult3"]["song"][0]["title"] == "Two"


def test_the_former_search_finds_the_same_as_folders(shelves: Player) -> None:
    found, former = (shelves.call(f"search{number}", query="air")[f"searchResult{number}"] for number in (3, 2))
    assert [album["id"] for album in found["album"]] == [album["id"] for album in former["album"]]
    assert former["album"][0]["isDir"] is True
    assert former["song"] == found["song"]
    assert shelves.code("search", any="air") == 0


@pytest.mark.parametrize("query", ["%", "a" * 5000, "\x00", "' OR 1=1 --", "\ud83d"])
def test_unusual_searches_fail_nothing(shelves: Player, query: str) -> None:
    written = query.encode("utf-8", "replace").decode()
    assert shelves.call("search3", query=written)["status"] == "ok"
