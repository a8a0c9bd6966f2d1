"""Ask a code server whether it still runs a run.

A code server fails a run whose process dies. If the server itself dies or is restarted, nobody does. Asking it whether
it can cancel a run tells whether it runs that run; the client for this gRPC call is private.
"""

import json
import socket
from collections.abc import Mapping
from typing import Any

CODE_SERVER_TAG = ".dagster/grpc_info"
"""Tag of a run: the address of the code server that started it, as JSON."""

_ANSWER_SECONDS = 5


def is_run_lost(run_id: str, tags: Mapping[str, str]) -> bool:
    """Return whether the code server that started a run is gone, or says that it does not run it.

    A server that does not answer on its port may only be restarting, so its runs are not lost yet.
    """
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
    # These imports are slow, and no run needs them.
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
