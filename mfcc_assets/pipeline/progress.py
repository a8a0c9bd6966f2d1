"""How far a run over the library is: its phase, the files done, the rate, the remaining time, and the rejects.

A run writes its progress to a file in the library's home, which other processes on this machine read.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.texts import printable

if TYPE_CHECKING:
    from mfcc_assets.compute.port import Activity

_MINUTE, _HOUR = 60, 3600

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Progress:
    """The progress of one phase.

    Attributes
    ----------
    phase
        What is done, such as ``Analysing audio``.
    done, total
        Number of things that are done, and of all. The total is 0 if nothing is counted.
    unit
        What is counted.
    per_second
        How many are done per second. If the remaining time is known, it is that of the rest: the largest files come
        first, so many more of the others are done in a second. 0 if it is not known yet.
    seconds_left
        Estimated time to the end of the phase; None if it is not known yet.
    rejects
        Number of files of the library that cannot be used.
    current
        Name of a file or of a shard that is at work.
    at
        Time of this progress, in seconds since 1970.
    """

    phase: str
    done: int = 0
    total: int = 0
    unit: str = "files"
    per_second: float = 0.0
    seconds_left: float | None = None
    rejects: int = 0
    current: str = ""
    at: float = field(default_factory=time.time)

    @property
    def counted(self) -> str:
        """How many are done, such as ``620 of 2,792 files``; empty if nothing is counted."""
        return f"{self.done:,} of {self.total:,} {self.unit}" if self.total else ""

    @property
    def is_complete(self) -> bool:
        """Whether all are done; false if nothing is counted."""
        return 0 < self.total <= self.done

    @property
    def details(self) -> str:
        """The rate, the remaining time, the number of rejects, and the file or shard at work, as far as known."""
        known = [
            _rate(self.per_second) if self.per_second else "",
            f"about {_in_words(self.seconds_left)} left" if self.seconds_left is not None else "",
            f"{self.rejects:,} rejected" if self.rejects else "",
            printable(shown_name(self.current)),
        ]
        return ", ".join(filter(None, known))

    def __str__(self) -> str:
        said = ", ".join(filter(None, (self.counted, self.details)))
        return f"{self.phase}: {said}" if said else self.phase


Report = Callable[[Progress], None]
"""A function that shows progress."""


def unseen(_: Progress) -> None:
    """Show no progress."""


class Tally:
    """Counts what is done in one phase, files unless `unit` says otherwise, and reports it after each.

    Several threads may begin files.

    Parameters
    ----------
    report
        Function that shows the progress.
    phase
        Name of the phase.
    total
        Number of all files, with those that were done before.
    before
        Number of files that were done before.
    rejects
        Number of files that were rejected before.
    work
        Amount of work that remains, in any unit, such as bytes. The remaining time is estimated from it. By default
        each file is as much work as another.
    first
        Name of the first file.
    unit
        What is counted, if it is not files.
    """

    def __init__(
        self,
        report: Report,
        phase: str,
        total: int,
        *,
        before: int = 0,
        rejects: int = 0,
        work: float | None = None,
        first: str = "",
        unit: str = "files",
    ) -> None:
        self._report, self._phase, self._total, self._unit = report, phase, total, unit
        self._before = self._done = before
        self._rejects = rejects
        self._work, self._work_done = float(total - before) if work is None else work, 0.0
        self._began = time.monotonic()
        self._at_work: dict[str, None] = {}
        self._lock = threading.Lock()
        report(Progress(phase, before, total, unit, rejects=rejects, current=first))

    def begin(self, name: str) -> None:
        """Remember that a file is at work."""
        with self._lock:
            self._at_work[name] = None

    def end(self, name: str, *, files: int = 1, work: float = 1.0, rejected: bool = False) -> None:
        """Count a file, or several files of the same content, and report the progress.

        Parameters
        ----------
        name
            Name of the file that was begun.
        files
            Number of files that are done with it.
        work
            Its work, in the unit of the whole.
        rejected
            True if it cannot be used.
        """
        with self._lock:
            self._at_work.pop(name, None)
            current = next(reversed(self._at_work), name)
        self._done += files
        self._work_done += work
        self._rejects += files if rejected else 0
        seconds = time.monotonic() - self._began
        left = max(0.0, self._work - self._work_done) / self._work_done * seconds if self._work_done else None
        rate = (self._total - self._done) / left if left else (self._done - self._before) / max(seconds, 1e-9)
        self._report(
            Progress(
                self._phase,
                self._done,
                self._total,
                self._unit,
                per_second=rate,
                seconds_left=left,
                rejects=self._rejects,
                current=current,
            )
        )

    def tell(self, doing: str) -> None:
        """Report what is done before the first file can begin, such as the start of an engine."""
        self._report(Progress(doing, self._done, self._total, rejects=self._rejects))


def begun_in(tally: Tally, names: Mapping[str, str]) -> "Callable[[Activity], None]":
    """Return a function that counts in a tally what an engine begins; `names` has the name of each key."""

    def tell(activity: "Activity") -> None:
        if activity.doing:
            tally.tell(activity.doing)
        for key in activity.begun:
            tally.begin(names[key])

    return tell


def start_of_engine(report: Report) -> "Callable[[Activity], None]":
    """Return a function that reports what an engine does before it can compute, such as the start of a cluster."""

    def tell(activity: "Activity") -> None:
        if activity.doing:
            report(Progress(activity.doing))

    return tell


def by_shard(report: Report, phase: str, items: Iterable[_Item], shards: Sequence[str]) -> Iterator[_Item]:
    """Yield what is done of each shard, and report which one is at work.

    Parameters
    ----------
    report
        Function that shows the progress.
    phase
        Name of the phase.
    items
        What is done of each shard. It is done when the next item is asked for.
    shards
        The shards.
    """
    tally = Tally(report, phase, len(shards), unit="shards", first=_shown_shard(shards, 0))
    for number, item in enumerate(items):
        yield item
        tally.begin(_shown_shard(shards, number + 1))
        tally.end(_shown_shard(shards, number))


def _shown_shard(shards: Sequence[str], number: int) -> str:
    return f"shard {shards[number]}" if number < len(shards) else ""


def write_progress(path: Path, progress: Progress) -> None:
    """Write progress to a file. A full disk or a missing permission does not disturb the work that is reported."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(asdict(progress)))
        part.replace(path)


def read_progress(path: Path) -> Progress | None:
    """Read the progress that was written last; None if there is none."""
    try:
        return Progress(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _rate(per_second: float) -> str:
    rates = {"a second": per_second, "a minute": per_second * _MINUTE, "an hour": per_second * _HOUR}
    time_unit = next((name for name, rate in rates.items() if rate >= 1), "an hour")
    rate = rates[time_unit]
    return f"{rate:.{1 if rate < 10 else 0}f} {time_unit}"


def _in_words(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    hours, minutes = divmod(round(seconds / _MINUTE), _MINUTE)
    return f"{hours} h {minutes} min"
