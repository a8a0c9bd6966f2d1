"""A step of Dagster whose heavy work a job of Databricks does.

The client of Dagster Pipes is the real one, and so are Spark, the script of the wheel, and the messages through blobs.
The workspace is a double that runs the task as a process.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from mfcc_assets.compute import databricks as engine
from mfcc_assets.compute.chosen import compute_of
from mfcc_assets.compute.context import Context, settings_of_work
from mfcc_assets.compute.databricks import WORK_FOLDER
from mfcc_assets.compute.port import Work
from mfcc_assets.compute.work_blobs import WorkBlobs
from mfcc_assets.defs import databricks
from mfcc_assets.defs.assets.library import raw_soundtracks, soundtrack_cepstra
from mfcc_assets.defs.heavy_work import heavy_work
from mfcc_assets.defs.launch import range_tags
from mfcc_assets.defs.sensors.cursor import Cursor
from mfcc_assets.defs.sensors.soundtracks import soundtracks_sensor
from mfcc_assets.library import Library
from mfcc_assets.pipeline import work_on_shards
from mfcc_assets.pipeline.work_on_shards import completed_shards
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.port import CEPSTRA, SOUNDTRACKS
from mfcc_assets_tests.compute.sample_work import FATAL, POISONED, SILENT, numbers, work_named
from mfcc_assets_tests.defs.sensors.ticks import tick
from mfcc_assets_tests.runs import drop_upload, requested_uploads, run_uploads
from mfcc_assets_tests.services.azurite import Azurite
from mfcc_assets_tests.services.databricks import JOB_ID, TOKEN, DatabricksDouble, running_databricks
from mfcc_assets_tests.services.spark import SparkServers

DEAD = ["sh", "-c", "exit 137"]
"""A program that dies like a driver without memory: with no word."""


@pytest.fixture
def workspace(azurite: Azurite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DatabricksDouble]:
    monkeypatch.setattr(databricks, "SECONDS_BETWEEN_QUESTIONS", 0.2)
    monkeypatch.setattr(engine, "SECONDS_BETWEEN_LOOKS", 0.2)
    # Pipes waits so long for late messages of a job that has died.
    monkeypatch.setattr("dagster._core.pipes.utils.WAIT_FOR_LOGS_AFTER_EXECUTION_INTERVAL", 0)
    with running_databricks(tmp_path, azurite.new_url()) as double:
        double.secrets = {"blob-key": azurite.key, "databricks-client-secret": "unused"}
        yield double


@pytest.fixture
def library(
    azurite: Azurite, workspace: DatabricksDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Library]:
    monkeypatch.setenv("MFCC_SECRET_BLOB_KEY", azurite.key)
    monkeypatch.setenv("MFCC_SECRET_WORKSPACE_TOKEN", TOKEN)
    (parameter,) = [each for each in parameters_of(workspace) if each.startswith("--blob-url=")]
    settings = Settings(
        home=tmp_path / "home",
        min_seconds=2.5,
        profile="azure",
        blob_url=parameter.partition("=")[2],
        blob_key_secret="blob-key",
        cosmos_url="https://documents.example",
        database_url=f"sqlite:///{tmp_path}/tables.sqlite",
        compute="databricks",
        databricks_url=workspace.url,
        databricks_job=JOB_ID,
        databricks_token_secret="workspace-token",
        databricks_min_items=2,
    )
    with Library(settings) as library:
        yield library


def parameters_of(workspace: DatabricksDouble) -> list[str]:
    return workspace.job["tasks"][0]["python_wheel_task"]["parameters"]


@pytest.fixture
def cluster(workspace: DatabricksDouble, spark: SparkServers) -> None:
    """Let jobs use the executors that tests share, so that no job waits for the start of Spark."""
    parameters_of(workspace).append(f"--spark-master={spark.connect}")


SHARDS = dg.StaticPartitionsDefinition(["0", "1", "2", "3"])


def halves_of(every: Sequence[int], seen: list[dict], tries: int) -> dg.AssetsDefinition:
    """Return an asset that halves numbers and keeps the results in a list. It is tried some times."""
    policy = dg.RetryPolicy(max_retries=tries - 1)

    @dg.asset(partitions_def=SHARDS, backfill_policy=dg.BackfillPolicy.single_run(), retry_policy=policy)
    def halves(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
        context.log.info("The work begins.")
        work = work_named("halve", settings_of_work(library.settings), at_once=3)
        with heavy_work(context, library):
            for batch in compute_of(Context(library)).run(work, numbers(every)):
                seen.extend(batch.to_pylist())
        return dg.MaterializeResult()

    return halves


def materialised(
    library: Library, instance: dg.DagsterInstance, *every: int, tries: int = 1
) -> tuple[dg.ExecuteInProcessResult, list]:
    """Materialise all partitions of the asset. Return the result, and the rows by key."""
    seen = list[dict]()
    result = run_of(halves_of(every, seen, tries), library, instance)
    return result, sorted(seen, key=lambda row: row["key"])


def run_of(asset: dg.AssetsDefinition, library: Library, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    """Materialise all partitions of an asset."""
    job = dg.Definitions(assets=[asset], jobs=[dg.define_asset_job("all", [asset])], resources={"library": library})
    tags = range_tags("0", "3")
    return job.resolve_job_def("all").execute_in_process(instance=instance, tags=tags, raise_on_error=False)


@dataclass(frozen=True)
class Plan:
    shard: str
    items: pa.Table


@dataclass
class Stage:
    """A stage that plans the shards that are not stored, and stores each as soon as it is complete."""

    folder: Path
    shards: Mapping[str, Sequence[int]]
    after_each: Callable[[], None]
    stored: dict[str, list[float]] = field(default_factory=dict)

    @property
    def asset(self) -> dg.AssetsDefinition:
        policy = dg.RetryPolicy(max_retries=1)

        @dg.asset(partitions_def=SHARDS, backfill_policy=dg.BackfillPolicy.single_run(), retry_policy=policy)
        def stage(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
            work = work_named("halve_after_the_fault", settings_of_work(library.settings))
            missing = [shard for shard in self.shards if shard in context.partition_keys and shard not in self.stored]
            plans = (Plan(shard, numbers(self.shards[shard], self.folder)) for shard in missing)
            with heavy_work(context, library):
                compute = compute_of(Context(library))
                for plan, found in completed_shards(compute, work, plans, on_failure=lambda key, _: pytest.fail(key)):
                    self.stored[plan.shard] = sorted(found["half"].to_pylist())
                    self.after_each()
            return dg.MaterializeResult()

        return stage


@contextmanager
def as_soon_as_it_runs(workspace: DatabricksDouble, act: Callable[[], None]) -> Iterator[None]:
    """Call a function on another thread as soon as a run was submitted within the ``with``."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            if workspace.runs:
                act()
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    """Return the messages of the error of the step and of its causes."""
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    data: Any = failed.event_specific_data
    messages, error = list[str](), data.error
    while error is not None:
        messages.append(error.message)
        error = error.cause
    return "".join(messages)


