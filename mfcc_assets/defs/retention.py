"""The job that purges uploads whose time of retention has passed, and the schedule that starts it when there are any.

Documents that only expired would leave the file of the listener behind, and everything that was computed from it.
"""

import dagster as dg

from mfcc_assets.library import Library
from mfcc_assets.pipeline.purge import lapsed_files, lapsed_uploads, purge_lapsed_uploads

RETENTION_JOB = "retention"

NOTHING_LAPSED = "No upload is older than the settings allow."


@dg.op(description="Removes the files, copies, features, rows and documents of the uploads.")
def purge_lapsed(context: dg.OpExecutionContext, library: dg.ResourceParam[Library]) -> None:
    purged = purge_lapsed_uploads(library)
    context.log.info(f"{len(purged)} uploads were purged.")


@dg.job(name=RETENTION_JOB, description="Purges the uploads that are older than MFCC_RETENTION_DAYS.")
def retention_job() -> None:
    purge_lapsed()


@dg.schedule(
    job_name=RETENTION_JOB,
    cron_schedule="0 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Looks every hour for uploads that are older than MFCC_RETENTION_DAYS.",
)
def retention_schedule(library: dg.ResourceParam[Library]) -> dg.RunRequest | dg.SkipReason:
    if lapsed_uploads(library) or lapsed_files(library):
        return dg.RunRequest()
    return dg.SkipReason(NOTHING_LAPSED)
