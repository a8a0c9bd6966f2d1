"""Sensors: what arrives in a container becomes a run.

A tick is a thin shell over two pure functions. `take_page` moves a cursor over what is new, so that the latest arrivals
are answered in seconds and a flood of them in pages. A sweep, every few minutes, compares all there is with all that is
known: it finds what a cursor cannot see, which is what was deleted, what was copied in with an old date, and what a
killed run left half done. The run key is the state itself, so that the same state is requested once and, should its run
have failed for good, once more every hour.
"""

import hashlib
import heapq
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import dagster as dg

from mfcc_assets.core.catalogue import is_companion, upload_id
from mfcc_assets.launch import LIBRARY_JOB, range_tags
from mfcc_assets.library import Library
from mfcc_assets.partitions import UPLOADS
from mfcc_assets.stages.reporting import outstanding_work
from mfcc_assets.stages.uploading import FAILED, RANKED, UNANSWERABLE
from mfcc_assets.stores.blobs import Blob

UPLOADS_JOB = "uploads"
UPLOADS_TAG = "mfcc/uploads"
"""Tag of a run: the uploads it answers."""

_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dataclass(frozen=True)
class Cursor:
    """How far a sensor has looked: the last blob in the order of (modified, name), and the time of the last sweep."""

    modified: str = ""
    name: str = ""
    swept: float = 0.0

    @classmethod
    def parse(cls, written: str | None) -> "Cursor":
        return cls(**json.loads(written)) if written else cls()

    def __str__(self) -> str:
        return json.dumps(self.__dict__)


def take_page(blobs: Iterable[Blob], cursor: Cursor, size: int) -> tuple[list[Blob], Cursor]:
    """The first `size` blobs after the cursor in the order of (modified, name), and the cursor after them."""

    def position(blob: Blob) -> tuple[str, str]:
        return blob.modified.isoformat(timespec="microseconds"), blob.name

    after = (blob for blob in blobs if position(blob) > (cursor.modified, cursor.name))
    page = heapq.nsmallest(size, after, key=position)
    if page:
        modified, name = position(page[-1])
        cursor = replace(cursor, modified=modified, name=name)
    return page, cursor


def unanswered(uploads: Iterable[str], documents: Mapping[str, Mapping[str, object]], *, can_search: bool) -> list[str]:
    """The uploads that have no answer: unknown, left half-way, or failed for want of an index that is there now."""

    def lacks_answer(upload: str) -> bool:
        document = documents.get(upload)
        if document is None:
            return True
        if document["state"] == FAILED:
            failure = document["failure"]
            assert isinstance(failure, Mapping)
            return can_search and failure["code"] in UNANSWERABLE
        return document["state"] != RANKED

    return [upload for upload in uploads if lacks_answer(upload)]


@dg.sensor(
    job_name=UPLOADS_JOB,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Answers what arrives in the container `uploads`.",
)
def uploads_sensor(
    context: dg.SensorEvaluationContext, library: dg.ResourceParam[Library]
) -> dg.SensorResult | dg.SkipReason:
    settings = library.settings
    cursor = Cursor.parse(context.cursor)
    blobs = [blob for blob in library.blobs.list("uploads") if not is_companion(blob.name)]
    ids = {blob.name: upload_id(blob.name, blob.etag, library.signing_key) for blob in blobs}
    page, cursor = take_page(blobs, cursor, settings.sensor_page)
    arrived = list(dict.fromkeys(ids[blob.name] for blob in page))
    requests = {upload: upload for upload in arrived}

    now = datetime.now(UTC)
    if now.timestamp() - cursor.swept >= settings.sweep_seconds:
        cursor = replace(cursor, swept=now.timestamp())
        documents = {document.id: document.body for document in library.documents.find()}
        version = library.indexes.published_version()
        lost = unanswered(ids.values(), documents, can_search=version is not None)
        busy = _uploads_in_flight(context.instance)
        later = [blob for blob in blobs if blob not in page]
        waiting = {ids[blob.name] for blob in take_page(later, cursor, len(later))[0]}
        requests |= {
            upload: f"{upload} index {version} {now:%Y-%m-%dT%H}"
            for upload in lost[: settings.sensor_page]
            if upload not in busy and upload not in waiting and upload not in requests
        }
    if not requests:
        context.update_cursor(str(cursor))
        return dg.SkipReason("Nothing has arrived.")
    known = set(context.instance.get_dynamic_partitions(str(UPLOADS.name)))
    new = [upload for upload in requests if upload not in known]
    runs = [_run_for([upload], requests[upload]) for upload in requests if upload in known]
    if new:
        runs.append(_run_for(new, _digest(requests[upload] for upload in new)))
    return dg.SensorResult(
        run_requests=runs,
        dynamic_partitions_requests=[UPLOADS.build_add_request(new)] if new else [],
        cursor=str(cursor),
    )


@dg.sensor(
    job_name=LIBRARY_JOB,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Brings the library up to date when files in the container `soundtracks` come, change or go.",
)
def soundtracks_sensor(
    context: dg.SensorEvaluationContext, library: dg.ResourceParam[Library]
) -> dg.SensorResult | dg.SkipReason:
    settings = library.settings
    if context.instance.get_runs(dg.RunsFilter(job_name=LIBRARY_JOB, statuses=_UNFINISHED), limit=1):
        return dg.SkipReason("A run over the library is under way; what has come since is found after it.")
    cursor = Cursor.parse(context.cursor)
    blobs = (blob for blob in library.blobs.list("soundtracks") if not is_companion(blob.name))
    page, cursor = take_page(blobs, cursor, settings.sensor_page)
    known = library.tables.manifest(library.shards) if page else {}
    work = [f"{blob.name} {blob.etag}" for blob in page if known.get(blob.name) != blob.etag]

    now = datetime.now(UTC)
    if not work and now.timestamp() - cursor.swept >= settings.sweep_seconds:
        cursor = replace(cursor, swept=now.timestamp())
        work = outstanding_work(library)
        if work:
            work.append(f"{now:%Y-%m-%dT%H}")
    context.update_cursor(str(cursor))
    if not work:
        return dg.SkipReason("The library is up to date.")
    context.log.info(f"{len(work)} changes, the first: {work[0]}")
    shards = library.shards
    request = dg.RunRequest(run_key=_digest(work), tags=range_tags(shards[0], shards[-1]))
    return dg.SensorResult(run_requests=[request], cursor=str(cursor))


def _run_for(uploads: Sequence[str], run_key: str) -> dg.RunRequest:
    # A range covers what was added between its ends: new partitions are added together, so it holds them alone.
    return dg.RunRequest(run_key=run_key, tags={**range_tags(uploads[0], uploads[-1]), UPLOADS_TAG: " ".join(uploads)})


def _uploads_in_flight(instance: dg.DagsterInstance) -> set[str]:
    runs = instance.get_runs(dg.RunsFilter(job_name=UPLOADS_JOB, statuses=_UNFINISHED))
    return {upload for run in runs for upload in run.tags.get(UPLOADS_TAG, "").split()}


def _digest(lines: Iterable[str]) -> str:
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()
