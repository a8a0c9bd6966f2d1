"""Sensors: what arrives in a container becomes a run.

A tick is a thin shell over pure functions, and looks at the state, not at events. A cursor takes what has come page by
page, in the order of arrival. What it cannot see is found by a sweep, now and then and whenever another index answers:
soundtracks that went, what came with a folder moved in, what a dead run left half-way, and uploads that failed for want
of an index. The run key is the state that asks for a run, and the hour: the same work is requested once and, should its
run have failed for good, once more every hour. Looking through a large container takes seconds, and is followed by a
rest.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import dagster as dg

from mfcc_assets.defs.launch import (
    RANGE_END_TAG,
    RANGE_START_TAG,
    range_tags,
)
from mfcc_assets.defs.partitions import UPLOADS
from mfcc_assets.defs.sensors.cursor import (
    INTERVAL_SECONDS,
    LOOKS_COST,
    RESTING,
    Cursor,
    _in_flight,
    _run_key,
    is_settled,
    take_page,
)
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_document import FAILED, RANKED, UNANSWERED
from mfcc_assets.pipeline.uploads import UNANSWERABLE, upload_files, uploads_by_id

UPLOADS_JOB = "uploads"
PARTITION_TAG = "dagster/partition"

PAUSE_SECONDS = 0.1
"""Between two looks of one round, where a look costs next to nothing."""

NOTHING_ARRIVED = "Nothing has arrived."


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
    documents = {upload: library.documents.get_or_none(upload) for upload in uploads}
    return {upload: document.body for upload, document in documents.items() if document is not None}
