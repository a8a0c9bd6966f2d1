"""Sensors: what arrives in a container becomes a run.

A tick is a thin shell over pure functions, and looks at the state, not at events. A cursor takes what has come page by
page, in the order of arrival. What it cannot see is found by a sweep, now and then and whenever another index answers:
soundtracks that went, what came with a folder moved in, what a dead run left half-way, and uploads that failed for want
of an index. The run key is the state that asks for a run, and the hour: the same work is requested once and, should its
run have failed for good, once more every hour. Looking through a large container takes seconds, and is followed by a
rest.
"""

import hashlib
import heapq
import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import dagster as dg

from mfcc_assets.core.errors import DocumentNotFound
from mfcc_assets.launch import (
    LIBRARY_JOB,
    RANGE_END_TAG,
    RANGE_START_TAG,
    is_command_line_at_work,
    range_tags,
)
from mfcc_assets.library import Library
from mfcc_assets.partitions import UPLOADS
from mfcc_assets.settings import Settings
from mfcc_assets.stages.claiming import FAILED, RANKED, UNANSWERED
from mfcc_assets.stages.reporting import changed_soundtracks, outstanding_work
from mfcc_assets.stages.uploading import UNANSWERABLE, upload_files, uploads_by_id
from mfcc_assets.stores.blobs import Blob

UPLOADS_JOB = "uploads"
PARTITION_TAG = "dagster/partition"
RETRY_TAG = "dagster/auto_retry_run_id"

INTERVAL_SECONDS = 4
"""The daemon comes round every five seconds, give or take: with a minimum of five it passed every other time."""

PAUSE_SECONDS = 0.1
"""Between two looks of one round, where a look costs next to nothing."""

LOOKS_COST = 0.1
"""Share of a core that looking may cost: listing 100,000 files takes 3 s, and is done every 30 s."""

NOTHING_ARRIVED = "Nothing has arrived."
UP_TO_DATE = "The library is up to date."
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


def wait_for_arrival(library: Library, cursor: Cursor) -> None:
    """Wait until something new lies in the container `uploads` that is no longer being copied.

    The daemon comes round every five seconds, which is too long for a listener, and cannot be told to come more often.
    """
    settings = library.settings
    until = time.monotonic() + settings.watch_seconds
    while (began := time.monotonic()) < until:
        now = datetime.now(UTC)
        if any(cursor.is_before(blob) and is_settled(blob, now, settings) for blob in upload_files(library)):
            return
        ended = time.monotonic()
        time.sleep(max(0.0, min(max(PAUSE_SECONDS, (ended - began) / LOOKS_COST), until - ended)))


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


def unanswered(uploads: Iterable[str], documents: Mapping[str, Mapping[str, Any]], *, can_search: bool) -> list[str]:
    """The uploads that have no answer: unknown, left half-way, or failed for want of an index that is there now."""

    def lacks_answer(document: Mapping[str, Any] | None) -> bool:
        if document is None:
            return True
        if document["state"] == FAILED:
            return can_search and document["failure"]["code"] in UNANSWERABLE
        return bool(document["state"] != RANKED)

    return [upload for upload in uploads if lacks_answer(documents.get(upload))]


def consecutive(keys: Iterable[str], wanted: Collection[str], size: int) -> Iterator[list[str]]:
    """The wanted keys in groups of at most `size` that are neighbours among all keys, so that a range covers each."""
    for is_wanted, group in groupby(keys, key=lambda key: key in wanted):
        neighbours = list(group) if is_wanted else []
        for start in range(0, len(neighbours), size):
            yield neighbours[start : start + size]


def partitions_of_run(tags: Mapping[str, str], keys: Sequence[str]) -> Sequence[str]:
    """The partitions that a run with these tags materialises: one, or a range of all keys."""
    first = tags.get(RANGE_START_TAG, tags.get(PARTITION_TAG))
    last = tags.get(RANGE_END_TAG, tags.get(PARTITION_TAG))
    if first not in keys or last not in keys:
        return []
    return keys[keys.index(first) : keys.index(last) + 1]


