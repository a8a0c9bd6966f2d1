"""The sensor of the library: it requests a run when files in `soundtracks` came, changed or went.

Each rule prevents a failure that has happened:

- While a run is unfinished, or a command line changes the library, nothing is requested. Two runs over one library
  would wait for each other.
- A file that is still being copied is left alone until it has settled.
- If the listing did not change since all of its files were known, the database is not asked. One question every five
  seconds keeps a serverless database awake, and it is paid for by the hour.
- The run key names the last successful run, too. A file that goes, comes back and goes again asks twice for the same
  work, and Dagster would ignore the second request.
- A run analyses only the next stage of a first load, so that an index answers early. The run of the stage after it is
  requested at once, and not by the next sweep.
"""

from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg

from mfcc_assets.defs.conditions import observed_assets
from mfcc_assets.defs.launch import (
    IN_STAGES,
    LIBRARY_JOB,
    is_command_line_at_work,
    range_tags,
)
from mfcc_assets.defs.sensors.cursor import (
    INTERVAL_SECONDS,
    RESTING,
    Cursor,
    digest_of,
    is_settled,
    run_key,
    take_page,
    unfinished_runs,
)
from mfcc_assets.library import Library
from mfcc_assets.pipeline.music_files import soundtrack_files
from mfcc_assets.pipeline.outstanding_work import changed_soundtracks, outstanding_work
from mfcc_assets.texts import counted, printable

AD_HOC_JOB = "__ASSET_JOB"
"""Job of runs that somebody launched for some assets, or that conditions requested. Dagster gives it the name."""

UP_TO_DATE = "The library is up to date."

SWEEPS_FOR_CONDITIONS = 10
"""With conditions, there are this many times fewer sweeps. A sweep would observe the files again while the conditions
still request one asset after the other, and every observation begins their work anew."""


@dg.sensor(
    job_name=LIBRARY_JOB,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Brings the library up to date when files in the container `soundtracks` come, change or go.",
)
def soundtracks_sensor(
    context: dg.SensorEvaluationContext, library: dg.ResourceParam[Library]
) -> dg.SensorResult | dg.SkipReason:
    is_running = any(unfinished_runs(context, job) for job in (LIBRARY_JOB, AD_HOC_JOB))
    if is_running or is_command_line_at_work(library.settings):
        return dg.SkipReason("A run over the library is unfinished; what came since is found after it.")
    now, settings, before = datetime.now(UTC), library.settings, Cursor.parse(context.cursor)
    has_conditions = settings.automation == "conditions"
    sweep_seconds = settings.library_sweep_seconds * (SWEEPS_FOR_CONDITIONS if has_conditions else 1)
    if before.is_resting(now):
        return dg.SkipReason(RESTING)
    files = soundtrack_files(library)
    listing = digest_of(f"{name} {blob.etag}" for name, blob in files.items())
    is_sweep_due = before.is_sweep_due(now, sweep_seconds)
    if listing == before.listing and not is_sweep_due:
        return dg.SensorResult(skip_reason=UP_TO_DATE, cursor=str(before.rested(now, datetime.now(UTC))))
    unknown = changed_soundtracks(library, files)
    changed = {name: blob for name, blob in unknown.items() if is_settled(blob, now, settings)}
    page, cursor = take_page(changed, before, settings.sensor_page)
    work = [f"{name} {changed[name].etag}" for name in page]
    # Conditions request the analysis of files that wait. Observing them again would add nothing.
    has_waiting = not has_conditions and not unknown and bool(library.catalogue.waiting())
    if not work and (is_sweep_due or has_waiting):
        cursor = replace(cursor, swept=now.timestamp())
        work = outstanding_work(library)
    if work and has_conditions:
        cursor = replace(cursor, swept=now.timestamp())  # the conditions need the time until the next sweep
    if not work and not unknown:
        cursor = replace(cursor, listing=listing)
        library.database.close()  # an open connection keeps the database awake
    if work:
        context.log.info(f"{counted(len(work), 'change')}, the first: {printable(page[0] if page else work[0])}")
    shards = library.shards
    done = context.instance.get_runs(
        dg.RunsFilter(job_name=LIBRARY_JOB, statuses=[dg.DagsterRunStatus.SUCCESS]), limit=1
    )
    state = [*work, *(run.run_id for run in done)]
    request = dg.RunRequest(
        run_key=run_key(state, now),
        tags={**range_tags(shards[0], shards[-1]), **IN_STAGES},
        asset_selection=observed_assets(settings),
    )
    return dg.SensorResult(
        run_requests=[request] if work else [],
        skip_reason=None if work else UP_TO_DATE,
        cursor=str(cursor.rested(now, datetime.now(UTC))),
    )
