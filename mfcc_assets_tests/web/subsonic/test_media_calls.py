"""Tests of the audio and the artwork for players."""

import io

import pytest
from PIL import Image

from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library
from mfcc_assets_tests.web.library.test_track_files import give_picture
from mfcc_assets_tests.web.subsonic.players import Player, content_of


@pytest.fixture
def song(ten_tracks: Library) -> TrackId:
    return next(track.track_id for track in ten_tracks.catalogue.soundtracks() if track.title == "Song 0")


@pytest.fixture
def audio(ten_tracks: Library) -> bytes:
    return ten_tracks.blobs.read("soundtracks", "song-0.flac")


def test_a_song_is_sent_as_it_is(player: Player, song: TrackId, audio: bytes) -> None:
    response = player.get("stream", id=song, maxBitRate=64, format="mp3", estimateContentLength="true")
    assert (response.status_code, response.content_type, response.data) == (200, "audio/flac", audio)
    assert response.headers["Accept-Ranges"] == "bytes"


def test_a_part_of_a_song_is_sent(player: Player, song: TrackId, audio: bytes) -> None:
    query = {"apiKey": player.key, "id": song}
    part = player.client.get("/rest/stream.view", query_string=query, headers={"Range": "bytes=100-199"})
    last = player.client.get("/rest/stream", query_string=query, headers={"Range": "bytes=-50"})
    behind = player.client.get("/rest/stream", query_string=query, headers={"Range": "bytes=999999999-"})
    assert (part.status_code, part.data) == (206, audio[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(audio)}"
    assert (last.status_code, last.data) == (206, audio[-50:])
    assert behind.status_code in (200, 416)


def test_a_player_may_ask_for_the_length_alone(player: Player, song: TrackId, audio: bytes) -> None:
    response = player.client.head("/rest/stream", query_string={"apiKey": player.key, "id": song})
    assert (response.status_code, response.data) == (200, b"")
    assert response.content_length == len(audio)


def test_a_song_is_sent_to_a_form_too(player: Player, song: TrackId, audio: bytes) -> None:
    assert player.client.post("/rest/stream.view", data={"apiKey": player.key, "id": song}).data == audio


def test_a_download_is_saved_under_its_name(player: Player, song: TrackId, audio: bytes) -> None:
    response = player.get("download", id=song)
    assert response.data == audio
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert "song-0.flac" in response.headers["Content-Disposition"]


def test_an_unchanged_song_is_not_sent_again(player: Player, song: TrackId) -> None:
    query = {"apiKey": player.key, "id": song}
    etag = player.client.head("/rest/stream", query_string=query).headers["ETag"]
    again = player.client.get("/rest/stream", query_string=query, headers={"If-None-Match": etag})
    assert again.status_code == 304


@pytest.mark.parametrize("method", ["stream", "download", "getCoverArt"])
def test_failures_are_answers_and_no_files(player: Player, method: str) -> None:
    assert player.code(method, id="none") == 70
    assert player.code(method) == 10
    assert content_of(player.client.get(f"/rest/{method}?f=json&id=1"))["error"]["code"] == 10


def test_a_song_whose_file_is_gone_is_told(player: Player, song: TrackId, ten_tracks: Library) -> None:
    ten_tracks.blobs.delete("soundtracks", "song-0.flac")
    assert player.code("stream", id=song) == 70


@pytest.mark.parametrize(
    ("size", "expected"), [("100", (100, 50)), (None, (1000, 500)), ("999999", (1000, 500)), ("0", (16, 8))]
)
def test_artwork_has_the_size_that_is_asked_for(
    player: Player, song: TrackId, ten_tracks: Library, size: str | None, expected: tuple[int, int]
) -> None:
    give_picture(ten_tracks, song, Image.new("RGB", (1000, 500), "red"))
    response = player.get("getCoverArt", id=song, **({"size": size} if size else {}))
    with Image.open(io.BytesIO(response.data)) as image:
        assert (image.format, image.size) == ("JPEG", expected)


def test_albums_and_artists_have_the_artwork_of_a_song_that_has_one(
    player: Player, song: TrackId, ten_tracks: Library
) -> None:
    give_picture(ten_tracks, song, Image.new("RGB", (300, 300), "red"))
    item = player.call("getSong", id=song)["song"]
    pictures = [player.get("getCoverArt", id=wanted, size=64) for wanted in (song, item["albumId"], item["artistId"])]
    assert [picture.content_type for picture in pictures] == ["image/jpeg"] * 3
    assert pictures[0].data == pictures[1].data == pictures[2].data


def test_a_song_without_a_picture_has_a_drawn_cover_that_every_player_can_show(player: Player, song: TrackId) -> None:
    response = player.get("getCoverArt", id=song, size=200)
    with Image.open(io.BytesIO(response.data)) as image:
        assert (image.format, image.size) == ("JPEG", (200, 200))
