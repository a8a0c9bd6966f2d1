"""Fair measurements of time: contestants take turns in one process, and a figure is a median with its range."""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SMALLEST_UNIT = 1e-6


@dataclass(frozen=True)
class Measured:
    """A quantity over several runs."""

    runs: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.runs)

    @property
    def least(self) -> float:
        return min(self.runs)

    @property
    def most(self) -> float:
        return max(self.runs)

    def __str__(self) -> str:
        """Return the median and the range as times, in a suitable unit."""
        unit, factor = next(
            ((unit, factor) for unit, factor in (("s", 1.0), ("ms", 1e-3)) if self.median >= factor),
            ("µs", SMALLEST_UNIT),
        )
        median, least, most = (f"{seconds / factor:.3g}" for seconds in (self.median, self.least, self.most))
        return f"{median} {unit} ({least}–{most})" if len(self.runs) > 1 else f"{median} {unit}"


def in_turns(contestants: Mapping[str, Callable[[], object]], runs: int) -> dict[str, Measured]:
    """Measure the time of each call. All run once before any runs again, so that a slow minute affects all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(runs):
        for name, call in contestants.items():
            begun = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - begun)
    return {name: Measured(tuple(taken)) for name, taken in seconds.items()}


def cpu_seconds() -> float:
    """Return the CPU seconds that this process and its child processes, which decode files, have taken so far."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    threads = Path("/proc/self/task").glob("*/children")
    living = [child for thread in threads for child in thread.read_text().split()]
    return time.process_time() + ended.ru_utime + ended.ru_stime + sum(map(_cpu_seconds_of, living))


def _cpu_seconds_of(process: str) -> float:
    # The name of the program, in brackets, may hold spaces.
    numbers = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    user, system = numbers[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class ChildUsage:
    """The time and the memory that a child process took."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


_LAUNCHER = """
import json, os, sys, time

begun = time.perf_counter()
silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
_, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=silent), 0)
if status:
    sys.exit(1)
seconds, cpu_seconds = time.perf_counter() - begun, usage.ru_utime + usage.ru_stime
print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_bytes": usage.ru_maxrss * 1024}))
"""
"""A program that starts the measured process. Linux reports a peak of memory for a child that is at least the peak of
its parent at the start, so the parent must be as small as possible."""


def of_child(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> ChildUsage:
    """Run `python <arguments>` and measure the whole process, with its start and its imports.

    Raises
    ------
    RuntimeError
        If the process fails.
    """
    launched = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, sys.executable, *arguments],
        env=dict(environment or os.environ),
        stdout=subprocess.PIPE,
        text=True,
    )
    if launched.returncode:
        raise RuntimeError(f"python {' '.join(arguments)} failed")
    return ChildUsage(**json.loads(launched.stdout))


def machine() -> str:
    """Describe the machine that the figures hold for: processor, cores and version of Python."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    vectors = next((name for name in ("avx512f", "avx2") if any(name in line for line in lines)), "no AVX")
    processor = names[0] if names else platform.processor()
    return f"{processor} ({vectors.upper()}), {os.cpu_count()} cores, Python {platform.python_version()}"
