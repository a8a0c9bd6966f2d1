"""Tests of the addresses to which a listener sends a file."""

import io
import re
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.request import urlopen

import pytest
from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.services.web import running_web
from mfcc_assets_tests.web.clients import client_of
from mfcc_assets_tests.web.uploads.sending import answer_of, head_of_put, opened, put
from mfcc_assets_tests.web.uploads.server_memory import memory_of_servers
from mfcc_assets_tests.web.uploads.waiting import wait_for

LARGE = 300_000_000


def _stored(home: Path) -> list[Path]:
    return [path for path in (home / "blobs" / "uploads").rglob("*") if path.is_file() and path.name != "lock"]


def test_a_file_that_is_put_becomes_an_upload(ten_tracks: Library, pages: FlaskClient, song: bytes) -> None:
    response = pages.put("/uploads?name=a%20song.flac", data=song)

    upload = response.get_json()["id"]
    assert response.status_code == 201
    assert re.fullmatch("[0-9a-f]{32}", upload)
    assert response.get_json()["address"] == response.location == f"/uploads/{upload}"
    assert ten_tracks.blobs.read("uploads", f"{upload}/a song.flac") == song


def test_a_form_without_scripts_leads_to_the_page_of_the_upload(
    ten_tracks: Library, pages: FlaskClient, song: bytes
) -> None:
    response = pages.post("/uploads", data={"file": (io.BytesIO(song), "song.flac")})

    assert response.status_code == 303
    (blob,) = ten_tracks.blobs.list("uploads")
    assert response.location == f"/uploads/{blob.name.partition('/')[0]}"
    assert ten_tracks.blobs.read("uploads", blob.name) == song


def test_a_sample_is_one_click_away(ten_tracks: Library, pages: FlaskClient) -> None:
    response = pages.post("/uploads/sample", data={"name": "Will_Savino_Palace.ogg"})

    assert response.status_code == 303
    (blob,) = ten_tracks.blobs.list("uploads")
    assert blob.name.endswith("/Will_Savino_Palace.ogg")


@pytest.mark.parametrize("name", ["", "../../../settings.py", "ATTRIBUTION.md"])
def test_nothing_else_is_a_sample(ten_tracks: Library, pages: FlaskClient, name: str) -> None:
    assert pages.post("/uploads/sample", data={"name": name}).status_code == 404
    assert list(ten_tracks.blobs.list("uploads")) == []


def test_an_upload_of_another_site_is_refused(ten_tracks: Library, pages: FlaskClient, song: bytes) -> None:
    for method in (pages.put, pages.post):
        response = method("/uploads", data=song, headers={"Sec-Fetch-Site": "cross-site"})
        assert response.status_code == 403
    assert list(ten_tracks.blobs.list("uploads")) == []


def test_the_cookie_of_uploads_is_out_of_reach_of_scripts_and_other_sites(pages: FlaskClient, song: bytes) -> None:
    cookie = pages.put("/uploads?name=song.flac", data=song).headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_an_address_that_sends_too_many_is_told_when_to_come_again_without_its_cookie(
    library: Library, song: bytes
) -> None:
    settings = library.settings.model_copy(update={"web_uploads_per_hour": 2})
    for _ in range(2):
        pages = client_of(Library(settings))
    statuses = []
    for _ in range(3):
        pages.delete_cookie("mfcc")
        response = pages.put("/uploads?name=song.flac", data=song)
        statuses.append(response.status_code)
    assert statuses == [201, 201, 429]
    assert 0 < int(response.headers["Retry-After"]) <= 3600


def test_each_refusal_is_told_in_words(library: Library, song: bytes) -> None:
    settings = library.settings.model_copy(update={"web_upload_megabytes": 0.01})
    json = {"Accept": "application/json"}

    refused = client_of(Library(settings)).put("/uploads", data=song[:1] * 20_000, headers=json)
    assert (refused.status_code, refused.get_json()["detail"]) == (413, "This file has 0.02 MB. The limit is 0.01 MB.")
    page = client_of(library).put("/uploads", data=b"a text " * 900, headers={"Accept": "text/html"})
    assert "This file is no audio. It looks like this: text." in page.text


