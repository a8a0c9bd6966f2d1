"""Tests of the log of the server."""

import logging
import sys

import pytest
from gunicorn.config import Config

from mfcc_assets.web.security.logs import LogWithoutSecrets, without_secrets

KEY = f"mfcc_{'0' * 16}_{'a-_B' * 10}abc"


@pytest.mark.parametrize(
    "line",
    [
        f"Error handling request GET /rest/ping?apiKey={KEY}",
        f"Invalid HTTP request line: 'GET /rest/ping?u=anna b&p={KEY} HTTP/1.1'",
        f"Invalid HTTP Header: 'AUTHORIZATION: BEARER {KEY}'",
        f'127.0.0.1 "GET /rest/stream?id=1&t={KEY}&s=1 HTTP/1.1" 200',
        f"a line\nGET /rest/ping?p={KEY}\nlast",
    ],
)
def test_no_line_has_a_key(line: str) -> None:
    assert KEY not in without_secrets(line)
    assert without_secrets(line).count("\n") == line.count("\n")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/shared/Ab_-9/tracks/0f/audio", "/shared/…/tracks/0f/audio"),
        (f"/uploads/{'0f' * 16}/answer", "/uploads/…/answer"),
        (f"/api/v1/uploads/{'0f' * 16}", "/api/v1/uploads/…"),
    ],
)
def test_no_line_has_an_address_that_shows_an_upload(address: str, shown: str) -> None:
    line = "Error handling request GET {}\nnext line"
    assert without_secrets(line.format(address)) == line.format(shown)


@pytest.mark.parametrize("line", ["Worker exited. Why?", "Is it? Yes", "GET /library", "PUT /uploads"])
def test_other_lines_stay(line: str) -> None:
    assert without_secrets(line) == line


def test_gunicorns_logs_of_errors_and_of_requests_have_no_keys(capsys: pytest.CaptureFixture[str]) -> None:
    config = Config()
    config.set("accesslog", "-")
    log = LogWithoutSecrets(config)
    log.setup(config)
    try:
        log.error("Error handling request %s", f"/rest/ping?apiKey={KEY}")
        log.access_log.info("GET /rest/ping?apiKey=%s", KEY)
        try:
            int(f"/rest/ping?apiKey={KEY}")
        except ValueError:
            log.exception("failed")
    finally:
        for logger in (log.error_log, log.access_log):
            logger.handlers.clear()
            logger.setLevel(logging.NOTSET)
        sys.stdout.flush()
    told = "".join(capsys.readouterr())
    assert told.count("/rest/ping?…") >= 3
    assert KEY not in told