@dg.sensor(
    job_name=UPLOADS_JOB,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Answers what arrives in the container `uploads`.",
)
def uploads_sensor(
    context: dg.SensorEvaluationContext, library: dg.ResourceParam[Library]
) -> dg.SensorResult | dg.SkipReason:
    settings, before = library.settings, Cursor.parse(context.cursor)
    if before.is_resting(datetime.now(UTC)):
        return dg.SkipReason(RESTING)
    if not before.is_sweep_due(datetime.now(UTC), settings.sweep_seconds):
        wait_for_arrival(library, before)
    now = datetime.now(UTC)
    index = library.indexes.published_version() or ""
    uploads = {upload: blob for upload, blob in uploads_by_id(library).items() if is_settled(blob, now, settings)}
    looked_at, cursor = take_page(uploads, before, settings.sensor_page)
    is_sweeping = before.is_sweep_due(now, settings.sweep_seconds) or before.index != index
    if is_sweeping:
        cursor = replace(cursor, swept=now.timestamp(), index=index)
        looked_at += [upload for upload, blob in uploads.items() if not before.is_before(blob)]
    if not looked_at:
        return dg.SensorResult(skip_reason=NOTHING_ARRIVED, cursor=str(cursor.rested(now, datetime.now(UTC))))

    # Before the documents are read: what ends between the two has written its documents by then.
    partitions = context.instance.get_dynamic_partitions(UPLOADS.name or "")
    answering = {key for run in _in_flight(context, UPLOADS_JOB) for key in partitions_of_run(run.tags, partitions)}
    if is_sweeping:
        usable = library.indexes.published_if_usable()
        can_search = usable is not None and bool(usable.tracks)
        answered = library.documents.ids(RANKED)
        looked_at = [upload for upload in looked_at if upload not in answered]
        documents = {document.id: document.body for state in UNANSWERED for document in library.documents.find(state)}
    else:
        can_search = False
        documents = _documents(library, looked_at)

    wanted = [upload for upload in unanswered(looked_at, documents, can_search=can_search) if upload not in answering]
    known = set(partitions)
    new = [upload for upload in wanted if upload not in known]
    groups = consecutive([*partitions, *new], set(wanted), settings.sensor_page)
    runs = [_run_that_answers(group, documents, index, now) for group in groups]
    return dg.SensorResult(
        run_requests=runs,
        skip_reason=None if runs else NOTHING_ARRIVED,
        dynamic_partitions_requests=[UPLOADS.build_add_request(new)] if new else [],
        cursor=str(cursor.rested(now, datetime.now(UTC))),
    )


@dg.sensor(
    job_name=LIBRARY_JOB,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Brings the library up to date when files in the container `soundtracks` come, change or go.",
)
def soundtracks_sensor(
    context: dg.SensorEvaluationContext, library: dg.ResourceParam[Library]
) -> dg.SensorResult | dg.SkipReason:
    if _in_flight(context, LIBRARY_JOB) or is_command_line_at_work(library.settings):
        return dg.SkipReason("A run over the library is under way; what has come since is found after it.")
    now, settings, before = datetime.now(UTC), library.settings, Cursor.parse(context.cursor)
    if before.is_resting(now):
        return dg.SkipReason(RESTING)
    files = library.soundtrack_files()
    listing = _digest(f"{name} {blob.etag}" for name, blob in files.items())
    # The tables are not asked in vain: one question in five seconds keeps a serverless database awake, and paid for.
    if listing == before.listing and not before.is_sweep_due(now, settings.library_sweep_seconds):
        return dg.SensorResult(skip_reason=UP_TO_DATE, cursor=str(before.rested(now, datetime.now(UTC))))
    unknown = changed_soundtracks(library, files)
    changed = {name: blob for name, blob in unknown.items() if is_settled(blob, now, settings)}
    page, cursor = take_page(changed, before, settings.sensor_page)
    work = [f"{name} {changed[name].etag}" for name in page]
    if not work and before.is_sweep_due(now, settings.library_sweep_seconds):
        cursor = replace(cursor, swept=now.timestamp())
        work = outstanding_work(library)
    if not work and not unknown:
        cursor = replace(cursor, listing=listing)
        library.tables.close()  # a connection that is kept would keep the database awake as well
    if work:
        context.log.info(f"{len(work)} changes, the first: {work[0]}")
    shards = library.shards
    # A file that goes, comes back and goes again asks for two runs, though both times the same is to be done.
    done = context.instance.get_runs(
        dg.RunsFilter(job_name=LIBRARY_JOB, statuses=[dg.DagsterRunStatus.SUCCESS]), limit=1
    )
    state = [*work, *(run.run_id for run in done)]
    request = dg.RunRequest(run_key=_run_key(state, now), tags=range_tags(shards[0], shards[-1]))
    return dg.SensorResult(
        run_requests=[request] if work else [],
        skip_reason=None if work else UP_TO_DATE,
        cursor=str(cursor.rested(now, datetime.now(UTC))),
    )


def _position(blob: Blob) -> tuple[str, str]:
    return blob.modified.isoformat(timespec="microseconds"), blob.name


def _run_that_answers(
    uploads: Sequence[str], documents: Mapping[str, Mapping[str, Any]], index: str, now: datetime
) -> dg.RunRequest:
    states = [
        f"{upload} {document.get('state')} {document.get('failure', {}).get('code')} {index}"
        for upload in uploads
        for document in [documents.get(upload, {})]
    ]
    return dg.RunRequest(run_key=_run_key(states, now), tags=range_tags(uploads[0], uploads[-1]))


def _documents(library: Library, uploads: Iterable[str]) -> dict[str, dict[str, Any]]:
    documents = {}
    for upload in uploads:
        try:
            documents[upload] = library.documents.get(upload).body
        except DocumentNotFound:
            continue
    return documents


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
