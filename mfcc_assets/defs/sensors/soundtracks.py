"""The sensor of the library."""

from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg

from mfcc_assets.defs.launch import (
    LIBRARY_JOB,
    is_command_line_at_work,
    range_tags,
)
from mfcc_assets.defs.sensors.cursor import (
    INTERVAL_SECONDS,
    RESTING,
    Cursor,
    _digest,
    _in_flight,
    _run_key,
    is_settled,
    take_page,
)
from mfcc_assets.library import Library
from mfcc_assets.pipeline.music_files import soundtrack_files
from mfcc_assets.pipeline.outstanding_work import changed_soundtracks, outstanding_work

UP_TO_DATE = "The library is up to date."


@dg.sensor(
    job_name=LIBRARY_JOB,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Brings the library up to date when files in the container `soundtracks` come, change or go.",
)
def soundtracks_sensor(
    context: dg.SensorEvaluationContext, library: dg.ResourceParam[Library]
) -> dg.SensorResult | dg.SkipReason:
    if _in_flight(context, LIBRARY_JOB) or is_command_line_at_work(library.settings):
        return dg.SkipReason("A run over the library is under way; what has come since is found after it.")
    now, settings, before = datetime.now(UTC), library.settings, Cursor.parse(context.cursor)
    if before.is_resting(now):
        return dg.SkipReason(RESTING)
    files = soundtrack_files(library)
    listing = _digest(f"{name} {blob.etag}" for name, blob in files.items())
    # The tables are not asked in vain: one question in five seconds keeps a serverless database awake, and paid for.
    if listing == before.listing and not before.is_sweep_due(now, settings.library_sweep_seconds):
        return dg.SensorResult(skip_reason=UP_TO_DATE, cursor=str(before.rested(now, datetime.now(UTC))))
    unknown = changed_soundtracks(library, files)
    changed = {name: blob for name, blob in unknown.items() if is_settled(blob, now, settings)}
    page, cursor = take_page(changed, before, settings.sensor_page)
    work = [f"{name} {changed[name].etag}" for name in page]
    if not work and before.is_sweep_due(now, settings.library_sweep_seconds):
        cursor = replace(cursor, swept=now.timestamp())
        work = outstanding_work(library)
    if not work and not unknown:
        cursor = replace(cursor, listing=listing)
        library.database.close()  # a connection that is kept would keep the database awake as well
    if work:
        context.log.info(f"{len(work)} changes, the first: {work[0]}")
    shards = library.shards
    # A file that goes, comes back and goes again asks for two runs, though both times the same is to be done.
    done = context.instance.get_runs(
        dg.RunsFilter(job_name=LIBRARY_JOB, statuses=[dg.DagsterRunStatus.SUCCESS]), limit=1
    )
    state = [*work, *(run.run_id for run in done)]
    request = dg.RunRequest(run_key=_run_key(state, now), tags=range_tags(shards[0], shards[-1]))
    return dg.SensorResult(
        run_requests=[request] if work else [],
        skip_reason=None if work else UP_TO_DATE,
        cursor=str(cursor.rested(now, datetime.now(UTC))),
    )
