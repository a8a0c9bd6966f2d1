"""Lock files of runs: which runs have a living process, and which run works on the library.

The kernel releases a lock when the process that holds it ends, however it ends. So a lock tells the truth even after a
power cut, and nobody has to free it.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_SECONDS = 0.2

_LIBRARY = "library-run"
_PROCESSES = "processes"


def _unheard(_run_id: str) -> None:
    """Tell nobody."""


@contextmanager
def living(home: Path, run_id: str) -> Iterator[None]:
    """Show that a run has a process, for as long as the ``with`` block lasts.

    Parameters
    ----------
    home
        Dagster's home.
    run_id
        Id of the run.
    """
    folder = home / _PROCESSES
    folder.mkdir(parents=True, exist_ok=True)
    path, unlocked = folder / run_id, folder / f".{run_id}"
    with unlocked.open("wb") as file:
        # The file gets its name only after it is locked, so it is never found unlocked while the process lives.
        fcntl.flock(file, fcntl.LOCK_EX)
        unlocked.rename(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def has_lost_process(home: Path, run_id: str) -> bool:
    """Return whether a run has begun on this machine, and its process is gone without having ended the run."""
    path = home / _PROCESSES / run_id
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A run that ended in an orderly way has deleted its file before it released the lock.
            return path.exists()
    except (FileNotFoundError, BlockingIOError):
        return False


@contextmanager
def only_run_over_library(home: Path, run_id: str, *, on_wait: Callable[[str], None] = _unheard) -> Iterator[None]:
    """Wait until no other run works on the library, and keep others waiting for as long as the ``with`` block lasts.

    Parameters
    ----------
    home
        Dagster's home.
    run_id
        Id of the run.
    on_wait
        Called once with the id of the run that has to end first, if the run must wait.
    """
    home.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(home / _LIBRARY, os.O_RDWR | os.O_CREAT, 0o666), "r+") as file:
        has_told = False
        while not _take(file.fileno()):
            if not has_told:
                on_wait(file.read() or "another run")
                has_told = True
            time.sleep(POLL_SECONDS)
        file.seek(0)
        file.truncate()
        file.write(run_id)
        file.flush()
        yield


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
