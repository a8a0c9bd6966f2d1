"""Helpers of the sensors: the cursor of a container, and the unfinished runs.

A sensor takes new files page by page, in the order in which they arrived; its cursor remembers the last one. A cursor
cannot see a file that was deleted, a file that came with its old modification time (as in a folder that was moved in),
or work that a killed run left behind. A sweep finds these: it examines everything, and runs at intervals.
"""

import hashlib
import heapq
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import dagster as dg

from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.port import Blob

RETRY_TAG = "dagster/auto_retry_run_id"
"""Tag of a failed run that the daemon has already started again."""

INTERVAL_SECONDS = 4
"""Least time between two ticks. The daemon's own interval is about five seconds; with a minimum of five it skipped
every other tick."""

TICK_SHARE = 0.1
"""Largest share of a core that the ticks over a container may take. After a slow tick the sensor rests accordingly."""

RESTING = "Looking through the container took long, so the sensor rests for a while."

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

RETRIED_WITHIN = timedelta(minutes=1)
"""A run that failed this recently counts as unfinished: the daemon needs some seconds to start it again."""

_CLOCKS_DIFFER_SECONDS = 60
"""The clock of a file server may be this much ahead of ours."""

_Key = TypeVar("_Key", bound=str)


@dataclass(frozen=True)
class Cursor:
    """Position of a sensor in a container.

    Attributes
    ----------
    modified, name
        Modification time and name of the last blob that was taken, in the order of both.
    swept
        Time of the last sweep, in seconds since 1970.
    index
        Version of the index that answered at that time.
    rests_until, rest
        Time of the next tick, in seconds since 1970, and the length of the rest before it.
    listing
        Digest of the container's listing when all of its files were known; empty if some were not.
    """

    modified: str = ""
    name: str = ""
    swept: float = 0.0
    index: str = ""
    rests_until: float = 0.0
    rest: float = 0.0
    listing: str = ""

    @classmethod
    def parse(cls, written: str | None) -> "Cursor":
        """Read a cursor as Dagster keeps it."""
        return cls(**json.loads(written)) if written else cls()

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    def is_before(self, blob: Blob) -> bool:
        """Return whether a blob arrived after the last one that was taken."""
        return (self.modified, self.name) < _position(blob)

    def is_resting(self, now: datetime) -> bool:
        """Return whether the sensor still rests from a slow tick. A clock that was set back ends the rest."""
        return self.rests_until - self.rest <= now.timestamp() < self.rests_until

    def rested(self, began: datetime, ended: datetime) -> "Cursor":
        """Return the cursor after a tick, with a rest in proportion to the time that the tick took."""
        rest = (ended - began).total_seconds() / TICK_SHARE
        if rest <= INTERVAL_SECONDS:
            return self
        return replace(self, rests_until=ended.timestamp() + rest, rest=rest)

    def is_sweep_due(self, now: datetime, seconds: int) -> bool:
        """Return whether the last sweep is at least this many seconds ago, or the clock was set back since."""
        return not 0 <= now.timestamp() - self.swept < seconds


def take_page(blobs: Mapping[_Key, Blob], cursor: Cursor, size: int) -> tuple[list[_Key], Cursor]:
    """Take the first blobs after the cursor.

    Parameters
    ----------
    blobs
        Blobs by any key.
    size
        Largest number of blobs to take.

    Returns
    -------
    page
        Keys of the blobs that were taken, in the order of (modified, name).
    cursor
        The cursor after them.
    """
    later = (key for key, blob in blobs.items() if cursor.is_before(blob))
    page = heapq.nsmallest(size, later, key=lambda key: _position(blobs[key]))
    if page:
        modified, name = _position(blobs[page[-1]])
        cursor = replace(cursor, modified=modified, name=name)
    return page, cursor


def is_settled(blob: Blob, now: datetime, settings: Settings) -> bool:
    """Return whether nobody is still copying a file: it came as a whole, or has not changed for a while.

    If the clock was set back since the file came, its time lies in the future. Nobody has written it since then.
    """
    age = (now - blob.modified).total_seconds()
    return blob.whole or age >= settings.settle_seconds or age < -_CLOCKS_DIFFER_SECONDS


def unfinished_runs(context: dg.SensorEvaluationContext, job: str) -> list[dg.DagsterRun]:
    """Find the runs of a job that have not ended, and those that just failed and may be started again."""
    failed_since = datetime.now(UTC) - RETRIED_WITHIN
    failed = context.instance.get_runs(
        dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.FAILURE], updated_after=failed_since)
    )
    return [
        *context.instance.get_runs(dg.RunsFilter(job_name=job, statuses=UNFINISHED)),
        *(run for run in failed if RETRY_TAG not in run.tags),
    ]


def run_key(work: Iterable[str], now: datetime) -> str:
    """Name a request by the state that asks for it, and by the hour.

    Dagster never runs a key twice, even if its run failed for good. With the hour in the key, the same work is
    requested again once an hour.
    """
    return digest_of([*work, f"{now:%Y-%m-%dT%H}"])


def digest_of(lines: Iterable[str]) -> str:
    """Compute a digest of some lines; names of files may hold bytes that are no text."""
    return hashlib.blake2b("\n".join(lines).encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _position(blob: Blob) -> tuple[str, str]:
    return blob.modified.isoformat(timespec="microseconds"), blob.name
