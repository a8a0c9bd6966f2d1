"""The job and the schedule that delete old runs of Dagster."""

from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from mfcc_assets.defs.history import delete_old_runs, forget_purged_uploads, history_job, history_schedule
from mfcc_assets.defs.partitions import UPLOADS
from mfcc_assets.library import Library
from mfcc_assets_tests.benchmarks.history import add_runs, real_runs, sizes, storage_of, vacuum
from mfcc_assets_tests.defs.test_launch import dagster_of
from mfcc_assets_tests.runs import QUIET, create_run, requested_uploads, run_uploads

RUNS = 60
PER_KEPT_RUN = 3_000_000
"""Bytes that each kept run may take; the first one over a library holds pictures of its audio."""


def test_of_many_runs_only_the_last_ones_take_disk_after_they_were_deleted(
    ten_tracks: Library, ten_songs: list[Path]
) -> None:
    home = ten_tracks.settings.dagster_home
    with dagster_of(ten_tracks.settings) as instance:
        added = list(add_runs(instance, real_runs(ten_tracks, instance, ten_songs[0]), RUNS))
        assert delete_old_runs(instance, timedelta(days=1)) == 0, "they have just ended"
        before = sum(sizes(home).values())

        deleted = delete_old_runs(instance, timedelta(0))
        vacuum(home)

        left = [run.run_id for run in instance.get_runs()]
        after = sizes(home)
        assert deleted + len(left) == RUNS + 2
        assert len(left) <= 4
        assert added[-1] in left, "it materialised the library last"
        assert {path.name for path in storage_of(instance).iterdir()} <= set(left)
        assert {path.stem for path in (home / "history" / "runs").glob("*-*.db")} == set(left)
        assert sum(after.values()) < before / 5
        assert sum(after.values()) < len(left) * PER_KEPT_RUN
        for asset in ("library_report", "soundtrack_cepstra", "upload_recommendations"):
            (last,) = instance.fetch_materializations(dg.AssetKey(asset), limit=1).records
            assert last.run_id in left


def test_runs_that_have_not_ended_are_kept(instance: dg.DagsterInstance) -> None:
    running = create_run(instance, "library", dg.DagsterRunStatus.STARTED, {})
    create_run(instance, "library", dg.DagsterRunStatus.FAILURE, {})

    assert delete_old_runs(instance, timedelta(0)) == 1
    assert [run.run_id for run in instance.get_runs()] == [running.run_id]


def test_the_partitions_of_purged_uploads_are_forgotten(
    ten_tracks: Library, instance: dg.DagsterInstance, ten_songs: list[Path]
) -> None:
    ten_tracks.blobs.upload_file("uploads", "kept.flac", ten_songs[0])
    (kept,) = requested_uploads(ten_tracks, instance)
    run_uploads(ten_tracks, instance, [kept])
    instance.add_dynamic_partitions(str(UPLOADS.name), ["purged"])

    assert forget_purged_uploads(instance, ten_tracks) == 1
    assert instance.get_dynamic_partitions(str(UPLOADS.name)) == [kept]


@pytest.mark.parametrize(("days", "runs"), [(30, 1), (0, 0)])
def test_the_schedule_asks_for_the_job_every_night_unless_runs_are_kept_for_ever(
    library: Library, instance: dg.DagsterInstance, days: int, runs: int
) -> None:
    with Library(library.settings.model_copy(update={"history_days": days})) as keeping:
        with dg.build_schedule_context(instance, resources={"library": keeping}) as context:
            outcome = history_schedule.evaluate_tick(context)
        assert len(outcome.run_requests or []) == runs
        assert history_schedule.default_status == dg.DefaultScheduleStatus.RUNNING
        assert history_job.execute_in_process(
            instance=instance, resources={"library": keeping}, run_config=QUIET
        ).success
