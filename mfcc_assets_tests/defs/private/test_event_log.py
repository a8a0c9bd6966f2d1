"""The event log that dagster.yaml names stores what Dagster's own stores, and Dagster's own can continue it."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import pytest
from dagster._check import CheckError
from dagster._core.storage.event_log import SqliteEventLogStorage

from mfcc_assets.defs.launch import prepare_dagster_home, range_tags
from mfcc_assets.defs.private.event_log import OpenEventLog
from mfcc_assets.settings import Settings
from mfcc_assets_tests.runs import QUIET

KEYS = [f"{number:02}" for number in range(12)]


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(KEYS), backfill_policy=dg.BackfillPolicy.single_run())
def parts(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    for key in context.partition_keys:
        context.add_asset_metadata({"number": int(key)}, partition_key=key)
    return dg.MaterializeResult()


@dg.asset(deps=[parts])
def whole() -> dg.MaterializeResult:
    return dg.MaterializeResult()


@dg.asset_check(asset=whole)
def holds() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


DEFINITIONS = dg.Definitions(
    [parts, whole], asset_checks=[holds], jobs=[dg.define_asset_job("everything")], executor=dg.in_process_executor
)
DIE_IN_A_BATCH = """
import os, signal, sys
import dagster as dg

home, run = sys.argv[1:]

def half_of(events):
    yield from events[: len(events) // 2]
    print("in the midst", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

with dg.DagsterInstance.from_config(home) as instance:
    log = instance.event_log_storage
    log.store_event_batch(half_of(log.get_logs_for_run(run)))
"""
"""A program that writes the events of a run again and kills itself when half of them are written."""

Recorded = list[tuple[str | None, str | None, str | None, object]]


@pytest.fixture(params=["0", "1000"], ids=["one by one", "in batches"])
def ours(request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the home of a Dagster with the settings of a library."""
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", request.param)
    monkeypatch.setenv("DAGSTER_HOME", str(prepare_dagster_home(settings)))
    return settings.dagster_home


@pytest.fixture
def dagsters_own(tmp_path: Path) -> Path:
    """Return the home of a Dagster with default settings, except that it sends no telemetry."""
    home = tmp_path / "own"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return home


def test_our_event_log_stores_the_same_events_as_the_original(ours: Path, dagsters_own: Path) -> None:
    with (
        dg.DagsterInstance.from_config(str(ours)) as first,
        dg.DagsterInstance.from_config(str(dagsters_own)) as second,
    ):
        assert isinstance(first.event_log_storage, OpenEventLog)
        assert not isinstance(second.event_log_storage, OpenEventLog)

        assert _recorded(first, _run(first)) == _recorded(second, _run(second))


def test_the_original_event_log_reads_and_continues_ours(ours: Path) -> None:
    with dg.DagsterInstance.from_config(str(ours)) as instance:
        recorded = _recorded(instance, _run(instance))
    (ours / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    with dg.DagsterInstance.from_config(str(ours)) as instance:
        assert type(instance.event_log_storage) is SqliteEventLogStorage
        (run,) = instance.get_runs()
        assert _recorded(instance, run.run_id) == recorded
        assert _recorded(instance, _run(instance)) == recorded
        assert instance.get_materialized_partitions(parts.key) == set(KEYS)


def test_a_batch_is_stored_completely_or_not_at_all(ours: Path) -> None:
    with dg.DagsterInstance.from_config(str(ours)) as instance:
        log, run = instance.event_log_storage, _run(instance)
        before = log.get_logs_for_run(run)
        damaged = [before[0], before[1]._replace(run_id=None)]  # type: ignore[arg-type]  # an event without a run

        with pytest.raises(CheckError, match="is not a str"):
            log.store_event_batch(damaged)

        assert log.get_logs_for_run(run) == before
        log.store_event_batch(before[:2])
        assert len(log.get_logs_for_run(run)) == len(before) + 2


def test_every_event_changes_the_modification_time_of_the_file_of_its_run(ours: Path) -> None:
    # The UI reads a run again when this file changes. It does not watch the write-ahead log beside the file.
    with dg.DagsterInstance.from_config(str(ours)) as instance:
        run = _run(instance)
        file = ours / "history" / "runs" / f"{run}.db"
        before = file.stat().st_mtime_ns
        instance.event_log_storage.store_event(instance.all_logs(run)[0])

        assert file.stat().st_mtime_ns > before


def test_a_wiped_log_is_empty_and_can_be_written(ours: Path) -> None:
    with dg.DagsterInstance.from_config(str(ours)) as instance:
        former = _run(instance)
        instance.event_log_storage.wipe()

        assert instance.all_logs(former) == []
        assert instance.get_latest_materialization_event(whole.key) is None
        recorded = _recorded(instance, _run(instance))
    with dg.DagsterInstance.from_config(str(ours)) as another:
        run, *_ = another.get_runs(limit=1)
        assert _recorded(another, run.run_id) == recorded, (
            "later events must be in the new files, not in the deleted ones"
        )


def test_a_process_that_is_killed_during_a_batch_stores_nothing_of_the_batch(ours: Path) -> None:
    with dg.DagsterInstance.from_config(str(ours)) as instance:
        log, run = instance.event_log_storage, _run(instance)
        before = log.get_logs_for_run(run)
        killed = subprocess.run(
            [sys.executable, "-c", DIE_IN_A_BATCH, str(ours), run], stdout=subprocess.PIPE, text=True
        )

        assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "in the midst\n")
        assert log.get_logs_for_run(run) == before
        assert _recorded(instance, _run(instance)), "a lock was left behind"


def test_two_instances_that_write_at_the_same_time_lose_no_event(ours: Path) -> None:
    with (
        dg.DagsterInstance.from_config(str(ours)) as first,
        dg.DagsterInstance.from_config(str(ours)) as second,
    ):
        runs = [_run(first), _run(first)]
        logs = [first.all_logs(run, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION) for run in runs]
        with ThreadPoolExecutor() as pool:
            list(
                pool.map(
                    lambda instance, log: [instance.event_log_storage.store_event_batch(log) for _ in range(10)],
                    [first, second],
                    logs,
                )
            )

        for run, log in zip(runs, logs, strict=True):
            stored = second.all_logs(run, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
            assert len(stored) == 11 * len(log)
        materialised = first.fetch_materializations(parts.key, limit=1000).records
        assert len(materialised) == 2 * 11 * len(KEYS)


def _run(instance: dg.DagsterInstance) -> str:
    job = DEFINITIONS.resolve_job_def("everything")
    return job.execute_in_process(instance=instance, tags=range_tags(KEYS[0], KEYS[-1]), run_config=QUIET).run_id


def _recorded(instance: dg.DagsterInstance, run: str) -> Recorded:
    """Return the events of a run and the latest materialisation of each asset, without times and names of files."""
    events = [event.dagster_event for event in instance.all_logs(run)]
    recorded: Recorded = [
        (event.event_type_value, event.step_key, event.partition, event.event_specific_data is not None)
        for event in events
        if event and not event.is_engine_event and "LOGS_CAPTURED" not in event.event_type_value
    ]
    for asset in (parts, whole):
        latest = instance.get_latest_materialization_event(asset.key)
        assert latest is not None
        assert latest.asset_materialization is not None
        recorded.append(
            (asset.key.to_user_string(), None, latest.asset_materialization.partition, latest.run_id == run)
        )
    return recorded
