"""Start Dagster's own processes for a library, from outside Dagster.

The command line imports nothing else of this package, and this module does not import Dagster, which is slow.
``python -m mfcc_assets.defs.launch ARGUMENTS`` runs Python with these arguments, in the environment that every process
of a library's Dagster needs.
"""

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import IO, Any

from mfcc_assets.defs.broken_homes import fault_of_home, last_error
from mfcc_assets.defs.private.event_batches import EVENT_BATCHES
from mfcc_assets.errors import RunFailed, SettingsError
from mfcc_assets.settings import Settings
from mfcc_assets.signals import ended_by_signals
from mfcc_assets.storage.disk_space import tells_of_full

LIBRARY_JOB = "library"

HOST_TAG = "mfcc/host"
"""Tag of a run that was started from the command line: the machine that has its lock file. No other machine can tell
whether it is locked."""

IN_STAGES = {"mfcc/in_stages": "true"}
"""Tags of a run that analyses only the next stage of a first load. Whoever starts it starts the next one, too."""

RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"

_SIGNALS = 30
_LOOK_SECONDS = 0.1
_PATIENCE_SECONDS = 20
_LINES_READ = 40  # of a log: the last error with its traceback
_LOCK_SUFFIX = ".lock"

MODULE = "mfcc_assets.definitions"
"""Module of the code location."""

_WRITTEN = ".dagster.yaml.written"
"""File with the digest of the settings that were written into a home."""

# Digests of the settings that older versions wrote, which kept no such file.
_FORMER_SETTINGS = (
    "d79c3dcdf5728402",
    "b7f950a1cd4c40be",
    "f1f7145379a00e93",
    "1de58bff57307628",
    "b5872b0679b6f151",
    "58c02a80c9e18f72",
    "02e81086f3046e55",
    "dc2e557c44945a08",
)

# Homes made by an older version name the former module of the event log.
_FORMER_EVENT_LOG, _EVENT_LOG = b"module: mfcc_assets.event_log\n", b"module: mfcc_assets.defs.private.event_log\n"


def prepare_dagster_home(settings: Settings) -> Path:
    """Make the folder of a library's Dagster, with settings that suit one machine.

    Settings that an older version wrote, and nobody changed, are replaced. Of settings that somebody changed, only the
    module of the event log is brought up to date.

    Raises
    ------
    SettingsError
        If the folder cannot be made or written.
    """
    home = settings.dagster_home
    configuration = home / "dagster.yaml"
    try:
        home.mkdir(parents=True, exist_ok=True)
        ours, written = files("mfcc_assets").joinpath("dagster.yaml").read_bytes(), home / _WRITTEN
        present = configuration.read_bytes() if configuration.exists() else None
        known = {*_FORMER_SETTINGS, written.read_text() if written.exists() else ""}
        if present is None or (present != ours and _digest(present) in known):
            configuration.write_bytes(ours)
            written.write_text(_digest(ours))
        elif _FORMER_EVENT_LOG in present:
            configuration.write_bytes(present.replace(_FORMER_EVENT_LOG, _EVENT_LOG))
    except OSError as error:
        raise SettingsError(
            f"the folder of Dagster cannot be made or written ({error.strerror})",
            subject=str(home),
            remedy="Check MFCC_HOME, its permissions, and the disk's space",
        ) from error
    return home


def dagster_environment(settings: Settings) -> dict[str, str]:
    """Return the environment of processes that work on the same library, wherever they are started."""
    return {**settings.environment_of_children, **EVENT_BATCHES, "DAGSTER_HOME": str(settings.dagster_home)}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