@pytest.mark.usefixtures("cluster")
def test_a_job_does_the_work_and_its_results_figures_and_lines_come_back(library, workspace, instance) -> None:
    workspace.before = "from mfcc_assets.compute import databricks_job as job; job.SECONDS_BETWEEN_MESSAGES = 0.2"

    result, rows = materialised(library, instance, *range(40), SILENT, POISONED)

    assert result.success
    assert [row["half"] for row in rows[:40]] == [number / 2 for number in range(40)]
    assert [row["error_code"] for row in rows[40:]] == ["SilentAudio", "WorkFailed"]
    assert rows[-1]["error"]["subject"] == "0200"
    (run,) = workspace.runs
    (task,) = run.request["tasks"]
    assert task["new_cluster"]["runtime_engine"] == "STANDARD"
    assert not [each for each in task["python_wheel_task"]["parameters"] if "pipes" in each]
    materialisations = result.asset_materializations_for_node("halves")
    counted = {each.partition: each.metadata["items_on_databricks"].value for each in materialisations}
    assert counted == {"0": 12, "1": 10, "2": 10, "3": 10}
    lines = [record.user_message for record in instance.all_logs(result.run_id)]
    assert lines.count("Starting Spark. 0 of 42 done, 0 of them with an error") >= 2
    assert "42 of 42 done, 2 of them with an error" in lines
    assert list(library.blobs.list(CEPSTRA, f"{WORK_FOLDER}/")) == []


