"""Tests of the audio and the artwork of a track."""

import io

import pytest
from flask.testing import FlaskClient
from PIL import Image

from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library

OF_A_BROWSER = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
"""What Chromium accepts as a picture."""


def test_the_audio_is_a_signed_link_that_stays_the_same_for_a_while(
    ten_tracks: Library, pages: FlaskClient, songs: list[TrackId]
) -> None:
    first, second = (pages.get(f"/tracks/{songs[0]}/audio") for _ in range(2))

    assert first.status_code == 302
    assert first.location == second.location
    assert pages.get(first.location).data == ten_tracks.blobs.read("soundtracks", "song-0.flac")


def test_a_track_without_a_picture_has_a_drawn_cover(pages: FlaskClient, songs: list[TrackId]) -> None:
    headers = {"Accept": OF_A_BROWSER}
    one, again, other = (
        pages.get(f"/tracks/{song}/artwork?size=64", headers=headers) for song in (songs[0], songs[0], songs[1])
    )

    assert one.content_type.startswith("image/svg+xml")
    assert one.data == again.data != other.data
    assert one.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("accept", ["image/webp,*/*", "image/jpeg", "*/*", ""])
def test_a_program_that_does_not_name_the_svg_gets_a_drawn_cover_of_pixels(
    pages: FlaskClient, songs: list[TrackId], accept: str
) -> None:
    responses = [pages.get(f"/tracks/{songs[0]}/artwork?size={size}", headers={"Accept": accept}) for size in (64, 256)]

    for response, size in zip(responses, (64, 256), strict=True):
        with Image.open(io.BytesIO(response.data)) as image:
            assert (image.format, image.size) == ("JPEG", (size, size))
    of_a_browser = pages.get(f"/tracks/{songs[0]}/artwork?size=64", headers={"Accept": OF_A_BROWSER})
    assert len({response.headers["ETag"] for response in (*responses, of_a_browser)}) == 3
    assert "Accept" in of_a_browser.headers["Vary"]


def test_an_unchanged_artwork_is_not_sent_again(pages: FlaskClient, songs: list[TrackId]) -> None:
    first = pages.get(f"/tracks/{songs[0]}/artwork?size=128")
    again = pages.get(f"/tracks/{songs[0]}/artwork?size=128", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")
    assert "private" in first.headers["Cache-Control"]


@pytest.mark.parametrize(("accept", "kind"), [("image/webp,*/*", "WEBP"), ("image/jpeg", "JPEG")])
def test_a_picture_is_encoded_anew_in_the_size(
    ten_tracks: Library, pages: FlaskClient, songs: list[TrackId], accept: str, kind: str
) -> None:
    track = ten_tracks.browsing.track(songs[0])
    assert track is not None
    give_picture(ten_tracks, songs[0], Image.new("RGB", (1000, 500), "red"))

    response = pages.get(f"/tracks/{songs[0]}/artwork?size=64", headers={"Accept": accept})

    with Image.open(io.BytesIO(response.data)) as image:
        assert (image.format, image.size) == (kind, (64, 32))
    assert "Accept" in response.headers["Vary"]


@pytest.mark.parametrize("size", ["0", "63", "100000", "-64"])
def test_other_sizes_are_refused(pages: FlaskClient, songs: list[TrackId], size: str) -> None:
    assert pages.get(f"/tracks/{songs[0]}/artwork?size={size}").status_code == 404


def test_unknown_tracks_have_neither(pages: FlaskClient) -> None:
    assert pages.get("/tracks/none/audio").status_code == 404
    assert pages.get("/tracks/none/artwork").status_code == 404


def give_picture(library: Library, track_id: TrackId, image: Image.Image) -> None:
    import sqlalchemy as sa

    from mfcc_assets.storage.sql.schema import SOUNDTRACKS

    written = io.BytesIO()
    image.save(written, "PNG")
    library.blobs.write("artworks", f"{track_id}.png", written.getvalue())
    with library.database.writing() as connection:
        chosen = sa.update(SOUNDTRACKS).where(SOUNDTRACKS.c.TRACK_ID.in_([track_id]))
        connection.execute(chosen.values(ARTWORK=f"{track_id}.png"))
