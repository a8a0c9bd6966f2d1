"""Tell of the last run over the library: ``python -m mfcc_assets.defs.last_run`` prints it as JSON.

The command line does not import Dagster, which is slow. It starts this module instead.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from mfcc_assets.defs.failed_run import is_interrupted
from mfcc_assets.defs.launch import HOST_TAG, LIBRARY_JOB
from mfcc_assets.defs.run_locks import has_lost_process
from mfcc_assets.defs.sensors.orphaned_runs import is_orphaned

_JOBS = (LIBRARY_JOB, "__ASSET_JOB")  # Dagster gives the second name to runs that are started from the asset graph
_WORDS = {
    dg.DagsterRunStatus.SUCCESS: "succeeded",
    dg.DagsterRunStatus.FAILURE: "failed",
    dg.DagsterRunStatus.CANCELED: "was stopped",
    dg.DagsterRunStatus.CANCELING: "is being stopped",
}


def last_library_run(instance: dg.DagsterInstance) -> dict[str, str | float | None] | None:
    """Return the run over the library, or over parts of it, that was started last; None if there was none.

    Returns
    -------
    dict
        ``run_id``; ``outcome``, for example ``succeeded``, ``was stopped`` or ``has not ended``; ``started_at``, an ISO
        8601 text; and ``seconds`` that it took, None if it did not end.
    """
    records = [record for job in _JOBS for record in instance.get_run_records(dg.RunsFilter(job_name=job), limit=1)]
    if not records:
        return None
    record = max(records, key=lambda record: record.create_timestamp)
    run, start, end = record.dagster_run, record.start_time, record.end_time
    started = datetime.fromtimestamp(start, UTC) if start else record.create_timestamp
    return {
        "run_id": run.run_id,
        "outcome": _outcome(instance, run),
        "started_at": started.isoformat(timespec="seconds"),
        "seconds": end - start if start and end else None,
    }


def _outcome(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    if not run.is_finished and _is_killed(run, Path(instance.root_directory)):
        return "was killed"
    if run.status == dg.DagsterRunStatus.FAILURE and is_interrupted(instance, run.run_id):
        return "was stopped"
    return _WORDS.get(run.status, "has not ended")


def _is_killed(run: dg.DagsterRun, home: Path) -> bool:
    is_of_command = HOST_TAG in run.tags  # only then can its lock be asked, and not its code server
    return has_lost_process(home, run.run_id) or (is_of_command and is_orphaned(run.run_id, run.tags, home))


if __name__ == "__main__":
    with dg.DagsterInstance.get() as _instance:
        print(json.dumps(last_library_run(_instance)))  # noqa: T201
