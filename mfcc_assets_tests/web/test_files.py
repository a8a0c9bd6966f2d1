"""Tests of the files behind signed links."""

from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from mfcc_assets.library import Library

SONG = "song-0.flac"


@pytest.fixture
def link(ten_tracks: Library) -> str:
    return ten_tracks.blobs.link("soundtracks", SONG, seconds=60)


def test_a_link_plays_the_file_with_the_type_of_its_content(ten_tracks: Library, pages: FlaskClient, link: str) -> None:
    response = pages.get(link)

    assert response.data == ten_tracks.blobs.read("soundtracks", SONG)
    assert response.content_type == "audio/flac"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=5-", slice(5, None)),
        ("bytes=-7", slice(-7, None)),
    ],
)
def test_a_part_of_a_file_is_sent(ten_tracks: Library, pages: FlaskClient, link: str, wanted: str, part: slice) -> None:
    response = pages.get(link, headers={"Range": wanted})

    assert response.status_code == 206
    assert response.data == ten_tracks.blobs.read("soundtracks", SONG)[part]


@pytest.mark.parametrize(
    "wanted", ["bytes=0-1,5-6", "bytes=-99999999", "lines=1-2", "bytes=", "bytes", "bytes=a-b", f"bytes=-{'9' * 5000}"]
)
def test_ranges_that_are_not_served_give_the_whole_file(pages: FlaskClient, link: str, wanted: str) -> None:
    assert pages.get(link, headers={"Range": wanted}).status_code == 200


def test_a_range_behind_the_end_is_refused(pages: FlaskClient, link: str) -> None:
    assert pages.get(link, headers={"Range": "bytes=99999999-"}).status_code == 416


def test_an_unchanged_file_is_not_sent_again(pages: FlaskClient, link: str) -> None:
    tag = pages.get(link).headers["ETag"]

    assert pages.get(link, headers={"If-None-Match": tag}).status_code == 304


def test_a_link_that_was_changed_or_has_ended_is_refused(pages: FlaskClient, link: str) -> None:
    path, query = urlsplit(link).path, urlsplit(link).query

    assert pages.get(link[:-1] + ("0" if link[-1] != "0" else "1")).status_code == 403
    assert pages.get(f"{path.replace('song-0', 'song-1')}?{query}").status_code == 403
    assert pages.get(path).status_code == 403


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", b"<script>alert(1)</script>"),
        ("song.mp3", b"<html><script>alert(1)</script>"),
        ("a.svg", b"<svg/>"),
    ],
)
def test_a_file_that_is_no_audio_is_never_shown_as_a_page(
    ten_tracks: Library, pages: FlaskClient, name: str, content: bytes
) -> None:
    ten_tracks.blobs.write("uploads", name, content)

    response = pages.get(ten_tracks.blobs.link("uploads", name, seconds=60))

    assert response.content_type == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_drawn_cover_is_sent_as_the_picture_that_it_is(ten_tracks: Library, pages: FlaskClient) -> None:
    name = ten_tracks.catalogue.soundtracks()[0].artwork

    response = pages.get(ten_tracks.blobs.link("artworks", name, seconds=60))

    assert name.endswith(".svg")
    assert response.content_type.partition(";")[0] == "image/svg+xml"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("harm", [b"<script>alert(1)</script>", b'<a href="//evil.example">', b"<!DOCTYPE svg>", b"<"])
def test_an_svg_that_has_more_than_a_drawn_cover_is_never_shown(
    ten_tracks: Library, pages: FlaskClient, harm: bytes
) -> None:
    drawn = ten_tracks.blobs.read("artworks", ten_tracks.catalogue.soundtracks()[0].artwork)
    ten_tracks.blobs.write("artworks", "a.svg", drawn.replace(b"</svg>", harm + b"</svg>"))

    response = pages.get(ten_tracks.blobs.link("artworks", "a.svg", seconds=60))

    assert response.content_type == "application/octet-stream"


def test_a_name_in_any_script_is_sent_as_http_demands(ten_tracks: Library, pages: FlaskClient) -> None:
    ten_tracks.blobs.write("uploads", "音楽 “live”.mp3", b"x")

    response = pages.get(ten_tracks.blobs.link("uploads", "音楽 “live”.mp3", seconds=60))

    response.headers["Content-Disposition"].encode("ascii")


def test_a_browser_asks_whether_an_upload_is_still_there_before_it_plays_what_it_has_kept(
    ten_tracks: Library, pages: FlaskClient, link: str
) -> None:
    ten_tracks.blobs.write("uploads", "song.flac", b"x")

    kept = pages.get(ten_tracks.blobs.link("uploads", "song.flac", seconds=60)).headers
    assert (kept["Cache-Control"], "ETag" in kept) == ("private, no-cache", True)
    assert "max-age" in pages.get(link).headers["Cache-Control"]
