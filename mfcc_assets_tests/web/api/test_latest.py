"""Tests of the interface for older callers."""

from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets_tests.upload_steps import answer_uploads
from mfcc_assets_tests.web.api.conftest import Headers, with_key
from mfcc_assets_tests.web.api.test_uploads import send
from mfcc_assets_tests.web.clients import client_of

LATEST = "/api/uploads/latest"


def test_each_caller_gets_its_own_last_upload_and_an_operator_the_last_of_all(
    ten_tracks: Library, programs: FlaskClient, listener: Headers, operator: Headers, song: bytes
) -> None:
    assert programs.get(LATEST).status_code == 404
    by_browser = send(programs, song)
    first, second = send(programs, song, listener), send(programs, song, listener)
    answer_uploads(ten_tracks, [by_browser, first, second])
    last = send(programs, song, with_key(ten_tracks))
    answer_uploads(ten_tracks, [last])

    assert programs.get(LATEST).get_json()["id"] == by_browser
    assert programs.get(LATEST, headers=listener).get_json()["id"] == second
    assert programs.get(LATEST, headers=operator).get_json()["id"] == last
    assert client_of(ten_tracks).get(LATEST).status_code == 404
    assert programs.get(LATEST, headers=with_key(ten_tracks)).status_code == 404


def test_an_upload_that_has_just_come_is_the_last_one_for_its_sender_and_for_an_operator(
    ten_tracks: Library, programs: FlaskClient, listener: Headers, operator: Headers, song: bytes
) -> None:
    answer_uploads(ten_tracks, [send(programs, song)])
    for headers in (None, listener):
        upload = send(programs, song, headers)
        for asking in (headers, operator):
            told = programs.get(LATEST, headers=asking).get_json()
            assert (told["id"], told["state"]) == (upload, "waiting")


def test_an_upload_that_waits_is_still_listed_after_the_server_was_started_again(
    ten_tracks: Library, programs: FlaskClient, listener: Headers, operator: Headers, song: bytes
) -> None:
    upload = send(programs, song, listener)
    started_again = client_of(ten_tracks)

    for headers in (listener, operator):
        assert started_again.get(LATEST, headers=headers).get_json()["id"] == upload
        (listed,) = started_again.get("/api/v1/uploads", headers=headers).get_json()["items"]
        assert (listed["upload_id"], listed["state"]) == (upload, "waiting")
    assert started_again.get("/api/v1/uploads", headers=with_key(ten_tracks)).get_json()["items"] == []


def test_a_recorded_answer_has_links_that_lead_to_the_files(
    ten_tracks: Library, programs: FlaskClient, song: bytes
) -> None:
    upload = send(programs, song)
    answer_uploads(ten_tracks, [upload])

    response = programs.get(f"/api/uploads/{upload}")

    told = response.get_json()
    assert (told["state"], len(told["recommendations"])) == ("ranked", 5)
    assert programs.get(told["recommendations"][0]["soundtrack"]).data[:4] == b"fLaC"
    assert response.headers["Link"] == f'</api/uploads/{upload}>; rel="canonical"'
    assert response.headers["Cache-Control"] == "no-store"
