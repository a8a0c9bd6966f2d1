"""Starts servers as subprocesses, waits until they are ready, and stops them with all their children."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PATIENCE_SECONDS = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts_connections(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running_server(
    command: Sequence[str | Path],
    log: Path,
    is_ready: Callable[[], bool],
    *,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in a session of its own until the end of the ``with``, which begins when the server is ready.

    Parameters
    ----------
    command
        Program and arguments.
    log
        File for the output of the server.
    is_ready
        Function that returns whether the server is ready. It is called until it returns true.
    environment
        Variables to add to those of this process.

    Raises
    ------
    RuntimeError
        If the server ends before it is ready, or does not become ready in time.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=REPOSITORY,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} is not ready:\n{log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.05)
        yield process
    finally:
        # An orderly stop would take some servers many seconds, and a hanging child would survive it.
        with suppress(ProcessLookupError):  # a server that could not start has ended already
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
