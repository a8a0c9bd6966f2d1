"""Tests of playlists from seeds, and of paths."""

import json
import re

from flask.testing import FlaskClient

from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library
from mfcc_assets_tests.web.clients import client_of


def _made(page: str) -> list[str]:
    part = page.partition('id="made"')[2]
    return re.findall(r'class="title" href="/tracks/(\w+)"', part)


def test_a_playlist_has_tracks_that_go_with_its_seeds(pages: FlaskClient, songs: list[TrackId]) -> None:
    page = pages.get(f"/playlist?seed={songs[0]}&seed={songs[1]}&count=4").text

    made = _made(page)
    assert len(made) == 4
    assert not {*songs[:2]} & {*made}
    assert "data-queue" in page


def test_the_order_changes_no_track(pages: FlaskClient, songs: list[TrackId]) -> None:
    made = {
        order: _made(pages.get(f"/playlist?seed={songs[0]}&count=5&order={order}").text)
        for order in ("flowing", "shuffled", "title")
    }

    assert len({frozenset(ids) for ids in made.values()}) == 1
    assert made["title"] == [song for song in songs if song in made["title"]]


def test_a_search_finds_a_track_to_add(pages: FlaskClient, songs: list[TrackId]) -> None:
    page = pages.get(f"/playlist?seed={songs[0]}&search=song+3&count=4").text

    assert f"/playlist?seed={songs[0]}&amp;seed={songs[3]}&amp;count=4&amp;order=flowing" in page


def test_more_seeds_than_tracks_are_told_in_plain_words(pages: FlaskClient, songs: list[TrackId]) -> None:
    page = pages.get(f"/playlist?seed={songs[0]}&seed={songs[1]}&count=1").text

    assert "more seeds than tracks" in page


def test_a_path_begins_and_ends_as_asked(pages: FlaskClient, songs: list[TrackId]) -> None:
    made = _made(pages.get(f"/path?from={songs[0]}&to={songs[5]}&steps=4").text)

    assert (made[0], made[-1], len(made)) == (songs[0], songs[5], 4)


def test_a_path_from_a_track_to_itself_is_told_in_plain_words(pages: FlaskClient, songs: list[TrackId]) -> None:
    page = pages.get(f"/path?from={songs[0]}&to={songs[0]}")

    assert page.status_code == 200
    assert "the same recording" in page.text


def test_a_path_asks_for_the_end_that_is_missing(pages: FlaskClient, songs: list[TrackId]) -> None:
    assert f"/path?from={songs[0]}&amp;steps=8&amp;to={songs[3]}" in pages.get(
        f"/path?from={songs[0]}&search=song+3"
    ).text  # fmt: skip
    assert "Where does it begin?" in pages.get("/path").text


def test_playlists_are_exported_with_addresses_of_this_site(pages: FlaskClient, songs: list[TrackId]) -> None:
    query = f"seed={songs[0]}&count=3"
    shown = _made(pages.get(f"/playlist?{query}").text)

    m3u8, xspf, jspf = (pages.get(f"/playlist.{suffix}?{query}") for suffix in ("m3u8", "xspf", "jspf"))
    assert re.findall(r"^http://localhost/tracks/(\w+)/audio$", m3u8.text, re.MULTILINE) == shown
    assert re.findall(r"<identifier>urn:mfcc:(\w+)<", xspf.text) == shown
    assert [track["title"] for track in json.loads(jspf.text)["playlist"]["track"]] != []
    assert m3u8.headers["Content-Disposition"] == 'attachment; filename="playlist.m3u8"'
    assert pages.get(f"/path.xspf?from={songs[0]}&to={songs[1]}").status_code == 200
    assert pages.get("/playlist.m3u8").status_code == 404


def test_a_library_without_an_index_says_so(hostile: tuple[FlaskClient, list[TrackId]]) -> None:
    pages, (first, second) = hostile
    for path in (f"/playlist?seed={first}", f"/path?from={first}&to={second}"):
        page = pages.get(path)
        assert page.status_code == 200
        assert "being prepared" in page.text
        assert "<script>alert" not in page.text


def test_unknown_seeds_and_numbers_fail_nothing(library: Library) -> None:
    pages = client_of(library)
    for path in ("/playlist?seed=none&count=x", "/path?from=%00&to=none&steps=-5", "/playlist?search=%00"):
        assert pages.get(path).status_code == 200
