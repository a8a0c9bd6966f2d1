"""The sensor of uploads: it requests runs for the uploads that have no answer.

The module begins with pure functions that decide what is to be done; then come those that read the library, and last
the sensor. Each tick compares the present state of the stores and does not rely on events.
Each rule prevents a failure that has happened:

- A cursor remembers the last file that was examined, in the order of arrival, and each tick takes one page of the
  files after it. Without pages, a flood of uploads would make one run that is too large to repeat.
- Files that are still being copied are left out until they are complete. Otherwise half a file would be answered.
- Now and then, and whenever another index is published, a sweep also examines the files before the cursor. It finds
  what the cursor cannot see: a file that was moved in with an older date, an upload whose run died before the answer,
  and an upload that failed because no index could be searched.
- An upload that a run is answering, or that a failed run may soon answer when the daemon retries it, gets no second
  run.
- The key of a run is a digest of the state that requests it and of the hour. Dagster starts only one run for a key.
  So the same work is not requested at every tick, but once more in each hour if its run has failed for good.
- A tick that took long is followed by a rest. Otherwise a large container would keep a core busy with listing.
- While nothing has arrived, a tick waits for some seconds. Otherwise a listener would wait for the daemon, which only
  starts a tick every five seconds.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import TypeVar

import dagster as dg

from mfcc_assets.defs.launch import RANGE_END_TAG, RANGE_START_TAG, range_tags
from mfcc_assets.defs.partitions import UPLOADS
from mfcc_assets.defs.sensors.cursor import (
    INTERVAL_SECONDS,
    RESTING,
    TICK_SHARE,
    Cursor,
    is_settled,
    run_key,
    take_page,
    unfinished_runs,
)
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answering_run import document_of
from mfcc_assets.pipeline.upload_document import UNANSWERED, State, UploadDocument
from mfcc_assets.pipeline.uploads import UNANSWERABLE, upload_files, uploads_by_id

UPLOADS_JOB = "uploads"
PARTITION_TAG = "dagster/partition"

PAUSE_SECONDS = 0.1
"""Pause between two listings while the sensor waits, if a listing is cheap."""

NOTHING_ARRIVED = "Nothing has arrived."

_Key = TypeVar("_Key", bound=str)


def unanswered(
    uploads: Iterable[UploadId], documents: Mapping[UploadId, UploadDocument], *, can_search: bool
) -> list[UploadId]:
    """Return the uploads that need a run.

    Parameters
    ----------
    uploads
        Ids of uploads.
    documents
        Document of each upload that has one.
    can_search
        True if an index can be searched. Then uploads that failed for want of an index need a run too.
    """

    def needs_run(document: UploadDocument | None) -> bool:
        if document is None:
            return True
        if document.state is State.FAILED:
            return can_search and document.failure is not None and document.failure.code in UNANSWERABLE
        return document.state is not State.RANKED

    return [upload for upload in uploads if needs_run(documents.get(upload))]


def consecutive(keys: Iterable[_Key], wanted: Collection[_Key], size: int) -> Iterator[list[_Key]]:
    """Divide the wanted keys into groups of at most `size` neighbours among all keys, so that a range covers each.

    Examples
    --------
    >>> list(consecutive("abcdef", {"a", "b", "d", "e", "f"}, 2))
    [['a', 'b'], ['d', 'e'], ['f']]
    """
    for is_wanted, group in groupby(keys, key=lambda key: key in wanted):
        neighbours = list(group) if is_wanted else []
        for start in range(0, len(neighbours), size):
            yield neighbours[start : start + size]


def partitions_of_run(tags: Mapping[str, str], keys: Sequence[str]) -> Sequence[str]:
    """Return the partitions that a run with these tags materialises: one key, or a range of `keys`."""
    first = tags.get(RANGE_START_TAG, tags.get(PARTITION_TAG))
    last = tags.get(RANGE_END_TAG, tags.get(PARTITION_TAG))
    if first not in keys or last not in keys:
        return []
    return keys[keys.index(first) : keys.index(last) + 1]


def run_that_answers(
    uploads: Sequence[UploadId], documents: Mapping[UploadId, UploadDocument], index: str, now: datetime
) -> dg.RunRequest:
    """Return the request of a run for uploads that are neighbours among the partitions.

    Parameters
    ----------
    uploads
        Ids of uploads.
    documents
        Document of each upload that has one.
    index
        Version of the published index; empty if there is none.
    now
        Present time.
    """

    def state_of(upload: UploadId) -> str:
        document = documents.get(upload)
        state = document.state if document else None
        code = document.failure.code if document and document.failure else None
        return f"{upload} {state} {code} {index}"

    return dg.RunRequest(run_key=run_key(map(state_of, uploads), now), tags=range_tags(uploads[0], uploads[-1]))


def wait_for_arrival(library: Library, cursor: Cursor) -> None:
    """Wait until the container `uploads` holds a complete file after the cursor, or `watch_seconds` have passed."""
    settings = library.settings
    until = time.monotonic() + settings.watch_seconds
    while (began := time.monotonic()) < until:
        now = datetime.now(UTC)
        if any(cursor.is_before(blob) and is_settled(blob, now, settings) for blob in upload_files(library)):
            return
        ended = time.monotonic()
        time.sleep(max(0.0, min(max(PAUSE_SECONDS, (ended - began) / TICK_SHARE), until - ended)))


def _can_search(library: Library) -> bool:
    index = library.indexes.published_if_usable()
    return index is not None and bool(index.tracks)


def _documents_without_answer(library: Library) -> dict[UploadId, UploadDocument]:
    return {
        UploadId(found.id): UploadDocument.of(found.body)
        for state in UNANSWERED
        for found in library.documents.find(state.value)
    }


def _documents(library: Library, uploads: Iterable[UploadId]) -> dict[UploadId, UploadDocument]:
    found = {upload: document_of(library.documents, upload) for upload in uploads}
    return {upload: document for upload, document in found.items() if document is not None}


@dg.sensor(
    job_name=UPLOADS_JOB,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests a run for each upload in the container `uploads` that has no answer.",
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
    examined, cursor = take_page(uploads, before, settings.sensor_page)
    is_sweeping = before.is_sweep_due(now, settings.sweep_seconds) or before.index != index
    if is_sweeping:
        cursor = replace(cursor, swept=now.timestamp(), index=index)
        examined += [upload for upload, blob in uploads.items() if not before.is_before(blob)]
    if not examined:
        return dg.SensorResult(skip_reason=NOTHING_ARRIVED, cursor=str(cursor.rested(now, datetime.now(UTC))))

    # The runs are listed before the documents are read. A run that ends in between has written its documents by then.
    partitions = [UploadId(key) for key in context.instance.get_dynamic_partitions(UPLOADS.name or "")]
    answering = {
        key for run in unfinished_runs(context, UPLOADS_JOB) for key in partitions_of_run(run.tags, partitions)
    }
    if is_sweeping:
        # Most uploads are answered, so the store lists their ids without their documents.
        answered = library.documents.ids(State.RANKED.value)
        examined = [upload for upload in examined if upload not in answered]
    documents = _documents_without_answer(library) if is_sweeping else _documents(library, examined)
    can_search = is_sweeping and _can_search(library)

    wanted = [upload for upload in unanswered(examined, documents, can_search=can_search) if upload not in answering]
    known = set(partitions)
    new = [upload for upload in wanted if upload not in known]
    groups = consecutive([*partitions, *new], set(wanted), settings.sensor_page)
    runs = [run_that_answers(group, documents, index, now) for group in groups]
    return dg.SensorResult(
        run_requests=runs,
        skip_reason=None if runs else NOTHING_ARRIVED,
        dynamic_partitions_requests=[UPLOADS.build_add_request(new)] if new else [],
        cursor=str(cursor.rested(now, datetime.now(UTC))),
    )
