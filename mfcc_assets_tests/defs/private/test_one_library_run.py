"""One run over the library at a time, however runs are launched, while uploads are answered."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest

from mfcc_assets.definitions import defs
from mfcc_assets.defs.launch import dagster_environment, prepare_dagster_home
from mfcc_assets.defs.run_locks import only_run_over_library
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.services.dagster_services import dagster_services
from mfcc_assets_tests.services.processes import REPOSITORY

IN_THE_UI = """
mutation {
  launchRun(executionParams: {
    selector: {
      repositoryLocationName: "mfcc_assets.definitions", repositoryName: "__repository__", jobName: "features"
    }
    executionMetadata: { tags: [
      { key: "dagster/asset_partition_range_start", value: "0" }
      { key: "dagster/asset_partition_range_end", value: "f" }
    ] }
  }) { __typename ... on PythonError { message } }
}
"""
MATERIALIZE = ["dagster", "asset", "materialize", "-m", "mfcc_assets.definitions", "--select", "library_report"]
LAUNCH = ["dagster_dg_cli.cli", "launch", "--job", "library", "--partition-range", "0...f"]

STEPS = {dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_FAILURE}


@pytest.fixture
def dagster(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Open the Dagster of a library."""
    monkeypatch.setenv("DAGSTER_HOME", str(prepare_dagster_home(settings)))
    with dg.DagsterInstance.get() as instance:
        yield instance


def launched(settings: Settings, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start a command of Dagster that executes a run in its own process."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **dagster_environment(settings), "VIRTUAL_ENV": sys.prefix},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def library_runs(dagster: dg.DagsterInstance) -> list[dg.DagsterRun]:
    return [run for run in dagster.get_runs() if run.job_name != "uploads"]


def time_of_steps(dagster: dg.DagsterInstance, run: dg.DagsterRun) -> tuple[float, float]:
    """Return when the first step of a run began, and when its last step ended."""
    times = [entry.timestamp for entry in dagster.all_logs(run.run_id, of_type=STEPS)]
    return min(times), max(times)


def test_every_step_of_the_library_is_in_its_pool_and_no_step_of_an_upload_is() -> None:
    pools = {asset.op.name: asset.op.pool for asset in defs.assets or [] if isinstance(asset, dg.AssetsDefinition)}
    pools |= {check.op.name: check.op.pool for check in defs.asset_checks or []}

    assert pools == {name: None if "upload" in name else "library" for name in pools}


def test_runs_that_are_launched_in_three_ways_follow_each_other_while_an_upload_is_answered(
    ten_tracks: Library, ten_songs: list[Path], dagster: dg.DagsterInstance, tmp_path: Path
) -> None:
    settings, uploads = ten_tracks.settings, ten_tracks.settings.blobs / "uploads"
    uploads.mkdir(exist_ok=True)
    with dagster_services(settings, tmp_path) as services:
        with only_run_over_library(settings.dagster_home, "the run of the test"):
            materialize = launched(
                settings,
                "dagster",
                "asset",
                "materialize",
                "-m",
                "mfcc_assets.definitions",
                "--select",
                "library_report",
            )
            launch = launched(
                settings, "dagster_dg_cli.cli", "launch", "--job", "library", "--partition-range", "0...f"
            )
            services.wait_until(lambda: len(library_runs(dagster)) == 2)
            assert services.query(IN_THE_UI)["launchRun"] == {"__typename": "LaunchRunSuccess"}
            services.wait_until(lambda: len(library_runs(dagster)) == 3)

            shutil.copy(ten_songs[3], uploads / "a favourite.flac")
            services.wait_until(lambda: any(ten_tracks.documents.find(state="ranked")))
            assert [run.run_id for run in library_runs(dagster) if run.is_finished] == []
        services.wait_until(lambda: all(run.is_finished for run in dagster.get_runs()))
        outputs = [process.communicate()[0].decode() for process in (materialize, launch)]

    runs = library_runs(dagster)
    assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}, outputs
    assert all("This run waits until run the run of the test" in output for output in outputs)
    times = sorted(time_of_steps(dagster, run) for run in runs)
    assert len(times) == 3
    for (_, ended), (began, _) in pairwise(times):
        assert ended <= began


def test_a_waiting_run_can_be_terminated(library: Library, dagster: dg.DagsterInstance) -> None:
    with only_run_over_library(library.settings.dagster_home, "the run of the test"):
        process = launched(
            library.settings,
            "dagster",
            "asset",
            "materialize",
            "-m",
            "mfcc_assets.definitions",
            "--select",
            "library_report",
        )
        while not any(run.status == dg.DagsterRunStatus.STARTED for run in dagster.get_runs()):
            assert process.poll() is None
            time.sleep(0.1)
        process.terminate()
        process.communicate(timeout=20)

    (run,) = dagster.get_runs()
    assert run.status == dg.DagsterRunStatus.FAILURE
