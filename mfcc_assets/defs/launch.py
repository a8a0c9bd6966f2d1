"""Start Dagster's own processes for a library, from outside Dagster.

``python -m mfcc_assets.defs.launch ARGUMENTS`` goes on as Python with these arguments, in the environment of a library.
"""

import fcntl
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import IO, NoReturn

from mfcc_assets.errors import RunFailed
from mfcc_assets.ids import shard_names
from mfcc_assets.settings import Settings

LIBRARY_JOB = "library"

LOCK_TAG = "mfcc/lock"
"""Tag of a run started from the command line: the file that its process holds locked for as long as it lives."""

HOST_TAG = "mfcc/host"
"""And the machine that this file is on: no other can tell whether it is locked."""

RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"
_SIGNALS = 30
_SECONDS_BETWEEN_SIGNALS = 1.0
_LOCK_SUFFIX = ".lock"
_MODULE = "mfcc_assets.definitions"


def prepare_dagster_home(settings: Settings) -> Path:
    """Make Dagster's home of a library with the settings that suit one machine, unless it has its own."""
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "dagster.yaml"
    if not configuration.exists():
        configuration.write_bytes(files("mfcc_assets").joinpath("dagster.yaml").read_bytes())
    return home


@contextmanager
def running(
    settings: Settings, arguments: Sequence[str], log: Path, *, inherited: Sequence[int] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """A Dagster command in a process of its own, which ends with the ``with``.

    Parameters
    ----------
    settings
        Of the library that it works on.
    arguments
        Module and arguments.
    log
        Where it says what it does.
    inherited
        File descriptors that stay open in it.
    """
    prepare_dagster_home(settings)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=settings.environment_of_processes(),
            pass_fds=inherited,
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    # Dagster takes a signal in the midst of a step for a failure of it, and tries it again after some seconds. The next
    # signal, which finds it waiting, ends the run.
    for _ in range(_SIGNALS):
        if process.poll() is not None:
            return
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_SECONDS_BETWEEN_SIGNALS)
    # Dagster lets SIGTERM do what SIGINT does, which a shell's background process ignores, and so do its children.
    process.kill()
    process.wait()


@contextmanager
def command_line_lock(settings: Settings) -> Iterator[IO[bytes]]:
    """A lock that tells the sensors to leave the library alone: the command line changes it, and will run it."""
    with tempfile.NamedTemporaryFile(dir=prepare_dagster_home(settings), suffix=_LOCK_SUFFIX) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


def is_command_line_at_work(settings: Settings) -> bool:
    """Whether a command, or the run that it started, holds its lock."""
    return any(is_held(lock) for lock in settings.dagster_home.glob(f"*{_LOCK_SUFFIX}"))


@contextmanager
def running_library_job(settings: Settings, lock: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A run over the whole library, recorded in its Dagster, which holds the command line's lock as well."""
    shards = shard_names(settings.shard_digits)
    tags = json.dumps({**range_tags(shards[0], shards[-1]), LOCK_TAG: lock.name, HOST_TAG: platform.node()})
    arguments = ["dagster", "job", "execute", "-m", _MODULE, "-j", LIBRARY_JOB, "--tags", tags]
    with running(settings, arguments, run_log(settings), inherited=[lock.fileno()]) as process:
        yield process


def is_held(lock: Path) -> bool:
    """Whether a process that holds this lock is alive."""
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def running_daemon(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Dagster's daemon, which evaluates the sensors and launches the runs they request."""
    arguments = ["dagster._daemon", "run", "-m", _MODULE]
    with running(settings, arguments, daemon_log(settings)) as process:
        yield process


def range_tags(first: str, last: str) -> dict[str, str]:
    """Tags that make one run materialise all partitions from the first to the last."""
    return {RANGE_START_TAG: first, RANGE_END_TAG: last}


def check_succeeded(process: subprocess.Popen[bytes], settings: Settings) -> None:
    """Wait for a run to end.

    Raises
    ------
    RunFailed
        It did not succeed.
    """
    if process.wait() != 0:
        raise RunFailed("the run failed", remedy=f"Read {run_log(settings)}, or the run in the Dagster UI (make dev)")


def _go_on(arguments: Sequence[str]) -> NoReturn:
    settings = Settings()
    prepare_dagster_home(settings)
    os.execve(sys.executable, [sys.executable, *arguments], settings.environment_of_processes())  # noqa: S606


def daemon_log(settings: Settings) -> Path:
    """Where the daemon says what it does."""
    return settings.dagster_home / "daemon.log"


def run_log(settings: Settings) -> Path:
    """Where runs started from the command line say what they do."""
    return settings.dagster_home / "command-line-runs.log"


if __name__ == "__main__":
    _go_on(sys.argv[1:])
