"""Tests of the way from artists to albums and songs."""

import pytest

from mfcc_assets.library import Library
from mfcc_assets_tests.web.subsonic.players import Player, xml_of


def test_a_player_goes_from_a_letter_to_a_song(shelves: Player) -> None:
    letters = {each["name"]: each["artist"] for each in shelves.call("getArtists")["artists"]["index"]}
    assert [artist["name"] for artist in letters["B"]] == ["Bo"]
    assert [artist["name"] for artist in letters["C"]] == ["The Cats"]

    artist = shelves.call("getArtist", id=letters["Z"][0]["id"])["artist"]
    assert (artist["name"], artist["albumCount"]) == ("Zoë", 1)
    (listed,) = artist["album"]
    album = shelves.call("getAlbum", id=listed["id"])["album"]
    assert [song["title"] for song in album.pop("song")] == ["One", "Two"]
    assert album == listed
    assert (album["songCount"], album["year"], album["artistId"]) == (2, 1999, artist["id"])


def test_songs_on_no_album_are_an_album_of_their_artist(shelves: Player) -> None:
    artists = shelves.call("search3", query="bo")["searchResult3"]["artist"]
    albums = shelves.call("getArtist", id=artists[0]["id"])["artist"]["album"]
    assert [album["name"] for album in albums] == ["Mix", "[Unknown Album]"]
    (song,) = shelves.call("getAlbum", id=albums[1]["id"])["album"]["song"]
    assert song["title"] == "loose"


def test_a_library_without_tags_can_be_browsed(player: Player) -> None:
    (letter,) = player.call("getArtists")["artists"]["index"]
    (artist,) = letter["artist"]
    assert (letter["name"], artist["name"]) == ("#", "[Unknown Artist]")
    (album,) = player.call("getArtist", id=artist["id"])["artist"]["album"]
    assert len(player.call("getAlbum", id=album["id"])["album"]["song"]) == 10


def test_folders_lead_the_same_way(shelves: Player) -> None:
    (folder,) = shelves.call("getMusicFolders")["musicFolders"]["musicFolder"]
    artists = shelves.call("getMusicDirectory", id=folder["id"])["directory"]["child"]
    indexed = [artist["id"] for letter in shelves.call("getIndexes")["indexes"]["index"] for artist in letter["artist"]]
    assert sorted(artist["id"] for artist in artists) == sorted(indexed)
    for artist in artists:
        directory = shelves.call("getMusicDirectory", id=artist["id"])["directory"]
        assert directory["parent"] == "1"
        for album in directory["child"]:
            inner = shelves.call("getMusicDirectory", id=album["id"])["directory"]
            assert [song["isDir"] for song in inner["child"]].count(True) == 0
            assert inner["child"]


def test_genres_count_songs_and_albums(shelves: Player) -> None:
    genres = {genre["value"]: genre for genre in shelves.call("getGenres")["genres"]["genre"]}
    assert (genres["Jazz"]["songCount"], genres["Jazz"]["albumCount"], genres["Pop"]["songCount"]) == (2, 1, 1)
    assert "Jazz" in [genre.text for genre in xml_of(shelves.get("getGenres")).iter("genre")]


@pytest.mark.parametrize("method", ["getArtist", "getAlbum", "getMusicDirectory"])
@pytest.mark.parametrize("wanted", ["none", "al-", "ar-", "ar-none", "al-none", "2", "a" * 3000, "al-\x00"])
def test_unknown_ids_are_told(shelves: Player, method: str, wanted: str) -> None:
    assert shelves.code(method, id=wanted) == 70


def test_an_empty_library_has_empty_lists(library: Library) -> None:
    empty = Player(library)
    assert empty.call("getArtists")["artists"]["index"] == []
    assert empty.call("getIndexes")["indexes"]["lastModified"] == 0
    assert empty.call("getGenres")["genres"]["genre"] == []
    assert empty.call("getAlbumList2", type="newest")["albumList2"]["album"] == []
    assert empty.call("search3", query="")["searchResult3"] == {"artist": [], "album": [], "song": []}
