"""Tests of what a listener sees when a request fails."""

import pytest
from flask.testing import FlaskClient

from mfcc_assets.errors import (
    CorruptIndex,
    DocumentNotFound,
    LostTables,
    MfccError,
    NoPublishedIndex,
    StoreError,
    TooShort,
)
from mfcc_assets.library import Library
from mfcc_assets.web.app import create_app


def _failing(library: Library, error: Exception) -> FlaskClient:
    app = create_app(library)

    @app.get("/failing")
    def fail() -> str:
        raise error

    return app.test_client()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DocumentNotFound("there is no such upload", subject="abc"), 404),
        (TooShort("only 0.30 s could be decoded", subject="a.mp3", remedy="Supply a longer file"), 422),
        (NoPublishedIndex("there is no index"), 503),
        (StoreError("it cannot be read", subject="/home/owner/library"), 503),
        (MfccError("something else"), 500),
        (RuntimeError("/secret/path"), 500),
    ],
)
def test_each_error_has_its_status_and_tells_no_path(library: Library, error: Exception, status: int) -> None:
    response = _failing(library, error).get("/failing")

    assert response.status_code == status
    assert "/home/owner" not in response.text
    assert "/secret" not in response.text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NoPublishedIndex("none"), "adds music with `mfcc add`"),
        (LostTables("lost", subject="/home/owner/tables"), "`mfcc sync`"),
        (CorruptIndex("bad", subject="/home/owner/index"), "index is damaged"),
        (StoreError("/home/owner cannot be read"), "does not answer"),
    ],
)
def test_programs_are_told_what_the_owner_of_the_library_can_do(library: Library, error: Exception, said: str) -> None:
    problem = _failing(library, error).get("/failing", headers={"Accept": "application/json"})

    assert problem.status_code == 503
    assert said in problem.get_json()["detail"]
    assert "/home/owner" not in problem.text


def test_an_error_of_the_file_says_what_the_listener_can_do(library: Library) -> None:
    page = _failing(library, TooShort("it has 0.30 s", subject="a.mp3", remedy="Supply a longer file")).get("/failing")

    assert "It has 0.30 s. Supply a longer file." in page.text


def test_programs_are_told_in_json(pages: FlaskClient) -> None:
    response = pages.get("/nothing", headers={"Accept": "application/json"})

    assert response.get_json() == {"type": "about:blank", "status": 404, "title": "Not Found", "detail": ""}


def test_a_missing_page_is_told_with_a_page(pages: FlaskClient) -> None:
    response = pages.get("/nothing")

    assert response.status_code == 404
    assert "There is nothing here" in response.text


def test_who_is_told_to_wait_is_told_how_long(library: Library) -> None:
    assert _failing(library, NoPublishedIndex("none")).get("/failing").headers["Retry-After"] == "5"


def test_a_page_in_another_language_shows_no_english_sentence(library: Library) -> None:
    pages = _failing(library, TooShort("it has 0.30 s", subject="a.mp3", remedy="Supply a longer file"))

    page = pages.get("/failing", headers={"Accept-Language": "zh"})
    assert page.status_code == 422
    assert "Supply a longer file" not in page.text


def test_the_log_has_one_line_for_a_failure_and_no_secret_of_its_address(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(library)

    @app.get("/failing/<upload:upload>/<token>/<name>")
    def fail(upload: str, token: str, name: str) -> str:
        raise StoreError("it cannot be read", subject=f"{len(upload + token + name)}\r\nb")

    upload = "0a" * 16
    app.test_client().get(f"/failing/{upload}/secret/a%0D%0A%1B%5B2Jb")

    (message,) = [record.getMessage() for record in caplog.records if "failed" in record.getMessage()]
    assert message.isprintable()
    assert "/failing/<upload>/<token>/a" in message
    assert "secret" not in message
    assert upload not in message