def test_the_server_takes_only_whole_files(tmp_path: Path, song: bytes) -> None:
    home = tmp_path / "home"
    settings = {"MFCC_WEB_UPLOAD_MEGABYTES": "2", "MFCC_WEB_FREE_GIGABYTES": "0"}
    with running_web(home, tmp_path / "log", settings) as address:
        cut = put(address, song[: len(song) // 2], length=len(song))
        assert (cut.status, cut.json()["detail"][:29]) == (400, "Only a part of the file has c")
        with opened(address) as connection:
            connection.sendall(head_of_put(None))
            assert answer_of(connection).status == 411
        with opened(address) as connection:
            connection.sendall(head_of_put(None, more="Transfer-Encoding: chunked\r\n") + b"4\r\nfLaC\r\n0\r\n\r\n")
            assert answer_of(connection).status == 411
        with opened(address) as connection:
            connection.sendall(head_of_put(2_000_001))  # and nothing of the body
            assert answer_of(connection).status == 413
        with opened(address) as connection:
            connection.sendall(head_of_put(1_900_000) + b"%PDF-1.4 " + bytes(5000))  # and nothing of the rest
            assert answer_of(connection).status == 415
        assert _stored(home) == []

        assert put(address, song).status == 201
        (stored,) = _stored(home)
        assert stored.read_bytes() == song


def test_a_sender_that_stalls_is_ended_and_nothing_is_stored(tmp_path: Path, song: bytes) -> None:
    with running_web(tmp_path / "home", tmp_path / "log", {"MFCC_WEB_IDLE_SECONDS": "1"}) as address:
        with opened(address) as connection:
            connection.sendall(head_of_put(len(song)) + song[:9000])
            assert answer_of(connection).status == 408
        assert _stored(tmp_path / "home") == []


def test_sixty_senders_that_stall_hold_neither_the_pages_nor_more_than_their_places(
    tmp_path: Path, song: bytes
) -> None:
    settings = {"MFCC_WEB_RECEIVING_UPLOADS": "8", "MFCC_WEB_UPLOADS_PER_HOUR": "1000"}
    with running_web(tmp_path / "home", tmp_path / "log", settings) as address, ExitStack() as open_:
        stalled = [open_.enter_context(opened(address, f"127.0.1.{number % 15}")) for number in range(1, 61)]
        for connection in stalled:
            connection.sendall(head_of_put(len(song)) + song[:9000])
        time.sleep(1)

        began = time.monotonic()
        with urlopen(f"{address}/alive", timeout=30) as response:
            assert response.read() == b"alive"
        assert time.monotonic() - began < 10
        refused = put(address, song)
        assert refused.status == 503
        assert "Retry-After: 5" in refused.headers


def test_one_sender_that_sends_slowly_holds_four_places_and_soon_none(tmp_path: Path, song: bytes) -> None:
    settings = {"MFCC_WEB_IDLE_SECONDS": "2", "MFCC_WEB_FREE_GIGABYTES": "0"}
    with running_web(tmp_path / "home", tmp_path / "log", settings) as address, ExitStack() as open_:
        slow = [open_.enter_context(opened(address, "127.0.0.2")) for _ in range(4)]
        for connection in slow:
            connection.sendall(head_of_put(len(song)) + song[:5000])
        time.sleep(1)
        with opened(address, "127.0.0.2") as fifth:
            fifth.sendall(head_of_put(len(song)))
            assert answer_of(fifth).status == 429
        assert put(address, song).status == 201

        for _ in range(6):
            for connection in slow:
                with suppress(OSError):
                    connection.sendall(bytes(600))
            time.sleep(0.5)
        assert [answer_of(connection).status for connection in slow] == [408] * 4


def test_a_full_disk_takes_no_uploads(tmp_path: Path, song: bytes) -> None:
    with running_web(tmp_path / "home", tmp_path / "log", {"MFCC_WEB_FREE_GIGABYTES": "1000000"}) as address:
        assert put(address, song).status == 507
    assert _stored(tmp_path / "home") == []


def test_a_large_upload_needs_no_memory_and_is_not_stored_if_it_is_cut(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = {"MFCC_WEB_FREE_GIGABYTES": "0", "MFCC_WEB_UPLOAD_MEGABYTES": "310"}
    head = b"RIFF\xff\xff\xff\x7fWAVEfmt " + bytes(1000)
    block = bytes(1 << 20)
    with running_web(home, tmp_path / "log", settings) as address:
        put(address, head)  # what is loaded for the first upload does not count
        before, most = _settled_memory(), 0
        with opened(address) as connection:
            connection.sendall(head_of_put(LARGE) + head)
            for sent in range(0, LARGE // 2, len(block)):
                connection.sendall(block)
                if sent % (16 << 20) == 0:
                    most = max(most, memory_of_servers())
        wait_for(lambda: len(_stored(home)) == 1)
        # The first one lies in the folder of uploads. Of the cut one there is nothing, in no container.
        wait_for(lambda: sum(path.stat().st_size for path in home.rglob("*") if path.is_file()) < 10 << 20)
        assert most - before < 64 << 20


def _settled_memory() -> int:
    """Return the memory after the server has loaded what it prepares in the background."""
    found = [memory_of_servers()]
    while len(found) < 6 or max(found[-6:]) - min(found[-6:]) > 1 << 20:
        time.sleep(0.5)
        found.append(memory_of_servers())
    return found[-1]


def test_the_settings_of_the_tests_are_those_of_the_pages() -> None:
    assert Settings().web_upload_bytes == LARGE
