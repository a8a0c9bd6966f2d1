"""Tests of paths and playlists for programs."""

from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets_tests.web.api.test_tracks import ids_of


def test_a_path_has_both_ends_and_the_distance_of_each_step(ten_tracks: Library, programs: FlaskClient) -> None:
    ids = ids_of(ten_tracks)
    ends = {"from": ids["Song 1"], "to": ids["Song 8"]}

    items = programs.get("/api/v1/path", query_string={**ends, "steps": 5}).get_json()["items"]

    found = [item["track"]["track_id"] for item in items]
    assert (found[0], found[-1], len(set(found))) == (ends["from"], ends["to"], 5)
    assert [item["distance"] is None for item in items] == [True, False, False, False, False]


def test_a_playlist_has_tracks_that_are_none_of_its_seeds(ten_tracks: Library, programs: FlaskClient) -> None:
    ids = ids_of(ten_tracks)
    seeds = [ids["Song 1"], ids["Song 2"]]

    items = programs.get("/api/v1/playlist", query_string={"seed": seeds, "count": 4}).get_json()["items"]

    found = {item["track"]["track_id"] for item in items}
    assert len(found) == 4
    assert not found & set(seeds)


def test_what_is_impossible_is_a_conflict_and_what_is_unknown_is_not_found(
    ten_tracks: Library, programs: FlaskClient
) -> None:
    ids = ids_of(ten_tracks)
    one, other, unknown = ids["Song 1"], ids["Song 2"], "0f" * 8

    asked = {
        f"/api/v1/path?from={one}&to={one}": 409,
        f"/api/v1/path?from={one}&to={unknown}": 404,
        f"/api/v1/path?from={one}": 422,
        f"/api/v1/path?from={one}&to={other}&steps=1": 422,
        f"/api/v1/playlist?seed={one}&seed={other}&count=1": 409,
        f"/api/v1/playlist?seed={one}&seed={unknown}": 404,
        "/api/v1/playlist": 422,
    }

    assert {address: programs.get(address).status_code for address in asked} == asked
