"""An end-to-end test: the real webserver and daemon process files that are copied into containers."""

import shutil
from pathlib import Path

import pytest

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets_tests.services.dagster_services import dagster_services

DEFINED = """
{
  sensorsOrError(repositorySelector: {
    repositoryName: "__repository__", repositoryLocationName: "mfcc_assets.definitions"
  }) { ... on Sensors { results { name sensorState { status } } } }
  assetNodes { assetKey { path } dependencyKeys { path } assetChecksOrError { ... on AssetChecks { checks { name } } } }
}
"""
RUNS = "{ runsOrError { ... on Runs { results { jobName status } } } }"


def test_files_that_are_copied_into_containers_are_answered_without_any_command(
    library: Library, ten_songs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MFCC_FIRST_INDEX_TRACKS", "5")  # so the library is loaded in two stages, each a run
    soundtracks, uploads = library.settings.blobs / "soundtracks", library.settings.blobs / "uploads"
    soundtracks.mkdir(parents=True)
    uploads.mkdir()
    for song in ten_songs:
        shutil.copy(song, soundtracks)

    with dagster_services(library.settings, tmp_path) as dagster:
        dagster.wait_until(
            lambda: len(library.catalogue.soundtracks()) == 10 and library.catalogue.progress() == (10, 10)
        )
        shutil.copy(ten_songs[3], uploads / "somebody's favourite.flac")
        dagster.wait_until(lambda: any(library.documents.find(state="ranked")))
        defined = dagster.query(DEFINED)
        dagster.wait_until(lambda: {run["status"] for run in _runs(dagster.query(RUNS))} == {"SUCCESS"})
        runs = _runs(dagster.query(RUNS))

    answer = library.documents.latest()
    assert answer is not None
    assert answer.body["recognised"]["title"] == "Song 3"
    recommended = library.recommendations.recommended(UploadId(answer.id))
    assert len(recommended) == 5
    assert "Song 3" not in {track.title for track in recommended}
    assert sorted(run["jobName"] for run in runs) == ["library", "library", "uploads"]

    assert [len(library.indexes.read(one.version).tracks) for one in library.indexes.history()] == [5, 10]

    sensors = {sensor["name"]: sensor["sensorState"]["status"] for sensor in defined["sensorsOrError"]["results"]}
    of_uploads = ("arrivals_sensor", "uploads_sensor")
    running = (*of_uploads, "late_answers_sensor", "orphaned_runs_sensor", "soundtracks_sensor")
    assert sensors == {**dict.fromkeys(running, "RUNNING"), "library_conditions": "STOPPED"}
    nodes = {node["assetKey"]["path"][0]: node for node in defined["assetNodes"]}
    assert {key["path"][0] for key in nodes["upload_candidates"]["dependencyKeys"]} == {
        "upload_cepstra",
        "upload_metadata",
        "published_index",
    }
    checks = nodes["prefilter_index"]["assetChecksOrError"]["checks"]
    assert {check["name"] for check in checks} == {"index_is_complete", "features_are_of_one_version"}


def _runs(answer: dict) -> list[dict]:
    return answer["runsOrError"]["results"]
