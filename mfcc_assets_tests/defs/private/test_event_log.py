"""Dagster's event log as dagster.yaml has it: it holds what Dagster's own would, which reads and continues it."""

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
"""Writes a run's events once more, and is killed when half of them are written."""

Told = list[tuple[str | None, str | None, str | None, object]]


@pytest.fixture(params=["0", "1000"], ids=["one by one", "in batches"])
def ours(request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Home of a Dagster with the settings of a library."""
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", request.param)
    monkeypatch.setenv("DAGSTER_HOME", str(prepare_dagster_home(settings)))
    return settings.dagster_home


@pytest.fixture
def dagsters_own(tmp_path: Path) -> Path:
    """Home of a Dagster with no settings."""
    home = tmp_path / "own"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return home


def test_our_event_log_tells_the_same_of_a_run_as_dagster_s_own(ours: Path, dagsters_own: Path) -> None:
    with (
        dg.DagsterInstance.from_config(str(ours)) as first,
        dg.DagsterInstance.from_config(str(dagsters_own)) as second,
    ):
        assert isinstance(first.event_log_storage, OpenEventLog)
        assert not isinstance(second.event_log_storage, OpenEventLog)

        assert _told(first, _run(first)) == _told(second, _run(second))


def test_dagster_s_own_event_log_reads_what_ours_wrote_and_goes_on(ours: Path) -> None:
    with dg.DagsterInstance.from_config(str(ours)) as instance:
        told = _told(instance, _run(instance))
    (ours / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    with dg.DagsterInstance.from_config(str(ours)) as instance:
        assert type(instance.event_log_storage) is SqliteEventLogStorage
        (run,) = instance.get_runs()
        assert _told(instance, run.run_id) == told
        assert _told(instance, _run(instance)) == told
        assert instance.get_materialized_partitions(parts.key) == set(KEYS)


def test_a_batch_is_stored_as_a_whole_or_not_at_all(ours: Path) -> None:
    with dg.DagsterInstance.from_config(str(ours)) as instance:
        log, run = instance.event_log_storage, _run(instance)
        before = log.get_logs_for_run(run)
        damaged = [before[0], before[1]._replace(run_id=None)]  # type: ignore[arg-type]  # an event without a run

        with pytest.raises(CheckError, match="is not a str"):
            log.store_event_batch(damaged)

        assert log.get_logs_for_run(run) == before
        log.store_event_batch(before[:2])
        assert len(log.get_logs_for_run(run)) == len(before) + 2


def test_whoever_watches_the_file_of_a_run_sees_every_event(ours: Path) -> None:
    # The UI does: it reads a run anew when the file changes, not when the write-ahead log beside it does.
    with dg.DagsterInstance.from_config(str(ours)) as instance:
        run = _run(instance)
        file = ours / "history" / "runs" / f"{run}.db"
        before = file.stat().st_mtime_ns
        instance.event_log_storage.store_event(instance.all_logs(run)[0])

        assert file.stat().st_mtime_ns > before


def test_a_log_that_was_wiped_is_empty_and_goes_on(ours: Path) -> None:
    with dg.DagsterInstance.from_config(str(ours)) as instance:
        former = _run(instance)
        instance.event_log_storage.wipe()

        assert instance.all_logs(former) == []
        assert instance.get_latest_materialization_event(whole.key) is None
        told = _told(instance, _run(instance))
    with dg.DagsterInstance.from_config(str(ours)) as another:
        run, *_ = another.get_runs(limit=1)
        assert _told(another, run.run_id) == told, "what came after is in the new files, not in the deleted ones"


def test_a_run_that_is_killed_in_the_midst_of_a_batch_has_told_all_before_it_and_nothing_of_it(ours: Path) -> None:
    with dg.DagsterInstance.from_config(str(ours)) as instance:
        log, run = instance.event_log_storage, _run(instance)
        before = log.get_logs_for_run(run)
        killed = subprocess.run(
            [sys.executable, "-c", DIE_IN_A_BATCH, str(ours), run], stdout=subprocess.PIPE, text=True
        )

        assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "in the midst\n")
        assert log.get_logs_for_run(run) == before
        assert _told(instance, _run(instance)), "no lock is left"


def test_two_that_write_at_once_lose_nothing(ours: Path) -> None:
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


def _told(instance: dg.DagsterInstance, run: str) -> Told:
    """What a run says, and what the instance says of its assets, without times and names of files."""
    events = [event.dagster_event for event in instance.all_logs(run)]
    told: Told = [
        (event.event_type_value, event.step_key, event.partition, event.event_specific_data is not None)
        for event in events
        if event and not event.is_engine_event and "LOGS_CAPTURED" not in event.event_type_value
    ]
    for asset in (parts, whole):
        latest = instance.get_latest_materialization_event(asset.key)
        assert latest is not None
        assert latest.asset_materialization is not None
        told.append((asset.key.to_user_string(), None, latest.asset_materialization.partition, latest.run_id == run))
    return told
