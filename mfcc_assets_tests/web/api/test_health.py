"""Tests of the health for programs."""

from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets_tests.web.clients import client_of


def test_the_figures_of_the_page_are_told(ten_tracks: Library, programs: FlaskClient) -> None:
    told = programs.get("/api/v1/health").get_json()

    assert (told["tracks"], told["states"], told["rejects"]) == (10, {"analysed": 10}, 0)
    assert told["index_version"] == ten_tracks.indexes.published_version()
    assert 29 < told["seconds"] < 31
    assert sum(hub["lists"] for hub in told["hubs"]) <= 50


def test_an_empty_library_is_healthy(library: Library) -> None:
    told = client_of(library).get("/api/v1/health").get_json()
    assert (told["tracks"], told["index_version"]) == (0, None)
