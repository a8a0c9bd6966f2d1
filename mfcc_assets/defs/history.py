"""The job that deletes old runs of Dagster, with their events, logs and pictures, and the schedule that starts it.

Without it, a year of runs would fill gigabytes. The run that last materialised an asset or a shard of it is kept,
however old it is: the UI shows its metadata, and its partitions count as materialised. The retention of the ticks of
sensors and schedules is set in dagster.yaml.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from mfcc_assets.defs.partitions import SHARDS, UPLOADS
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_document import State

HISTORY_JOB = "history"

FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]

_RUNS_AT_ONCE = 500


def delete_old_runs(instance: dg.DagsterInstance, age: timedelta) -> int:
    """Delete the runs that ended longer ago than this age, and return their number.

    Events, logs and pictures of a run are deleted with it. Runs that last materialised an asset, or a shard of it, are
    kept.
    """
    kept, number = _latest_runs(instance), 0
    for run_id in list(_ended_runs(instance, datetime.now(UTC) - age)):
        if run_id in kept:
            continue
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        number += 1
    return number


def forget_purged_uploads(instance: dg.DagsterInstance, library: Library) -> int:
    """Delete the partitions of uploads that have no document any more, and return their number."""
    name = str(UPLOADS.name)
    partitions = instance.get_dynamic_partitions(name)  # before the documents, because the sensor writes these first
    known = {upload for state in State for upload in library.documents.ids(state.value)}
    purged = [key for key in partitions if key not in known]
    for key in purged:
        instance.delete_dynamic_partition(name, key)
    return len(purged)


def _ended_runs(instance: dg.DagsterInstance, before: datetime) -> Iterator[str]:
    ended, cursor = dg.RunsFilter(statuses=FINISHED, updated_before=before), None
    while records := instance.get_run_records(ended, limit=_RUNS_AT_ONCE, cursor=cursor):
        for record in records:
            yield record.dagster_run.run_id
        cursor = records[-1].dagster_run.run_id


def _latest_runs(instance: dg.DagsterInstance) -> set[str]:
    """Return the runs that last materialised an asset or one of its shards."""
    latest = set()
    for asset in instance.get_asset_keys():
        wanted: list[dg.AssetKey | dg.AssetRecordsFilter] = [
            asset,
            *(dg.AssetRecordsFilter(asset, asset_partitions=[shard]) for shard in SHARDS.get_partition_keys()),
        ]
        for one in wanted:
            latest |= {record.run_id for record in instance.fetch_materializations(one, limit=1).records}
    return latest


@dg.op(description="Deletes runs that ended longer ago than MFCC_HISTORY_DAYS, and partitions of purged uploads.")
def delete_history(context: dg.OpExecutionContext, library: dg.ResourceParam[Library]) -> None:
    runs = delete_old_runs(context.instance, timedelta(days=library.settings.history_days))
    uploads = forget_purged_uploads(context.instance, library)
    context.log.info(f"{runs:,} runs and the partitions of {uploads:,} purged uploads were deleted.")


@dg.job(name=HISTORY_JOB, description="Deletes runs that are older than MFCC_HISTORY_DAYS, with events and logs.")
def history_job() -> None:
    delete_history()


@dg.schedule(
    job_name=HISTORY_JOB,
    cron_schedule="30 2 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Deletes every night the runs that are older than MFCC_HISTORY_DAYS.",
)
def history_schedule(library: dg.ResourceParam[Library]) -> dg.RunRequest | dg.SkipReason:
    if library.settings.history_days:
        return dg.RunRequest()
    return dg.SkipReason("MFCC_HISTORY_DAYS is 0, so runs are kept for ever.")
