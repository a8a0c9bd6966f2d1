"""The sensor that fails runs whose process is gone.

A code server fails a run whose process dies. If the server dies together with the run (in a power cut, or because the
memory is exhausted), or if a command line is killed, nobody fails the run. It would stay "started" for ever, and the
sensor of the library would wait for its end. A run that was killed while it started would keep its uploads waiting for
the minutes that Dagster itself allows for a start.
"""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from mfcc_assets.defs.launch import HOST_TAG, is_held, lock_of
from mfcc_assets.defs.private.code_server import is_run_lost
from mfcc_assets.defs.run_locks import has_lost_process
from mfcc_assets.defs.sensors.cursor import INTERVAL_SECONDS
from mfcc_assets.settings import Settings

PARENT_TAG = "dagster/parent_run_id"
"""Tag of a run that executes another one again."""

HANDED_OVER_WITHIN = timedelta(seconds=30)
"""Time within which a code server knows a run that the daemon hands over to it."""


def is_orphaned(run_id: str, tags: Mapping[str, str], home: Path) -> bool:
    """Return whether the process that a run with these tags belongs to is gone.

    A run that was started from the command line holds a lock on its own machine for as long as its process lives; no
    other machine can tell. For any other run the code server that started it is asked. If somebody executes a run of
    the command line again, the new run has the tag of its host, too, but a code server starts it.

    Parameters
    ----------
    run_id, tags
        Id and tags of the run.
    home
        Dagster's home.
    """
    if HOST_TAG in tags and PARENT_TAG not in tags:
        return tags[HOST_TAG] == platform.node() and not is_held(lock_of(home, run_id))
    return is_run_lost(run_id, tags)


def _long_in_transition(instance: dg.DagsterInstance) -> Sequence[dg.DagsterRun]:
    """Return the runs that have been starting or stopping for a while.

    A code server only knows a run some moments after the daemon says that it starts.
    """
    since = datetime.now(UTC) - HANDED_OVER_WITHIN
    statuses = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING]
    return instance.get_runs(dg.RunsFilter(statuses=statuses, updated_before=since))


@dg.sensor(
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Fails runs that died together with Dagster, so that the daemon starts them again.",
)
def orphaned_runs_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    runs = [
        *context.instance.get_runs(
            dg.RunsFilter(statuses=[dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
        ),
        *_long_in_transition(context.instance),
    ]
    home = Settings().dagster_home
    orphaned = [run for run in runs if is_orphaned(run.run_id, run.tags, home) or has_lost_process(home, run.run_id)]
    for run in orphaned:
        # The run may have ended since it was listed, and its server may have forgotten it.
        latest = context.instance.get_run_by_id(run.run_id)
        if latest is not None and not latest.is_finished:
            context.instance.report_run_failed(latest, "The process that ran it is gone.")
    return dg.SkipReason(f"{len(orphaned)} of {len(runs)} unfinished runs had lost their process.")
