"""Tests of the probes."""

import threading

import pytest

from mfcc_assets.errors import StoreError
from mfcc_assets.library import Library
from mfcc_assets.web.probes import StoreCheck
from mfcc_assets_tests.web.clients import client_of


def test_a_server_lives_without_its_stores(library: Library) -> None:
    pages = client_of(library)
    library.settings.folder.mkdir(exist_ok=True)
    (library.settings.folder / "tables.sqlite").write_bytes(b"garbage" * 1_000)

    assert pages.get("/healthz").text == "alive"


def test_a_server_is_ready_while_its_stores_can_be_read(ten_tracks: Library) -> None:
    response = client_of(ten_tracks).get("/readyz")

    assert (response.status_code, response.text) == (200, "ready")


def test_a_server_whose_database_is_damaged_is_not_ready_and_tells_no_details(library: Library) -> None:
    pages = client_of(library)
    (library.settings.folder / "tables.sqlite").write_bytes(b"garbage" * 1_000)

    response = pages.get("/readyz")

    assert (response.status_code, response.text) == (503, "not ready")


@pytest.mark.parametrize("kind", [StoreError("away")])
def test_the_stores_are_asked_again_after_a_while(kind: StoreError) -> None:
    now, asked = 0.0, 0

    def read() -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise kind

    check = StoreCheck(read, clock=lambda: now)

    assert [check.is_readable() for _ in range(3)] == [False] * 3
    now += 11
    assert [check.is_readable() for _ in range(3)] == [True] * 3
    assert asked == 2


def test_while_a_store_does_not_answer_probes_get_the_last_answer() -> None:
    asked, answer = threading.Event(), threading.Event()

    def read() -> None:
        asked.set()
        answer.wait(30)

    check = StoreCheck(read)
    first = threading.Thread(target=check.is_readable)
    first.start()
    asked.wait(30)

    assert check.is_readable() is False
    answer.set()
    first.join()
    assert check.is_readable() is True
