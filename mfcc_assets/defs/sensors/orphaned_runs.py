"""Runs that died together with Dagster, and that nobody fails.

A code server fails a run whose process dies. Where the server died with it, in a power cut or for want of memory, or a
command line was killed, nobody does: the run would be under way for ever, and the library wait for its end.
"""

import json
import platform
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from mfcc_assets.defs.launch import HOST_TAG, LOCK_TAG, is_held
from mfcc_assets.defs.sensors.cursor import INTERVAL_SECONDS

CODE_SERVER_TAG = ".dagster/grpc_info"
_ANSWER_SECONDS = 5


@dg.sensor(
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Fails runs that died together with Dagster, so that the daemon starts them again.",
)
def orphaned_runs_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    begun = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED]
    runs = context.instance.get_runs(dg.RunsFilter(statuses=begun))
    orphaned = [run for run in runs if is_orphaned(run.run_id, run.tags)]
    for run in orphaned:
        # It may have ended since it was listed, and its server forgotten it.
        latest = context.instance.get_run_by_id(run.run_id)
        if latest is not None and not latest.is_finished:
            context.instance.report_run_failed(latest, "The process that ran it is gone.")
    return dg.SkipReason(f"{len(orphaned)} of {len(runs)} runs under way had no process.")


def is_orphaned(run_id: str, tags: Mapping[str, str]) -> bool:
    """Whether the process is gone that a run with these tags belongs to.

    A run started from the command line holds a lock on its own machine as long as its process lives. The code server
    that started another listens on a local socket, or on a port, where it says whether the run is one of its own.
    """
    if LOCK_TAG in tags:
        return tags.get(HOST_TAG) == platform.node() and not is_held(Path(tags[LOCK_TAG]))
    address = json.loads(tags.get(CODE_SERVER_TAG, "{}"))
    if "socket" in address:
        return not _listens(address["socket"])
    return "port" in address and _disowns(address, run_id)


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def _disowns(address: Mapping[str, Any], run_id: str) -> bool:
    """Whether the code server answers that it does not run this. One that does not answer may only be restarting."""
    # 0.1 s of imports, that no run needs.
    from dagster._core.errors import DagsterUserCodeUnreachableError
    from dagster._grpc.client import DagsterGrpcClient
    from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
    from dagster._serdes import deserialize_value

    client = DagsterGrpcClient(host=address["host"], port=address["port"], use_ssl=bool(address.get("use_ssl", False)))
    try:
        answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run_id), timeout=_ANSWER_SECONDS)
    except DagsterUserCodeUnreachableError:
        return False
    return not deserialize_value(answer, CanCancelExecutionResult).can_cancel
