"""What happens every night: the library is brought up to date and measured, then old things are cleared away."""

import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg

from mfcc_assets.defs.broken_homes import DATABASES
from mfcc_assets.defs.launch import LIBRARY_JOB, range_tags
from mfcc_assets.defs.private.one_library_run import LIBRARY_POOL
from mfcc_assets.errors import NoPublishedIndex
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index_versions import prune_versions

HOUSEKEEPING_JOB = "housekeeping"

INDEXES_KEPT = 5
"""Number of newest versions of the index that are kept, as `mfcc index prune` keeps by itself."""

LARGEST_FREE_SHARE = 0.1
"""Share of a database that may be free. Beyond it, the database is written again without the free pages."""

NO_TRACKS = "The library has no tracks."


@dg.schedule(
    job_name=LIBRARY_JOB,
    cron_schedule="30 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Sweeps the whole library every night, repairs what is missing, and measures the quality again.",
)
def nightly_schedule(library: dg.ResourceParam[Library]) -> dg.RunRequest | dg.SkipReason:
    _, tracks = library.catalogue.progress()
    if not tracks:
        return dg.SkipReason(NO_TRACKS)
    return dg.RunRequest(tags=range_tags(library.shards[0], library.shards[-1]))


@dg.op(pool=LIBRARY_POOL, description=f"Deletes old versions of the index. It keeps {INDEXES_KEPT} and those in use.")
def prune_indexes(context: dg.OpExecutionContext, library: dg.ResourceParam[Library]) -> None:
    try:
        deleted = prune_versions(library, keep=INDEXES_KEPT)
    except NoPublishedIndex as error:
        context.log.info(f"Nothing was deleted: {error}")
        return
    context.log.info(f"{len(deleted)} versions of the index were deleted. {' '.join(deleted)}")


@dg.op(description="Gives the disk back what deleted runs, events and ticks occupied in the databases of Dagster.")
def vacuum_databases(context: dg.OpExecutionContext) -> None:
    for path in (Path(context.instance.root_directory) / name for name in DATABASES):
        try:
            freed = vacuum(path)
        except sqlite3.Error as error:
            context.log.warning(f"{path.name} stays as it is until the next night: {error}")
        else:
            context.log.info(f"{freed:,} bytes of {path.name} were freed.")


def vacuum(database: Path) -> int:
    """Write a database of SQLite again if many of its pages are free, and return the number of bytes that this freed.

    A database that does not exist, as on PostgreSQL, is left alone.
    """
    if not database.exists():
        return 0
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        if free <= pages * LARGEST_FREE_SHARE:
            return 0
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(free * size)


@dg.job(name=HOUSEKEEPING_JOB, description="Deletes old versions of the index, and shrinks the databases of Dagster.")
def housekeeping_job() -> None:
    prune_indexes()
    vacuum_databases()


housekeeping_schedule = dg.ScheduleDefinition(
    name="housekeeping_schedule",
    job_name=HOUSEKEEPING_JOB,
    cron_schedule="30 4 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Clears away every night what nobody needs any more.",
)
