"""What both sensors share: how far each has looked, and what is under way."""

import hashlib
import heapq
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

import dagster as dg

from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.port import Blob

RETRY_TAG = "dagster/auto_retry_run_id"

INTERVAL_SECONDS = 4
"""The daemon comes round every five seconds, give or take: with a minimum of five it passed every other time."""

LOOKS_COST = 0.1
"""Share of a core that looking may cost: listing 100,000 files takes 3 s, and is done every 30 s."""

RESTING = "It took long to look through the container; it is left alone for a while."

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

RETRIED_WITHIN = timedelta(minutes=1)
"""The daemon takes about ten seconds to start a failed run again."""


@dataclass(frozen=True)
class Cursor:
    """How far a sensor has looked.

    Attributes
    ----------
    modified, name
        Of the last blob, in the order of both.
    swept
        Time of the last sweep, in seconds since 1970.
    index
        Version of the index that answered then.
    rests_until
        When to look again, in seconds since 1970.
    listing
        Digest of the container's files when all of them were known, or nothing.
    """

    modified: str = ""
    name: str = ""
    swept: float = 0.0
    index: str = ""
    rests_until: float = 0.0
    listing: str = ""

    @classmethod
    def parse(cls, written: str | None) -> "Cursor":
        return cls(**json.loads(written)) if written else cls()

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    def is_before(self, blob: Blob) -> bool:
        return (self.modified, self.name) < _position(blob)

    def is_resting(self, now: datetime) -> bool:
        return now.timestamp() < self.rests_until

    def rested(self, began: datetime, ended: datetime) -> "Cursor":
        """The cursor after a look, with a rest in proportion to what the look cost."""
        rest = (ended - began).total_seconds() / LOOKS_COST
        return replace(self, rests_until=ended.timestamp() + rest) if rest > INTERVAL_SECONDS else self

    def is_sweep_due(self, now: datetime, seconds: int) -> bool:
        """Whether the last sweep was so long ago."""
        return now.timestamp() - self.swept >= seconds


def take_page(blobs: Mapping[str, Blob], cursor: Cursor, size: int) -> tuple[list[str], Cursor]:
    """Keys of the first `size` blobs after the cursor in the order of (modified, name), and the cursor after them."""
    later = (key for key, blob in blobs.items() if cursor.is_before(blob))
    page = heapq.nsmallest(size, later, key=lambda key: _position(blobs[key]))
    if page:
        modified, name = _position(blobs[page[-1]])
        cursor = replace(cursor, modified=modified, name=name)
    return page, cursor


def is_settled(blob: Blob, now: datetime, settings: Settings) -> bool:
    """Whether a file came as a whole or has not changed for a while, and so is no longer being copied."""
    return blob.whole or (now - blob.modified).total_seconds() >= settings.settle_seconds


def _position(blob: Blob) -> tuple[str, str]:
    return blob.modified.isoformat(timespec="microseconds"), blob.name


def _in_flight(context: dg.SensorEvaluationContext, job: str) -> list[dg.DagsterRun]:
    """Runs of a job that have not ended, and those that failed a moment ago and that the daemon may start again."""
    failed_since = datetime.now(UTC) - RETRIED_WITHIN
    failed = context.instance.get_runs(
        dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.FAILURE], updated_after=failed_since)
    )
    return [
        *context.instance.get_runs(dg.RunsFilter(job_name=job, statuses=UNFINISHED)),
        *(run for run in failed if RETRY_TAG not in run.tags),
    ]


def _run_key(work: Iterable[str], now: datetime) -> str:
    return _digest([*work, f"{now:%Y-%m-%dT%H}"])


def _digest(lines: Iterable[str]) -> str:
    return hashlib.blake2b("\n".join(lines).encode(errors="surrogatepass"), digest_size=16).hexdigest()
