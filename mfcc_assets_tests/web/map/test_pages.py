"""Tests of the page of the map and its data."""

import html
import json
import re
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets.pipeline.map_points import map_points
from mfcc_assets.web.heavy_work import HeavyWork
from mfcc_assets_tests.web.clients import client_of

RECEIVED = "2026-11-29T08:00:00+00:00"


def _shown(page: str, name: str) -> Any:
    found = re.search(rf'data-{name}="([^"]*)"', page)
    return json.loads(html.unescape(found[1])) if found else None


def _titles(pages: FlaskClient) -> list[str]:
    version = pages.get("/map/tracks").get_json()["version"]
    titles: list[str] = pages.get(f"/map/names/{version}/0").get_json()["titles"]
    return titles


def _track_ids(library: Library) -> dict[str, str]:
    return {track.title: track.track_id for track in library.catalogue.soundtracks()}


def test_the_page_says_what_nearness_means(pages: FlaskClient) -> None:
    page = pages.get("/map").text

    assert "Tracks that sound alike lie near each other; directions have no meaning." in page
    assert '<img src="/map/picture.png"' in page


def test_points_groups_and_names_have_the_same_order(ten_tracks: Library, pages: FlaskClient) -> None:
    points = np.frombuffer(pages.get("/map/points").data, "<u2").reshape(-1, 2)
    tracks = pages.get("/map/tracks").get_json()

    assert len(points) == tracks["count"] == len(tracks["groups"]["artist"]["codes"]) == 10
    index, by_title = ten_tracks.indexes.published(), {}
    for track in ten_tracks.catalogue.soundtracks():
        assert track.audio_id is not None
        by_title[track.title] = map_points(ten_tracks, index).points[index.tracks.rows([track.audio_id])[0]]
    for title, point in zip(_titles(pages), points, strict=True):
        assert point.tolist() == by_title[title].tolist()


@pytest.mark.parametrize("address", ["/map/points", "/map/tracks"])
def test_data_that_a_browser_has_is_not_sent_again(pages: FlaskClient, address: str) -> None:
    browser = {"Accept-Encoding": "gzip"}
    tag = pages.get(address, headers=browser).headers["ETag"]

    assert pages.get(address, headers={**browser, "If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("address", ["/map/names/other/0", "/map/names/{version}/1"])
def test_names_of_another_map_are_not_sent(pages: FlaskClient, address: str) -> None:
    version = pages.get("/map/tracks").get_json()["version"]

    assert pages.get(address.format(version=version)).status_code == 404


def test_a_track_is_shown_in_the_middle(ten_tracks: Library, pages: FlaskClient) -> None:
    track = _track_ids(ten_tracks)["Song 4"]

    assert _titles(pages)[_shown(pages.get(f"/map?track={track}").text, "centre")] == "Song 4"


def test_a_path_is_drawn_and_listed(ten_tracks: Library, pages: FlaskClient) -> None:
    tracks = _track_ids(ten_tracks)

    page = pages.get(f"/map?from={tracks['Song 1']}&to={tracks['Song 2']}").text

    path = _shown(page, "path")
    titles = _titles(pages)
    assert (titles[path[0]], titles[path[-1]]) == ("Song 1", "Song 2")
    listed = re.findall(r'<li><a href="/tracks/(\w+)">', page)
    assert [tracks[titles[row]] for row in path] == listed


def test_a_path_to_the_same_track_is_told_in_a_sentence(ten_tracks: Library, pages: FlaskClient) -> None:
    track = _track_ids(ten_tracks)["Song 1"]

    response = pages.get(f"/map?from={track}&to={track}")

    assert response.status_code == 200
    assert "No path leads" in response.text


def test_an_upload_appears_where_its_audio_lies(ten_tracks: Library, pages: FlaskClient) -> None:
    upload, track = "0f" * 16, ten_tracks.catalogue.soundtracks()[0]
    ten_tracks.documents.create(
        upload, {"state": "ranked", "received": RECEIVED, "audio_id": track.audio_id, "file_name": "a <b>.mp3"}
    )

    page = pages.get(f"/map?upload={upload}").text

    shown = _shown(page, "upload")
    points = np.frombuffer(pages.get("/map/points").data, "<u2").reshape(-1, 2)
    assert [shown["x"], shown["y"]] == points[_titles(pages).index(track.title)].tolist()
    assert shown["name"] == "a <b>.mp3"
    assert "a <b>.mp3" not in page


def test_an_upload_that_was_not_analysed_is_told_in_a_sentence(ten_tracks: Library, pages: FlaskClient) -> None:
    ten_tracks.documents.create("0e" * 16, {"state": "waiting", "received": RECEIVED, "file_name": "a.mp3"})

    assert "This upload is not on the map yet" in pages.get(f"/map?upload={'0e' * 16}").text


@pytest.mark.parametrize("query", ["track=nothing", "upload=nothing", f"upload={'0' * 32}", "from=nothing&to=nothing"])
def test_what_does_not_exist_is_not_shown(pages: FlaskClient, query: str) -> None:
    assert pages.get(f"/map?{query}").status_code == 404


def test_a_search_finds_the_rows_of_tracks(pages: FlaskClient) -> None:
    (found,) = pages.get("/map/search?search=song 7").get_json()["tracks"]

    assert _titles(pages)[found["row"]] == found["title"] == "Song 7"
    assert pages.get("/map/search").get_json() == {"tracks": []}


def test_the_map_is_a_picture_for_browsers_without_scripts(pages: FlaskClient) -> None:
    response = pages.get("/map/picture.png")

    assert response.content_type == "image/png"
    assert response.data.startswith(b"\x89PNG")


def test_a_library_without_an_index_has_no_map_yet(library: Library) -> None:
    response = client_of(library).get("/map")

    assert response.status_code == 200
    assert "There is no map yet" in response.text
    assert client_of(library).get("/map/points").status_code == 503


def test_a_path_on_the_map_is_asked_for_later_if_enough_of_them_are_made(
    ten_tracks: Library, pages: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracks, no_place = _track_ids(ten_tracks), HeavyWork(at_once=0, most_waiting=0).turn
    asked = f"/map?from={tracks['Song 1']}&to={tracks['Song 4']}"
    with monkeypatch.context() as busy:
        busy.setattr(HeavyWork, "turn", lambda _: no_place())
        refused = pages.get(asked)

    assert (refused.status_code, pages.get(asked).status_code) == (503, 200)
