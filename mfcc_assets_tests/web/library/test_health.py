"""Tests of the health of the library."""

from unittest.mock import Mock

import pytest
from flask.testing import FlaskClient

from mfcc_assets.audio.tags import Tags
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.storage.sql.records import Reject
from mfcc_assets_tests.web.clients import client_of
from mfcc_assets_tests.web.library.conftest import add_rows


def test_the_health_of_a_library_is_shown(pages: FlaskClient) -> None:
    page = pages.get("/health").text

    for heading in ("Quality over time", "Files that cannot be used", "The same audio", "Hubs", "Orphans"):
        assert heading in page
    assert "polyline" in page


def test_rejected_files_are_listed_with_reasons_but_never_those_of_listeners(library: Library) -> None:
    (track,) = add_rows(library, ("<b>.mp3", Tags(title="T")))
    library.catalogue.record_reject(Reject(track, "soundtracks", "<b>.mp3", "silent", "it is silent"), run_id="run")
    upload = Reject(UploadId("f" * 32), "uploads", "private diary.mp3", "silent", "it is silent")
    library.catalogue.record_reject(upload, run_id="run")

    page = client_of(library).get("/health").text

    assert "&lt;b&gt;.mp3" in page
    assert "it is silent" in page
    assert "private diary" not in page


def test_the_tables_are_read_once_for_many_listeners(
    ten_tracks: Library, pages: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Mock(wraps=ten_tracks.catalogue.soundtracks)
    monkeypatch.setattr(ten_tracks.catalogue, "soundtracks", read)

    assert [pages.get("/health").status_code for _ in range(3)] == [200] * 3
    assert read.call_count == 1


def test_an_empty_library_says_so(library: Library) -> None:
    response = client_of(library).get("/health")

    assert response.status_code == 200
    assert "The library is empty" in response.text
    assert "being prepared" in response.text