def test_work_on_few_items_starts_no_cluster(library, workspace, instance) -> None:
    result, rows = materialised(library, instance, 1)

    assert result.success
    assert [row["half"] for row in rows] == [0.5]
    assert workspace.runs == []


def test_a_job_that_dies_without_a_message_fails_the_step_with_the_cause_that_databricks_knows(
    library, workspace, instance
) -> None:
    workspace.command = DEAD

    result, _ = materialised(library, instance, 1, 2)

    assert not result.success
    assert "The spark driver has stopped unexpectedly" in failure_of(result)
    assert f"Look at {workspace.url}/#job/run/1000" in failure_of(result)


def test_a_job_that_dies_with_an_error_before_it_can_send_one_fails_the_step_with_that_error(
    library, workspace, instance
) -> None:
    parameters_of(workspace).append("--blob-key-secret=forgotten-key")

    result, _ = materialised(library, instance, 1, 2)

    assert not result.success
    assert "Secret forgotten-key: it is not configured" in failure_of(result)


def test_the_error_of_a_job_is_that_of_the_step_with_what_it_concerns(library, workspace, instance) -> None:
    parameters_of(workspace).append("--spark-master=sc://127.0.0.1:9")

    result, _ = materialised(library, instance, 1, 2)

    (run,) = workspace.runs
    assert not result.success
    assert "sc://127.0.0.1:9: the job failed (no Spark answers there (" in failure_of(result)
    assert run.state["result_state"] == "FAILED"


@pytest.mark.usefixtures("cluster")
def test_one_run_does_all_shards_of_a_stage_and_after_a_fault_the_next_one_only_those_that_are_missing(
    library, workspace, instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_on_shards, "ITEMS_AT_ONCE", 2)
    given = list[tuple[str, list[str]]]()
    write_items = WorkBlobs.write_items

    def spy(exchanged: WorkBlobs, name: str, work: Work, items: pa.Table) -> None:
        given.append((exchanged.folder, items["key"].to_pylist()))
        write_items(exchanged, name, work, items)

    monkeypatch.setattr(WorkBlobs, "write_items", spy)

    def kill_first_job() -> None:
        if len(stage.stored) == 3:
            workspace.runs[0].kill()
            (tmp_path / "fault").touch()

    stage = Stage(tmp_path, {"1": [1, 5], "2": [2, 6], "3": [3, 7], "0": [FATAL, 4]}, kill_first_job)

    result = run_of(stage.asset, library, instance)

    assert result.success
    first, second = (list(keys) for _, keys in groupby(given, key=lambda part: part[0]))
    assert [keys for _, keys in first] == [["0001", "0005"], ["0002", "0006"], ["0003", "0007"], ["0300", "0004"]]
    assert [keys for _, keys in second] == [["0300", "0004"]]
    assert [run.state["result_state"] for run in workspace.runs] == ["FAILED", "SUCCESS"]
    assert len({run.token for run in workspace.runs}) == 2
    assert stage.stored == {"1": [0.5, 2.5], "2": [1.0, 3.0], "3": [1.5, 3.5], "0": [2.0, 150.0]}
    (retried,) = [event for event in result.all_events if event.is_step_up_for_retry]
    assert "The spark driver has stopped unexpectedly" in str(retried.event_specific_data)


def test_a_step_that_is_cancelled_in_dagster_cancels_its_job_and_fails_and_is_not_tried_again(
    library, workspace, instance
) -> None:
    workspace.command = ["sleep", "600"]

    with as_soon_as_it_runs(workspace, lambda: os.kill(os.getpid(), signal.SIGINT)):
        result, _ = materialised(library, instance, 1, 2, tries=3)

    (run,) = instance.get_runs()
    assert workspace.cancelled == [1000]
    assert [each.state["result_state"] for each in workspace.runs] == ["CANCELED"]
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert "The step was interrupted" in failure_of(result)
    assert instance.get_latest_materialization_event(dg.AssetKey("halves")) is None


