"""Tests of a track for programs."""

import json

from flask.testing import FlaskClient

from mfcc_assets.audio.tags import Tags
from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.explain import explain_pair
from mfcc_assets_tests.web.library.conftest import add_rows


def ids_of(library: Library) -> dict[str, str]:
    return {track.title: track.track_id for track in library.catalogue.soundtracks()}


def test_everything_that_is_known_of_a_track_is_told(ten_tracks: Library, programs: FlaskClient) -> None:
    track = ids_of(ten_tracks)["Song 3"]

    told = programs.get(f"/api/v1/tracks/{track}").get_json()

    assert (told["track_id"], told["title"], told["state"]) == (track, "Song 3", "analysed")
    assert told["seconds"] > 2
    for address in (told["page"], told["artwork"]):
        assert programs.get(address).status_code == 200
    assert programs.get(told["audio"], follow_redirects=True).data[:4] == b"fLaC"


def test_neighbours_are_those_of_the_page_the_recommendations_first(ten_tracks: Library, programs: FlaskClient) -> None:
    track = ids_of(ten_tracks)["Song 3"]

    told = programs.get(f"/api/v1/tracks/{track}/neighbours?count=9").get_json()

    recommended = [row.track_id for row in ten_tracks.recommendations.recommended(track)]  # type: ignore[arg-type]
    found = [item["track"]["track_id"] for item in told["items"]]
    assert found[:5] == recommended
    assert len(set(found)) == 9
    assert told["index_version"] == ten_tracks.indexes.published_version()
    page = programs.get(f"/tracks/{track}?count=9").text
    assert all(other in page for other in found)


def test_why_two_tracks_are_near_is_told_as_the_command_tells_it(ten_tracks: Library, programs: FlaskClient) -> None:
    ids = ids_of(ten_tracks)

    told = programs.get(f"/api/v1/tracks/{ids['Song 1']}/why/{ids['Song 2']}").get_json()

    tracks = ten_tracks.browsing.tracks([TrackId(ids["Song 1"]), TrackId(ids["Song 2"])])
    record = explain_pair(ten_tracks, ten_tracks.indexes.published(), *tracks).record()
    assert told == json.loads(json.dumps(record))


def test_a_track_that_is_not_in_the_index_yet_has_no_neighbours(ten_tracks: Library, programs: FlaskClient) -> None:
    [new] = add_rows(ten_tracks, ("new.mp3", Tags(title="New")))
    other = ids_of(ten_tracks)["Song 1"]

    for address in (f"/api/v1/tracks/{new}/neighbours", f"/api/v1/tracks/{other}/why/{new}"):
        response = programs.get(address)
        assert (response.status_code, response.content_type) == (409, "application/problem+json")
        assert "not in the index yet" in response.get_json()["detail"]
