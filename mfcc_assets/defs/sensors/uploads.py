"""The sensor of uploads: it requests runs for the uploads that have no answer.

Pure functions, which decide what is to be done, come first. The functions that read the library follow. The sensor is
at the end. Each tick compares the present state of the stores and does not rely on events.
Each rule prevents a failure that has happened:

- The register knows the version of every file that was examined, and each tick takes one page of the others. Times of
  files do not matter, because clocks are set back, and moved files keep their times. Without pages, a flood of uploads
  would make one run that is too large to repeat.
- Each file gets its document before a run is requested. So a listener sees at once that the upload waits, however long
  a busy machine takes to start the run.
- Files that are still being copied are left out until they are complete. Otherwise half a file would be answered.
- Now and then, and whenever another index is published, a sweep examines all documents without an answer. It finds an
  upload whose run died or never started, and an upload that failed because no index could be searched. It also finds
  files whose document is gone, and answered uploads whose recommendations went with a lost database.
- A file that came longer ago than the settings keep it is left to the job that purges it.
- An upload that a run is answering, or that a failed run may soon answer when the daemon retries it, gets no second
  run. A sweep may request one in the second in which the run of the other sensor is not stored yet. Then the first of
  the two answers.
- The key of a run is a digest of the state that requests it and of the time that the upload has waited. Dagster starts
  only one run for a key. So the same work is not requested at every tick. If its runs fail, it is requested again after
  one, two, four and so on minutes, and after an hour once in each hour.
- A tick that took long is followed by a rest. Otherwise a large container would keep a core busy with listing.
- While nothing has arrived, a tick waits for some seconds. Otherwise a listener would wait for the daemon, which only
  starts a tick every five seconds.
- A second sensor looks while the first one does not, because a tick ends when it requests a run. Otherwise whoever
  uploads after somebody else would wait for the daemon again.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate, groupby
from threading import Lock
from typing import TypeVar

import dagster as dg

from mfcc_assets.defs.launch import RANGE_END_TAG, RANGE_START_TAG, range_tags
from mfcc_assets.defs.partitions import UPLOADS, files_tag
from mfcc_assets.defs.sensors.cursor import (
    INTERVAL_SECONDS,
    RESTING,
    TICK_SHARE,
    Cursor,
    run_key,
    unfinished_runs,
)
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.lost_answers import uploads_without_rows
from mfcc_assets.pipeline.purge import has_lapsed
from mfcc_assets.pipeline.upload_document import UNANSWERED, State, UploadDocument
from mfcc_assets.pipeline.upload_register import receive_files, register_of, upload_files
from mfcc_assets.pipeline.uploads import UNANSWERABLE
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.port import Blob

UPLOADS_JOB = "uploads"
PARTITION_TAG = "dagster/partition"

PAUSE_SECONDS = 0.1
"""Pause between two listings while the sensor waits, if a listing is cheap."""

BYTES_PER_TICK = 1_000_000_000
"""Number of bytes of new files that a tick reads before it leaves the others to the next one."""

NOTHING_ARRIVED = "Nothing has arrived."

MORE_SECONDS = 10
"""Time that the second sensor waits longer than the first, so that both seldom wait for the daemon at once: it starts
ticks every five seconds."""

_DOUBLED_IN_AN_HOUR = 6

_looking = Lock()
"""Held by the tick that looks for files, until it has received them. So no two ticks of this process receive one."""

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
        version = document.etag if document else None
        waited = now - datetime.fromisoformat(document.received) if document else timedelta(0)
        doubled = max(int(waited.total_seconds()) // 60, 0).bit_length()
        return f"{upload} {version} {state} {code} {index} {min(doubled, _DOUBLED_IN_AN_HOUR)}"

    names = [documents[upload].file_name for upload in uploads if upload in documents]
    tags = {**range_tags(uploads[0], uploads[-1]), **files_tag(names)}
    return dg.RunRequest(run_key=run_key(map(state_of, uploads), now), tags=tags)


def arrived_files(library: Library, files: Iterable[Blob]) -> list[Blob]:
    """Return the complete files whose versions are not known yet, the oldest first: one page of them."""
    register, settings = register_of(library), library.settings
    unknown = [blob for blob in files if not register.is_known(blob) and not has_lapsed(library, blob.modified)]
    complete = sorted(blob for blob in unknown if register.is_settled(blob))[: settings.sensor_page]
    sizes = accumulate(blob.size for blob in complete)
    return [blob for blob, size in zip(complete, sizes, strict=True) if size <= BYTES_PER_TICK or blob is complete[0]]


def wait_for_arrival(library: Library) -> None:
    """Wait until the container `uploads` holds a complete file that is not known, or `watch_seconds` have passed."""
    until = time.monotonic() + library.settings.watch_seconds
    while (began := time.monotonic()) < until:
        if arrived_files(library, upload_files(library)):
            return
        _pause(began, until)


def _pause(began: float, until: float) -> None:
    """Wait before the next look, the longer the longer the last one took, at most to a time."""
    ended = time.monotonic()
    time.sleep(max(0.0, min(max(PAUSE_SECONDS, (ended - began) / TICK_SHARE), until - ended)))


@contextmanager
def _turn_to_look(until: float) -> Iterator[bool]:
    """Wait until no other tick looks for files, at most to a time. Yield whether it is the turn of this one."""
    is_free = _looking.acquire(timeout=max(0.0, until - time.monotonic()))
    try:
        yield is_free
    finally:
        if is_free:
            _looking.release()


def _can_search(library: Library) -> bool:
    index = library.indexes.published_if_usable()
    return index is not None and bool(index.tracks)


def _documents_without_answer(library: Library) -> dict[UploadId, UploadDocument]:
    return {
        UploadId(found.id): UploadDocument.of(found.body)
        for state in UNANSWERED
        for found in library.documents.find(state.value)
    }


class _Partitions:
    """The partitions of uploads, and those that runs are answering.

    They are listed before the documents are read. A run that ends in between has written its documents by then.
    """

    def __init__(self, context: dg.SensorEvaluationContext) -> None:
        self._keys = [UploadId(key) for key in context.instance.get_dynamic_partitions(UPLOADS.name or "")]
        runs = unfinished_runs(context, UPLOADS_JOB)
        self._answering = {key for run in runs for key in partitions_of_run(run.tags, self._keys)}

    def result(
        self,
        lacking: Iterable[UploadId],
        documents: Mapping[UploadId, UploadDocument],
        index: str,
        now: datetime,
        *,
        page: int,
        cursor: str | None = None,
    ) -> dg.SensorResult:
        """Return the result of a tick: runs for all uploads that lack an answer and have no run."""
        wanted = [upload for upload in lacking if upload not in self._answering]
        known = set(self._keys)
        new = [upload for upload in wanted if upload not in known]
        groups = consecutive([*self._keys, *new], set(wanted), page)
        runs = [run_that_answers(group, documents, index, now) for group in groups]
        return dg.SensorResult(
            run_requests=runs,
            skip_reason=None if runs else NOTHING_ARRIVED,
            dynamic_partitions_requests=[UPLOADS.build_add_request(new)] if new else [],
            cursor=cursor,
        )


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
    with _looking:
        if not before.is_sweep_due(datetime.now(UTC), settings.sweep_seconds):
            wait_for_arrival(library)
        now = datetime.now(UTC)
        index = library.indexes.published_version() or ""
        is_sweeping = before.is_sweep_due(now, settings.sweep_seconds) or before.index != index
        cursor = replace(before, swept=now.timestamp(), index=index) if is_sweeping else before
        files = list(upload_files(library))
        if is_sweeping:
            register_of(library).forget(
                files=files, documents={upload for state in State for upload in library.documents.ids(state.value)}
            )
        arrived = arrived_files(library, files)
        if not arrived and not is_sweeping:
            return dg.SensorResult(skip_reason=NOTHING_ARRIVED, cursor=str(cursor.rested(now, datetime.now(UTC))))
        partitions = _Partitions(context)
        documents = receive_files(library, arrived)
    if is_sweeping:
        documents = _documents_without_answer(library) | documents
    can_search = is_sweeping and _can_search(library)

    without_rows = uploads_without_rows(library) if is_sweeping else {}
    documents |= without_rows
    lacking = dict.fromkeys([*unanswered(documents, documents, can_search=can_search), *without_rows])
    cursor = cursor.rested(now, datetime.now(UTC))
    return partitions.result(lacking, documents, index, now, page=settings.sensor_page, cursor=str(cursor))


@dg.sensor(
    job_name=UPLOADS_JOB,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests a run for each upload that arrives while `uploads_sensor` does not look.",
)
def arrivals_sensor(
    context: dg.SensorEvaluationContext, library: dg.ResourceParam[Library]
) -> dg.SensorResult | dg.SkipReason:
    before = Cursor.parse(context.cursor)
    if before.is_resting(datetime.now(UTC)):
        return dg.SkipReason(RESTING)
    cursor, page = before, library.settings.sensor_page
    until = time.monotonic() + library.settings.watch_seconds + MORE_SECONDS
    while time.monotonic() < until:
        with _turn_to_look(until) as is_free:
            began, now = time.monotonic(), datetime.now(UTC)
            arrived = arrived_files(library, upload_files(library)) if is_free else []
            cursor = before.rested(now, datetime.now(UTC))
            if arrived:
                partitions, index = _Partitions(context), library.indexes.published_version() or ""
                documents = receive_files(library, arrived)
                lacking = unanswered(documents, documents, can_search=False)
                return partitions.result(lacking, documents, index, now, page=page, cursor=str(cursor))
        _pause(began, until)
    return dg.SensorResult(skip_reason=NOTHING_ARRIVED, cursor=str(cursor))


def sensors_of_uploads(settings: Settings) -> list[dg.SensorDefinition]:
    """Return the sensors of uploads. A sensor that does not wait needs no second one."""
    return [uploads_sensor, arrivals_sensor] if settings.watch_seconds else [uploads_sensor]
