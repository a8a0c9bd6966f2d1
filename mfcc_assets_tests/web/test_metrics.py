"""Tests of the figures for Prometheus."""

from prometheus_client.parser import text_string_to_metric_families

from mfcc_assets.library import Library
from mfcc_assets_tests.web.clients import client_of


def figures(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_requests_are_counted_by_their_routes_and_tell_no_track(ten_tracks: Library) -> None:
    pages = client_of(ten_tracks)
    track = ten_tracks.catalogue.soundtracks()[0].track_id
    for address in (f"/api/v1/tracks/{track}", "/api/v1/tracks/0123456789abcdef", "/made-up/1", "/made-up/2"):
        pages.get(address)
    pages.open("/healthz", method="MADEUP")

    response = pages.get("/metrics")

    counted = figures(response.text)["mfcc_requests_total"]
    assert counted["GET", "/api/v1/tracks/<track_id>", "200"] == 1
    assert counted["GET", "/api/v1/tracks/<track_id>", "404"] == 1
    assert counted["GET", "none", "404"] == 2
    assert [labels[0] for labels in counted if labels[0] not in ("GET",)] == ["other"]
    assert track not in response.text
    assert response.content_type.startswith("text/plain")


def test_the_index_its_quality_and_the_queue_are_told(ten_tracks: Library) -> None:
    ten_tracks.blobs.write("uploads", f"{'0f' * 16}/song.mp3", b"ID3")

    told = figures(client_of(ten_tracks).get("/metrics").text)

    version = ten_tracks.indexes.published_version()
    assert told["mfcc_index_info"] == {(version,): 1}
    assert told["mfcc_index_tracks"] == {(): 10}
    assert told["mfcc_uploads_waiting"]["waiting",] == 1
    assert told["mfcc_oldest_upload_age_seconds"][()] >= 0
    measured = {
        name: value for name, value in ten_tracks.indexes.read_quality(str(version)).items() if value is not None
    }
    assert {name: told["mfcc_quality"][name,] for name in measured} == measured


def test_a_library_without_an_index_still_tells_its_requests(library: Library) -> None:
    told = figures(client_of(library).get("/metrics").text)

    assert "mfcc_index_info" not in told
    assert told["mfcc_oldest_upload_age_seconds"] == {(): 0}


def test_apps_do_not_count_for_each_other(library: Library) -> None:
    one, other = client_of(library), client_of(library)
    one.get("/healthz")

    assert ("GET", "/healthz", "200") not in figures(other.get("/metrics").text).get("mfcc_requests_total", {})
