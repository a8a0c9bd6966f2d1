"""Tests of songs, albums and artists as the protocol describes them."""

from mfcc_assets.audio.tags import Tags
from mfcc_assets.library import Library
from mfcc_assets.storage.sql.records import PlayerArtist, Soundtrack, Totals
from mfcc_assets.web.subsonic.items import letter_of, song_item
from mfcc_assets_tests.web.library.conftest import add_rows
from mfcc_assets_tests.web.subsonic.players import Player


def track(name: str, **fields: object) -> Soundtrack:
    plain = {"title": "", "artist": "", "album": "", "genre": "", "artwork": "", "audio_id": None, "note": ""}
    known = {"track_id": "0f", "bytes": 480_000, "content_digest": "", "analysed_digest": None, "seconds": None}
    return Soundtrack(blob_name=name, **{**plain, **known, **fields})  # type: ignore[arg-type]


def test_a_song_without_tags_is_named_by_its_file() -> None:
    item = song_item(track("a/ocean.mp3"))
    assert (item["title"], item["artist"], item["album"]) == ("ocean", "[Unknown Artist]", "[Unknown Album]")
    assert (item["suffix"], item["contentType"]) == ("mp3", "audio/mpeg")
    assert "duration" not in item
    assert "year" not in item


def test_a_song_has_its_length_and_bit_rate() -> None:
    item = song_item(track("a.flac", seconds=29.6))
    assert (item["duration"], item["bitRate"], item["size"]) == (30, 130, 480_000)


def test_a_song_has_each_of_its_artists_and_genres() -> None:
    item = song_item(track("a.ogg", artist="Zoë feat. Bo", artists=("Zoë feat. Bo", "Cy"), genre="Pop; Jazz"))
    assert [artist["name"] for artist in item["artists"]] == ["Zoë", "Cy"]
    assert item["artists"][0]["id"] == item["artistId"]
    assert [genre["name"] for genre in item["genres"]] == ["Pop", "Jazz"]
    assert item["displayArtist"] == "Zoë feat. Bo"


def test_a_song_has_the_id_of_musicbrainz_that_its_tags_name() -> None:
    recording = "0b5a1d6e-2f4c-4a7b-9c3d-8e1f2a3b4c5d"
    assert song_item(track("a.ogg", recording_mbid=recording))["musicBrainzId"] == recording
    assert "musicBrainzId" not in song_item(track("a.ogg"))


def test_an_album_has_the_id_of_its_release(library: Library) -> None:
    release = "1c6b2e7f-3a5d-4b8c-8d4e-9f2a3b4c5d6e"
    add_rows(library, ("a/1.mp3", Tags(title="One", artist="Zoë", album="Air", release_mbid=release)))
    (album,) = Player(library).call("getAlbumList2", type="newest")["albumList2"]["album"]
    assert album["musicBrainzId"] == release


def test_a_file_without_a_known_suffix_has_a_plain_type() -> None:
    assert song_item(track("a"))["contentType"] == "application/octet-stream"
    assert "suffix" not in song_item(track("a"))


def test_ids_lead_to_what_they_name(shelves: Player) -> None:
    for song in shelves.call("search3", query="")["searchResult3"]["song"]:
        album = shelves.call("getAlbum", id=song["albumId"])["album"]
        assert song in album["song"]
        for artist in (*song["artists"], *song["albumArtists"], {"id": song["artistId"]}):
            assert shelves.call("getArtist", id=artist["id"])["status"] == "ok"


def test_artists_are_under_a_letter_or_a_sign() -> None:
    def letter(artist_id: str) -> str:
        return letter_of(PlayerArtist(artist_id, "", Totals(1, 0.0), 1, "0f"))  # type: ignore[arg-type]

    assert (letter("YmVhdGxlcw"), letter("0"), letter("MTAw")) == ("B", "#", "#")
