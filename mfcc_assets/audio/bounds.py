"""Bounds on what the reading of one file may cost, and the system calls by which a process keeps itself within them."""

import faulthandler
import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

try:
    import resource
except ImportError:  # Windows has no limits for a process.
    resource = None  # type: ignore[assignment]

_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Bounds:
    """What the reading of one file may cost.

    On Linux all bounds are kept. macOS does not keep the bound on memory, and Windows keeps only those on waiting and
    on samples.

    Attributes
    ----------
    cpu_seconds
        Seconds of CPU that every file may take.
    cpu_share
        Seconds of CPU that a file may take in addition for each second of audio that was decoded.
    waiting_seconds
        Longest time in seconds in which nothing is decoded, for example because a disk does not answer.
    memory_bytes
        Memory beyond that of a process that reads nothing. The pages of the file itself do not count, though they are
        part of what the system shows as resident: it takes them back when others need memory.
    samples, samples_per_byte
        Most samples, of all channels together, that are decoded of any file, and in addition for each of its bytes. A
        few bytes of a FLAC can declare an hour of samples that are all equal.
    """

    cpu_seconds: float = 20.0
    cpu_share: float = 0.1
    waiting_seconds: float = 120.0
    memory_bytes: int = 512 << 20
    samples: int = 1 << 28
    samples_per_byte: int = 1_000


class Budget:
    """Keeps this process within bounds while it reads one file. If they are exceeded, the system ends the process.

    Parameters
    ----------
    bounds
        The bounds.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._begin = time.process_time()
        self._cpu_limit = 0
        self.working(0.0)
        if used := _used_bytes():
            _set_limit("RLIMIT_DATA", used + bounds.memory_bytes)

    def working(self, decoded_seconds: float) -> None:
        """Begin a piece of work, after so many seconds of audio have been decoded in all."""
        _end_after(self._bounds.waiting_seconds)
        allowed = self._begin + self._bounds.cpu_seconds + self._bounds.cpu_share * decoded_seconds
        if (limit := math.ceil(allowed)) > self._cpu_limit:
            self._cpu_limit = limit
            _set_limit("RLIMIT_CPU", limit)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Wait for others within the ``with``: this time does not count."""
        _end_after(None)
        yield
        _end_after(self._bounds.waiting_seconds)

    def end(self) -> None:
        """End the reading of the file. The time until the next one does not count."""
        _end_after(None)


def _end_after(seconds: float | None) -> None:
    """End this process after so many seconds, or never. What was said before no longer holds."""
    if sys.platform != "win32":
        # No handler is installed, so the signal ends the process, whatever its threads do.
        signal.setitimer(signal.ITIMER_REAL, seconds or 0)
    elif seconds is None:
        faulthandler.cancel_dump_traceback_later()
    else:
        faulthandler.dump_traceback_later(seconds, exit=True)


def prepare() -> None:
    """Let the system end this process where a budget asks for it, without a file of its memory."""
    if sys.platform != "win32":
        # A process inherits which signals are ignored or blocked.
        for number in (signal.SIGALRM, signal.SIGXCPU):
            signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    _set_limit("RLIMIT_CORE", 0)


def _set_limit(name: str, limit: int) -> None:
    if resource is None:
        return
    kind = getattr(resource, name)
    _, highest = resource.getrlimit(kind)
    if highest != resource.RLIM_INFINITY:
        limit = min(limit, highest)
    with suppress(OSError, ValueError):  # not every system has every limit
        resource.setrlimit(kind, (limit, highest))


def _used_bytes() -> int:
    """Return the bytes that `RLIMIT_DATA` counts, or 0 where the system does not tell."""
    with suppress(OSError, ValueError):
        lines = _STATUS.read_text().splitlines()
        return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmData:")), 0)
    return 0