@contextmanager
def running(
    settings: Settings,
    arguments: Sequence[str],
    log: Path,
    *,
    inherited: Sequence[int] = (),
    seconds_between_signals: float = 1.0,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Dagster command in a process of its own, which ends with the ``with`` block.

    Parameters
    ----------
    settings
        Settings of the library that the command works on.
    arguments
        Module and arguments.
    log
        File that the output of the process is appended to.
    inherited
        File descriptors that stay open in the process.
    seconds_between_signals
        Pause between the 30 signals that ask the process to end, after which it is killed.
    """
    prepare_dagster_home(settings)
    with log.open("ab") as output, _signals_for_children():
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dagster_environment(settings),
            pass_fds=inherited,
        )
    try:
        yield process
    finally:
        _end(process, seconds_between_signals)


def _end(process: subprocess.Popen[bytes], seconds_between_signals: float) -> None:
    # A signal during a step counts as a failure of the step: Dagster waits some seconds and tries it again. The next
    # signal, which arrives while it waits, ends the run.
    for _ in range(_SIGNALS):
        if process.poll() is not None:
            return
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds_between_signals)
    process.kill()
    process.wait()


@contextmanager
def command_line_lock(settings: Settings) -> Iterator[IO[bytes]]:
    """Take the lock that keeps the sensors from requesting a run while the command line changes the library."""
    path = lock_of(prepare_dagster_home(settings), str(uuid.uuid4()))
    with path.open("xb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield lock
        finally:
            path.unlink(missing_ok=True)


def lock_of(home: Path, run_id: str) -> Path:
    """Return the file that the process of a run from the command line keeps locked for as long as it lives."""
    return home / f"{run_id}{_LOCK_SUFFIX}"


def is_command_line_at_work(settings: Settings) -> bool:
    """Return whether a command, or the run that it started, holds its lock."""
    return any(is_held(lock) for lock in settings.dagster_home.glob(f"*{_LOCK_SUFFIX}"))


@contextmanager
def running_library_job(settings: Settings, lock: IO[bytes], command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a run over the next stage of the library. Dagster records it, and its process also holds the lock.

    Parameters
    ----------
    settings
        Settings of the library.
    lock
        Lock of the command. It names the run.
    command
        The command, such as ``mfcc add``. The Dagster UI shows it as what launched the run.
    """
    arguments = ["mfcc_assets.defs.private.command_run", _run_of(lock), command]
    with running(settings, arguments, run_log(settings), inherited=[lock.fileno()]) as process:
        yield process


def _run_of(lock: IO[bytes]) -> str:
    return Path(lock.name).stem


def is_held(lock: Path) -> bool:
    """Return whether a living process holds this lock."""
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
    """Start Dagster's daemon, which evaluates the sensors and launches the runs that they request."""
    arguments = ["dagster._daemon", "run", "-m", MODULE]
    with running(settings, arguments, daemon_log(settings)) as process:
        yield process


def range_tags(first: str, last: str) -> dict[str, str]:
    """Return the tags that make one run materialise all partitions from the first to the last."""
    return {RANGE_START_TAG: first, RANGE_END_TAG: last}


def check_succeeded(process: subprocess.Popen[bytes], settings: Settings, lock: IO[bytes]) -> None:
    """Wait for a run to end.

    Parameters
    ----------
    process
        Process of the run.
    settings
        Settings of the library.
    lock
        Lock of the command that started the run.

    Raises
    ------
    RunFailed
        The run did not succeed. The error says what failed and why.
    """
    if process.wait() == 0:
        return
    if process.returncode < 0:
        raise RunFailed(
            f"the run was killed ({signal.Signals(-process.returncode).name})",
            remedy="What it did is kept, and the same command goes on from there. If nobody killed it, this machine "
            "may lack memory",
        )
    told = subprocess.run(
        [sys.executable, "-m", "mfcc_assets.defs.failed_run", _run_of(lock)],
        env=dagster_environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    reasons, last_lines = told.stdout.decode(errors="replace").strip(), _last_lines(run_log(settings))
    # Reasons of steps are more exact. Without them, Dagster could not read its own files.
    if not reasons or tells_of_full(reasons):
        fault = fault_of_home(settings.dagster_home, reasons or "\n".join(last_lines))
        if fault is not None:
            raise RunFailed(f"the run failed. {fault}".rstrip(".")) from fault
    raise RunFailed(
        f"the run failed. {reasons or last_error(last_lines)}".rstrip(". "),
        remedy=f"Read {run_log(settings)}, or the run in the Dagster UI (make dev)",
    )


def last_library_run(settings: Settings) -> dict[str, Any] | None:
    """Return what `mfcc_assets.defs.last_run` tells of the last run over the library; None if there was none.

    Raises
    ------
    RunFailed
        If the records of runs cannot be read.
    """
    if not settings.dagster_home.is_dir():
        return None
    told = subprocess.run(
        [sys.executable, "-m", "mfcc_assets.defs.last_run"],
        env=dagster_environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        fault = fault_of_home(settings.dagster_home, told.stderr)
        what = str(fault) if fault else last_error(told.stderr.splitlines())
        raise RunFailed(f"the records of runs cannot be read. {what}".rstrip(". "), subject=str(settings.dagster_home))
    run: dict[str, Any] | None = json.loads(told.stdout)
    return run


def _last_lines(log: Path) -> list[str]:
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return []
    return [line.strip() for line in lines if line.strip()][-_LINES_READ:]


@contextmanager
def _signals_for_children() -> Iterator[None]:
    """Let processes that are started inside the ``with`` receive SIGINT and SIGTERM.

    A process that a shell starts in the background ignores SIGINT, and so do its children. Dagster handles SIGTERM as
    it handles SIGINT, so it would ignore both, and so would the processes that it starts.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ignored = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


def run_python(*programs: Sequence[str], variables: Mapping[str, str] | None = None) -> int:
    """Run Python in the environment of a library's Dagster, and return its exit code.

    When one of several programs ends, or this process is told to end, all of them end, with every process that they
    have started.

    Parameters
    ----------
    programs
        Arguments of Python for each program.
    variables
        Further variables of their environment.

    Returns
    -------
    int
        The exit code of the program that ended first.
    """
    settings = Settings()
    prepare_dagster_home(settings)
    environment = {**dagster_environment(settings), **(variables or {})}
    processes: list[subprocess.Popen[bytes]] = []
    with ended_by_signals():
        try:
            for arguments in programs:
                with _signals_for_children():
                    processes.append(
                        subprocess.Popen([sys.executable, *arguments], env=environment, start_new_session=True)
                    )
            return _first_code(processes)
        finally:
            for process in processes:
                if process.poll() is None:
                    process.terminate()
            for process in processes:
                _end_session(process)


def _first_code(processes: Sequence[subprocess.Popen[bytes]]) -> int:
    if len(processes) == 1:
        return processes[0].wait()
    while True:
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(_LOOK_SECONDS)


def _end_session(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(subprocess.TimeoutExpired, KeyboardInterrupt, SystemExit):  # a second signal ends the patience
            process.wait(_PATIENCE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def daemon_log(settings: Settings) -> Path:
    """Return the file that the daemon's output goes to."""
    return settings.dagster_home / "daemon.log"


def run_log(settings: Settings) -> Path:
    """Return the file that the output of runs from the command line goes to."""
    return settings.dagster_home / "command-line-runs.log"


if __name__ == "__main__":
    sys.exit(run_python(sys.argv[1:]))
