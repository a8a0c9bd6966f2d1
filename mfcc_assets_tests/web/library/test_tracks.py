"""Tests of the page of a track, of its neighbours, and of its radio."""

import html
import json
import re
from pathlib import Path

from flask.testing import FlaskClient

from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library
from mfcc_assets_tests.web.clients import client_of


def _tracks(page: str) -> list[dict[str, str]]:
    return [json.loads(html.unescape(found)) for found in re.findall(r"<li class=\"track\" data-track='(.*?)'", page)]


def test_a_track_has_as_many_neighbours_as_wanted(pages: FlaskClient, songs: list[TrackId]) -> None:
    page = pages.get(f"/tracks/{songs[0]}?count=3").text
    three = [track["id"] for track in _tracks(page)]
    every = [track["id"] for track in _tracks(pages.get(f"/tracks/{songs[0]}?count=9").text)]

    assert three == every[:3]
    assert sorted(every) == sorted(songs[1:])
    assert f"/tracks/{songs[0]}?count=6#neighbours" in page


def test_the_page_has_what_the_player_needs(pages: FlaskClient, songs: list[TrackId]) -> None:
    page = pages.get(f"/tracks/{songs[0]}").text

    found = re.search(r"<article[^>]*data-track='(.*?)'", page)
    assert found is not None
    track = json.loads(html.unescape(found[1]))
    assert track["title"] == "Song 0"
    assert track["audio"] == f"/tracks/{songs[0]}/audio"
    assert f'data-radio="/tracks/{songs[0]}/radio?strictness=focused"' in page
    assert f'href="/map?track={songs[0]}"' in page
    assert f'href="/playlist?seed={songs[0]}"' in page


def test_each_neighbour_says_why_it_is_near(pages: FlaskClient, songs: list[TrackId]) -> None:
    page = pages.get(f"/tracks/{songs[0]}?count=1").text
    why = re.search(r'href="(/tracks/\w+/why/\w+)"', page)
    assert why is not None

    explained = pages.get(why[1])
    assert explained.status_code == 200
    assert "COE_13" in explained.text or "COE_10" in explained.text
    picture = pages.get(f"{why[1]}/path.png")
    assert picture.data.startswith(b"\x89PNG")
    assert pages.get(f"{why[1]}/path.png", headers={"If-None-Match": picture.headers["ETag"]}).status_code == 304


def test_stretches_play_both_tracks_in_turn(pages: FlaskClient, songs: list[TrackId]) -> None:
    for other in songs[1:]:
        page = pages.get(f"/tracks/{songs[0]}/why/{other}").text
        for found in re.findall(r"data-stretches='(.*?)'", page):
            first, second = json.loads(html.unescape(found))
            assert (first["audio"], second["audio"]) == (f"/tracks/{songs[0]}/audio", f"/tracks/{other}/audio")
            assert 0 <= first["from"] < first["to"] <= 3.1


def test_the_radio_goes_on_without_a_repetition(pages: FlaskClient, songs: list[TrackId]) -> None:
    heard: list[str] = []
    address = f"/tracks/{songs[0]}/radio?strictness=adventurous"
    while True:
        answer = json.loads(pages.get(address).data)
        if not answer["tracks"]:
            break
        heard += [track["id"] for track in answer["tracks"]]
        address = answer["next"]

    assert sorted(heard) == sorted(songs[1:])


def test_a_library_without_an_index_shows_its_tracks_and_says_what_is_missing(
    hostile: tuple[FlaskClient, list[TrackId]],
) -> None:
    pages, (first, second) = hostile

    page = pages.get(f"/tracks/{first}")
    assert page.status_code == 200
    assert "being prepared" in page.text
    assert "<script>alert" not in page.text
    assert pages.get(f"/tracks/{first}/why/{second}").status_code == 404
    assert pages.get(f"/tracks/{first}/why/{second}/path.png").status_code == 503
    assert pages.get(f"/tracks/{first}/radio").status_code == 503
    assert "\u202e" not in pages.get(f"/tracks/{second}").text


def test_a_track_that_is_not_in_the_index_yet_says_so(ten_tracks: Library, songs: list[TrackId]) -> None:
    from mfcc_assets.audio.tags import Tags
    from mfcc_assets_tests.web.library.conftest import add_rows

    (new,) = add_rows(ten_tracks, ("new.mp3", Tags(title="New")))
    pages = client_of(ten_tracks)

    assert "not compared with the others yet" in pages.get(f"/tracks/{new}").text
    assert pages.get(f"/tracks/{new}/why/{songs[0]}").status_code == 404
    assert "not compared" in pages.get(f"/path?from={new}&to={songs[0]}").text
    assert "not compared" in pages.get(f"/playlist?seed={new}").text


def test_unknown_tracks_are_told(pages: FlaskClient, songs: list[TrackId]) -> None:
    for path in ("/tracks/none", f"/tracks/{songs[0]}/why/none", "/tracks/none/radio", "/tracks/" + "a" * 3000):
        response = pages.get(path)
        assert response.status_code == 404
        assert "no such track" in response.text


def test_pages_write_nothing_beside_an_index_that_is_ready(
    ten_tracks: Library, pages: FlaskClient, songs: list[TrackId]
) -> None:
    def files() -> dict[Path, float]:
        return {path: path.stat().st_mtime for path in ten_tracks.settings.blobs.rglob("*") if path.is_file()}

    paths = (f"/tracks/{songs[0]}", f"/tracks/{songs[0]}/why/{songs[1]}", f"/playlist?seed={songs[2]}", "/health")
    for path in paths:
        assert pages.get(path).status_code == 200
    before = files()
    for path in paths:
        assert pages.get(path).status_code == 200
    assert files() == before