def test_a_run_whose_state_is_not_told_any_more_is_cancelled_so_that_no_cluster_is_left(
    library, workspace, instance
) -> None:
    workspace.command = ["sleep", "600"]

    with as_soon_as_it_runs(workspace, lambda: setattr(workspace, "is_silent", True)):
        result, _ = materialised(library, instance, 1, 2)

    assert set(workspace.cancelled) == {1000}
    assert "runs/get' does not exist" in failure_of(result)


def test_a_job_that_somebody_cancels_on_databricks_fails_the_step(library, workspace, instance) -> None:
    workspace.command = ["sleep", "600"]

    with as_soon_as_it_runs(workspace, lambda: workspace.cancel(1000)):
        result, _ = materialised(library, instance, 1, 2)

    assert not result.success
    assert "Run cancelled" in failure_of(result)
    assert instance.get_latest_materialization_event(dg.AssetKey("halves")) is None


def test_a_submission_whose_answer_is_lost_starts_one_cluster(library, workspace, instance) -> None:
    workspace.command, workspace.lost_answers = ["true"], 1

    result, _ = materialised(library, instance, 1, 2)

    assert (workspace.lost_answers, len(workspace.runs)) == (0, 1)
    assert "the engine is at fault: it did not return 0001, 0002" in failure_of(result)


@pytest.mark.parametrize(
    ("number", "told"), [(JOB_ID, "it has not one task with a wheel"), (8, "the workspace does not have it")]
)
def test_a_job_that_is_not_that_of_the_bundle_is_named(library, workspace, instance, number: int, told: str) -> None:
    workspace.job["tasks"] = []

    with Library(library.settings.model_copy(update={"databricks_job": number})) as chosen:
        result, _ = materialised(chosen, instance, 1, 2)

    assert f"job {number} of Databricks: {told}" in failure_of(result)


def test_a_workspace_that_refuses_is_named_with_what_it_says(
    library, workspace, instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MFCC_SECRET_WORKSPACE_TOKEN", "wrong")

    result, _ = materialised(library, instance, 1, 2)

    assert f"workspace {workspace.url}: Databricks cannot be asked (Invalid access token." in failure_of(result)


def test_files_that_come_request_a_run_whose_soundtracks_are_analysed_on_databricks_as_on_this_machine(
    library, workspace, instance, ten_songs: list[Path], up_to_date_home: Path
) -> None:
    # Executors compute also where compiled kernels cannot be kept in the folder that they are told.
    (cluster,) = workspace.job["job_clusters"]
    cluster["new_cluster"]["spark_env_vars"]["NUMBA_CACHE_DIR"] = f"{os.devnull}/kernels"
    for song in ten_songs:
        library.blobs.upload_file(SOUNDTRACKS, song.name, song)
    (request,) = tick(soundtracks_sensor, library, instance, Cursor()).run_requests
    assets = [raw_soundtracks, soundtrack_cepstra]
    job = dg.Definitions(assets=assets, jobs=[dg.define_asset_job("all", assets)], resources={"library": library})

    result = job.resolve_job_def("all").execute_in_process(instance=instance, tags=request.tags)

    assert result.success
    assert len(workspace.runs) == 1
    parameters = library.feature_parameters.cepstra
    with Library(Settings(home=up_to_date_home)) as here:
        wanted = {track.blob_name: track.audio_id for track in here.catalogue.soundtracks()}
        assert {track.blob_name: track.audio_id for track in library.catalogue.soundtracks()} == wanted
        for audio_id in filter(None, wanted.values()):
            found = library.features.read_cepstra(audio_id, parameters)
            assert (found == here.features.read_cepstra(audio_id, parameters)).all()


def test_a_file_in_the_container_of_uploads_starts_a_run_as_on_this_machine_and_waits_for_no_cluster(
    ten_tracks: Library, workspace, instance, ten_songs: list[Path]
) -> None:
    databricks = {"compute": "databricks", "databricks_url": workspace.url, "databricks_job": JOB_ID}
    with Library(ten_tracks.settings.model_copy(update=databricks)) as library:
        drop_upload(library, ten_songs[3], "unknown.flac")

        uploads = requested_uploads(library, instance)
        run_uploads(library, instance, uploads)

        assert len(library.recommendations.recommended(uploads[0])) == 5
    assert workspace.runs == []
