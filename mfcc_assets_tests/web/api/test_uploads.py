"""Tests of uploads for programs."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets.web.uploads.room import room_of
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.upload_steps import answer_uploads
from mfcc_assets_tests.web.api.conftest import Headers, with_key
from mfcc_assets_tests.web.clients import client_of
from mfcc_assets_tests.web.uploads.waiting import wait_for


def send(programs: FlaskClient, song: bytes, headers: Headers | None = None, method: str = "PUT") -> Any:
    response = programs.open(
        "/api/v1/uploads?name=sent.flac", method=method, data=song, content_type="audio/flac", headers=headers
    )
    assert response.status_code == 201, response.text
    assert response.headers["Location"] == response.get_json()["address"]
    return response.get_json()["upload_id"]


def previewed(programs: FlaskClient, upload: Any) -> Any:
    wait_for(lambda: room_of(programs.application).previews.get(upload))
    return upload


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_file_is_taken_and_its_preview_and_its_recorded_answer_are_the_same(
    ten_tracks: Library, programs: FlaskClient, listener: Headers, song: bytes, method: str
) -> None:
    upload = previewed(programs, send(programs, song, listener, method))
    preview = programs.get(f"/api/v1/uploads/{upload}", headers=listener).get_json()
    assert (preview["shown"], preview["is_last"], preview["is_mine"]) == ("preview", False, True)

    answer_uploads(ten_tracks, [upload])

    recorded = programs.get(f"/api/v1/uploads/{upload}", headers=listener).get_json()
    assert (recorded["state"], recorded["shown"], recorded["is_last"]) == ("ranked", "recorded", True)
    assert [each["rank"] for each in recorded["recommendations"]] == [1, 2, 3, 4, 5]
    assert [each["track"] for each in recorded["recommendations"]] == [
        each["track"] for each in preview["recommendations"]
    ]
    first = recorded["recommendations"][0]["track"]["track_id"]
    why = programs.get(f"/api/v1/uploads/{upload}/why/{first}").get_json()
    assert (why["a"]["track_id"], why["b"]["track_id"]) == (upload, first)


@pytest.mark.parametrize("asked", ["", "/state"])
def test_an_upload_that_was_sent_before_the_server_was_started_again_gets_its_preview(
    ten_tracks: Library, programs: FlaskClient, listener: Headers, song: bytes, asked: str
) -> None:
    upload = previewed(programs, send(programs, song, listener))
    started_again = client_of(ten_tracks)

    first = started_again.get(f"/api/v1/uploads/{upload}{asked}", headers=listener).get_json()
    previewed(started_again, upload)
    then = started_again.get(f"/api/v1/uploads/{upload}{asked}", headers=listener).get_json()

    assert (first["state"], then["state"], then["shown"]) == ("waiting", "waiting", "preview")


def test_the_state_has_a_tag_that_changes_with_the_answer(
    ten_tracks: Library, programs: FlaskClient, song: bytes
) -> None:
    upload = previewed(programs, send(programs, song))
    first = programs.get(f"/api/v1/uploads/{upload}/state")
    tag = {"If-None-Match": first.headers["ETag"]}
    assert programs.get(f"/api/v1/uploads/{upload}/state", headers=tag).status_code == 304

    answer_uploads(ten_tracks, [upload])

    told = programs.get(f"/api/v1/uploads/{upload}/state", headers=tag)
    assert told.get_json() == {"upload_id": upload, "state": "ranked", "shown": "recorded", "is_last": True}


def test_news_come_as_events(ten_tracks: Library, programs: FlaskClient, song: bytes) -> None:
    upload = send(programs, song)
    answer_uploads(ten_tracks, [upload])

    response = programs.get(f"/api/v1/uploads/{upload}/events")

    assert response.content_type == "text/event-stream; charset=utf-8"
    assert '"state": "ranked"' in response.text


def test_only_the_key_that_sent_a_file_may_delete_it(
    ten_tracks: Library, programs: FlaskClient, listener: Headers, song: bytes
) -> None:
    upload = send(programs, song, listener)
    address = f"/api/v1/uploads/{upload}"
    other = with_key(ten_tracks)

    for headers in ({}, other):
        assert programs.delete(address, headers=headers).status_code == 403
        assert programs.get(address, headers=headers).get_json()["is_mine"] is False
    assert programs.delete(address, headers=listener).status_code == 204
    assert programs.get(address, headers=listener).status_code == 404
    assert list(ten_tracks.blobs.list("uploads")) == []


def test_a_file_that_a_browser_sent_belongs_to_the_browser(
    programs: FlaskClient, listener: Headers, song: bytes
) -> None:
    upload = send(programs, song)

    assert programs.delete(f"/api/v1/uploads/{upload}", headers=listener).status_code == 403
    assert programs.delete(f"/api/v1/uploads/{upload}").status_code == 204


def test_what_is_no_audio_or_has_too_long_a_name_is_refused(programs: FlaskClient, song: bytes) -> None:
    text = programs.put("/api/v1/uploads", data=b"some text " * 100)
    assert (text.status_code, text.content_type) == (415, "application/problem+json")
    assert "no audio" in text.get_json()["detail"]
    assert programs.put("/api/v1/uploads", data=b"").status_code in (411, 415)
    assert programs.put(f"/api/v1/uploads?name={'a' * 1001}", data=song).status_code == 422


def test_an_upload_that_cannot_be_used_says_why(programs: FlaskClient, tmp_path: Path) -> None:
    short = write_music(tmp_path / "short.flac", 0.2, seed=1).read_bytes()
    upload = previewed(programs, send(programs, short))

    told = programs.get(f"/api/v1/uploads/{upload}").get_json()

    assert told["shown"] == "failed"
    assert told["failure"]["code"] == "too_short"
    assert told["recommendations"] == []


def test_each_caller_lists_its_own_uploads_and_an_operator_those_of_all(
    ten_tracks: Library, programs: FlaskClient, listener: Headers, operator: Headers, song: bytes
) -> None:
    def listed(headers: Headers | None = None, **asked: object) -> tuple[list[str], str | None]:
        page = programs.get("/api/v1/uploads", headers=headers, query_string=asked).get_json()
        return [each["upload_id"] for each in page["items"]], page["after"]

    assert listed() == listed(listener) == ([], None)
    by_browser = send(programs, song)
    first, second = send(programs, song, listener), send(programs, song, listener)
    answer_uploads(ten_tracks, [first])

    assert listed() == ([by_browser], None)
    assert listed(listener)[0] == [second, first]
    assert set(listed(operator)[0]) == {by_browser, first, second}
    assert listed(with_key(ten_tracks)) == ([], None)
    (page, after), rest = listed(listener, limit=1), listed(listener, limit=1)
    assert listed(listener, limit=1, after=after)[0] == [first]
    assert page == rest[0] == [second]
    (told,) = programs.get("/api/v1/uploads?limit=1", headers=listener).get_json()["items"]
    assert (told["state"], told["is_mine"]) == ("waiting", True)
    assert programs.get("/api/v1/uploads?after=nothing", headers=listener).status_code == 404
