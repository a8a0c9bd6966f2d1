"""The sensor of uploads: its pure functions, and ticks over a real library and a real instance of Dagster."""

import io
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.defs.launch import range_tags
from mfcc_assets.defs.sensors.cursor import Cursor
from mfcc_assets.defs.sensors.uploads import (
    PARTITION_TAG,
    UPLOADS_JOB,
    arrivals_sensor,
    arrived_files,
    consecutive,
    partitions_of_run,
    run_that_answers,
    sensors_of_uploads,
    unanswered,
    uploads_sensor,
)
from mfcc_assets.ids import UploadId, content_digest
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.pipeline.upload_view import upload_with_id
from mfcc_assets.settings import Settings
from mfcc_assets_tests.defs.sensors.ticks import swept_now, tick
from mfcc_assets_tests.runs import create_run, drop_upload, run_library, run_uploads

SETTINGS = Settings()

KEYS = st.lists(st.text("abcdef", min_size=1, max_size=3), unique=True, max_size=12)


@pytest.mark.parametrize(
    ("document", "can_search", "lacks_answer"),
    [
        (None, False, True),
        ({"state": "received"}, False, True),
        ({"state": "candidates"}, True, True),
        ({"state": "ranked"}, True, False),
        ({"state": "failed", "failure": {"code": "unreadable"}}, True, False),
        ({"state": "failed", "failure": {"code": "no_index"}}, False, False),
        ({"state": "failed", "failure": {"code": "no_index"}}, True, True),
        ({"state": "failed", "failure": {"code": "corrupt_index"}}, True, True),
    ],
)
def test_an_upload_is_answered_once_it_is_ranked_or_has_failed_for_good(
    document: dict[str, object] | None, can_search: bool, lacks_answer: bool
) -> None:
    received = {"received": "2026-01-01T00:00:00+00:00"}
    upload = UploadId("an upload")
    documents = {} if document is None else {upload: UploadDocument.of(document | received)}

    assert unanswered([upload], documents, can_search=can_search) == ([upload] if lacks_answer else [])


@given(KEYS, st.sets(st.text("abcdef", min_size=1, max_size=3)), st.integers(1, 4))
def test_the_ranges_of_consecutive_keys_cover_the_wanted_keys_and_no_others(
    keys: list[str], wanted: set[str], size: int
) -> None:
    groups = list(consecutive(keys, wanted, size))

    assert [key for group in groups for key in group] == [key for key in keys if key in wanted]
    for group in groups:
        assert 1 <= len(group) <= size
        assert partitions_of_run(range_tags(group[0], group[-1]), keys) == group


@given(KEYS.filter(bool))
def test_a_run_covers_its_partition_or_its_range(keys: list[str]) -> None:
    assert partitions_of_run({PARTITION_TAG: keys[-1]}, keys) == keys[-1:]
    assert partitions_of_run(range_tags(keys[0], keys[-1]), keys) == keys
    assert partitions_of_run({PARTITION_TAG: "a partition that was deleted"}, keys) == []
    assert partitions_of_run({}, keys) == []


def test_uploads_that_arrive_together_are_answered_by_one_run(library: Library, instance: dg.DagsterInstance) -> None:
    for number in range(3):
        library.blobs.write("uploads", f"{number}.mp3", b"not music")

    result = tick(uploads_sensor, library, instance, Cursor())

    (run,) = result.run_requests
    (added,) = result.dynamic_partitions_requests
    assert len(added.partition_keys) == 3
    assert partitions_of_run(run.tags, added.partition_keys) == added.partition_keys


def test_many_uploads_are_answered_in_pages(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    library = Library(Settings(home=tmp_path, settle_seconds=0, watch_seconds=0, sensor_page=2))
    for number in range(3):
        library.blobs.write("uploads", f"{number}.mp3", b"not music")

    first = tick(uploads_sensor, library, instance, swept_now())
    second = tick(uploads_sensor, library, instance, first.cursor)

    assert len(first.dynamic_partitions_requests[0].partition_keys) == 2
    assert len(second.dynamic_partitions_requests[0].partition_keys) == 1


def test_a_picture_beside_the_music_is_not_an_upload(library: Library, instance: dg.DagsterInstance) -> None:
    library.blobs.write("uploads", "cover.jpg", b"a picture")

    assert tick(uploads_sensor, library, instance, Cursor()).run_requests == []


def test_an_upload_gets_no_second_run_while_its_run_is_unfinished(
    library: Library, instance: dg.DagsterInstance
) -> None:
    library.blobs.write("uploads", "a.mp3", b"not music")
    first = tick(uploads_sensor, library, instance, Cursor())
    create_run(instance, UPLOADS_JOB, dg.DagsterRunStatus.STARTED, first.run_requests[0].tags)

    assert tick(uploads_sensor, library, instance, Cursor()).run_requests == []


def test_an_upload_gets_no_second_run_while_the_daemon_may_retry_its_run(
    library: Library, instance: dg.DagsterInstance
) -> None:
    library.blobs.write("uploads", "a.mp3", b"not music")
    first = tick(uploads_sensor, library, instance, Cursor())
    create_run(instance, UPLOADS_JOB, dg.DagsterRunStatus.FAILURE, first.run_requests[0].tags)

    assert tick(uploads_sensor, library, instance, Cursor()).run_requests == []


def test_a_sweep_finds_an_upload_whose_run_died(library: Library, instance: dg.DagsterInstance) -> None:
    library.blobs.write("uploads", "a.mp3", b"not music")
    first = tick(uploads_sensor, library, instance, Cursor())
    (upload,) = first.dynamic_partitions_requests[0].partition_keys
    library.documents.put(upload, {"state": "received", "received": "2026-01-01T00:00:00+00:00"})
    cursor = Cursor.parse(first.cursor)

    assert tick(uploads_sensor, library, instance, cursor).run_requests == []
    swept = tick(uploads_sensor, library, instance, replace(cursor, swept=0.0))
    assert [partitions_of_run(run.tags, [upload]) for run in swept.run_requests] == [[upload]]
    assert swept.dynamic_partitions_requests == []


def test_a_file_is_found_in_the_next_tick_whatever_the_clock_of_the_last_tick_said(
    library: Library, instance: dg.DagsterInstance
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    ahead = Cursor(modified=tomorrow.isoformat(), swept=tomorrow.timestamp(), rests_until=tomorrow.timestamp())
    library.blobs.write("uploads", "a.mp3", b"not music")

    assert len(tick(uploads_sensor, library, instance, ahead).run_requests) == 1


def test_an_upload_waits_visibly_from_the_first_tick_on(library: Library, instance: dg.DagsterInstance) -> None:
    library.blobs.write("uploads", "a.mp3", b"not music")

    result = tick(uploads_sensor, library, instance, Cursor())

    (upload,) = result.dynamic_partitions_requests[0].partition_keys
    shown = upload_with_id(library, UploadId(upload))
    assert (shown["state"], shown["file_name"]) == ("waiting", "a.mp3")


def test_an_upload_whose_runs_never_start_is_asked_for_again_after_one_two_and_four_minutes() -> None:
    upload, began = UploadId("an upload"), datetime(2026, 1, 1, 12, tzinfo=UTC)
    waiting = UploadDocument.of({"state": "waiting", "received": began.isoformat()})

    def key(minutes: float) -> str | None:
        return run_that_answers([upload], {upload: waiting}, "", began + timedelta(minutes=minutes)).run_key

    assert len({key(0), key(1), key(2), key(4)}) == 4
    assert key(0) == key(0.9)
    assert key(5) == key(7)
    assert key(130) == key(150) != key(190)


def test_a_run_that_ended_without_an_answer_is_not_the_last(library: Library, instance: dg.DagsterInstance) -> None:
    library.blobs.write("uploads", "a.mp3", b"not music")
    first = tick(uploads_sensor, library, instance, swept_now())
    run = create_run(instance, UPLOADS_JOB, dg.DagsterRunStatus.STARTING, first.run_requests[0].tags)
    assert not tick(uploads_sensor, library, instance, Cursor()).run_requests
    instance.report_run_canceled(run)

    assert len(tick(uploads_sensor, library, instance, Cursor()).run_requests) == 1


def test_a_growing_upload_is_answered_once_and_as_a_whole(
    tmp_path: Path, instance: dg.DagsterInstance, ten_songs: list[Path]
) -> None:
    whole = ten_songs[0].read_bytes()
    with Library(Settings(home=tmp_path, settle_seconds=0.4, watch_seconds=0.1)) as library:
        path = library.settings.blobs / "uploads" / "growing.flac"
        cursor = str(tick(uploads_sensor, library, instance, swept_now()).cursor)
        for part in range(5):
            with path.open("ab") as file:
                file.write(whole[part * len(whole) // 5 : (part + 1) * len(whole) // 5])
            result = tick(uploads_sensor, library, instance, cursor)
            assert not result.run_requests
            cursor = result.cursor
        deadline = time.monotonic() + 20
        while not (requests := tick(uploads_sensor, library, instance, cursor).run_requests):
            assert time.monotonic() < deadline

        assert len(requests) == 1
        (found,) = library.documents.find()
        assert found.body["content"] == content_digest(io.BytesIO(whole))


def test_a_file_that_a_process_still_writes_is_left_alone_however_long_it_pauses(
    library: Library, instance: dg.DagsterInstance
) -> None:
    path = library.settings.blobs / "uploads" / "slow.mp3"
    library.blobs.write("uploads", "before.mp3", b"so that the folder exists")
    tick(uploads_sensor, library, instance, swept_now())
    with path.open("wb") as file:
        file.write(b"half of it")
        file.flush()
        assert not tick(uploads_sensor, library, instance, swept_now()).run_requests

    assert len(tick(uploads_sensor, library, instance, swept_now()).run_requests) == 1


def test_uploads_older_than_the_retention_are_not_answered(tmp_path: Path) -> None:
    with Library(Settings(home=tmp_path, settle_seconds=0, watch_seconds=0, retention_days=30)) as library:
        blob = library.blobs.write("uploads", "a.mp3", b"not music")

        assert arrived_files(library, [blob]) == [blob]
        assert arrived_files(library, [replace(blob, modified=blob.modified - timedelta(days=31))]) == []


def test_uploads_that_failed_without_an_index_are_answered_when_an_index_is_published(
    ten_tracks: Library, instance: dg.DagsterInstance
) -> None:
    names = ["a.mp3", "b.mp3", "c.mp3"]
    for name in names:
        ten_tracks.blobs.write("uploads", name, b"not music")
    first = tick(uploads_sensor, ten_tracks, instance, Cursor())
    uploads = first.dynamic_partitions_requests[0].partition_keys
    codes = ["no_index", "unreadable", "corrupt_index"]
    for upload, code in zip(uploads, codes, strict=True):
        failed = {"state": "failed", "failure": {"code": code}, "received": "2026-01-01T00:00:00+00:00"}
        ten_tracks.documents.put(upload, failed)
    swept_before = replace(Cursor.parse(first.cursor), index="")

    result = tick(uploads_sensor, ten_tracks, instance, swept_before)

    assert [partitions_of_run(run.tags, uploads) for run in result.run_requests] == [uploads[:1], uploads[2:]]
    assert tick(uploads_sensor, ten_tracks, instance, result.cursor).run_requests == []


def test_a_dropped_file_that_changes_is_another_upload(library: Library, instance: dg.DagsterInstance) -> None:
    path = library.settings.blobs / "uploads" / "half copied.mp3"
    library.blobs.write("uploads", path.name, b"half of it")
    first = tick(uploads_sensor, library, instance, swept_now())
    path.write_bytes(b"half of it, and the rest")
    second = tick(uploads_sensor, library, instance, first.cursor)

    before, after = (result.dynamic_partitions_requests[0].partition_keys for result in (first, second))
    assert len(before) == len(after) == 1
    assert before != after


def test_an_upload_that_failed_since_requests_another_run(ten_tracks: Library, instance: dg.DagsterInstance) -> None:
    ten_tracks.blobs.write("uploads", "a.mp3", b"not music")
    first = tick(uploads_sensor, ten_tracks, instance, Cursor())
    (upload,) = first.dynamic_partitions_requests[0].partition_keys
    failed = {"state": "failed", "failure": {"code": "corrupt_index"}, "received": "2026-01-01T00:00:00+00:00"}
    ten_tracks.documents.put(upload, failed | {"run_id": "the first"})
    second = tick(uploads_sensor, ten_tracks, instance, Cursor())
    again = tick(uploads_sensor, ten_tracks, instance, Cursor())

    assert first.run_requests[0].run_key != second.run_requests[0].run_key == again.run_requests[0].run_key


def test_an_upload_that_arrives_while_the_sensor_waits_is_found_at_once(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    with Library(Settings(home=tmp_path, watch_seconds=30)) as library, ThreadPoolExecutor() as pool:
        looking = pool.submit(tick, uploads_sensor, library, instance, swept_now())
        time.sleep(0.2)
        assert not looking.done()
        library.blobs.write("uploads", "a.mp3", b"not music")
        # Without the upload it would wait for longer than this.
        assert len(looking.result(timeout=20).run_requests) == 1


def test_an_upload_after_another_one_is_found_before_the_next_tick_of_the_first_sensor(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    with Library(Settings(home=tmp_path, watch_seconds=30)) as library, ThreadPoolExecutor() as pool:
        looking = [pool.submit(tick, sensor, library, instance, swept_now()) for sensor in sensors_of_uploads(SETTINGS)]
        time.sleep(0.2)
        library.blobs.write("uploads", "a.mp3", b"not music")
        done, others = wait(looking, timeout=20, return_when=FIRST_COMPLETED)
        assert (len(done), len(others)) == (1, 1)
        library.blobs.write("uploads", "b.mp3", b"no music either")

        requests = [request for each in looking for request in each.result(timeout=20).run_requests]
        # Each file was received by one of the two.
        assert len({request.tags["mfcc/files"] for request in requests}) == len(requests) == 2


def test_a_sensor_that_does_not_wait_has_no_second_one() -> None:
    assert sensors_of_uploads(SETTINGS.model_copy(update={"watch_seconds": 0.0})) == [uploads_sensor]


def test_the_second_sensor_ends_its_tick_if_nothing_arrives(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mfcc_assets.defs.sensors.uploads.MORE_SECONDS", 0)
    with Library(Settings(home=tmp_path, watch_seconds=0.2)) as library:
        assert not tick(arrivals_sensor, library, instance, swept_now()).run_requests


def test_a_sensor_stops_waiting_after_the_time_of_the_settings(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    with Library(Settings(home=tmp_path, watch_seconds=0.2)) as library:
        library.blobs.write("uploads", "cover.jpg", b"a picture")

        assert not tick(uploads_sensor, library, instance, swept_now()).run_requests


def test_an_upload_is_not_tried_again_while_the_index_is_empty(
    library: Library, instance: dg.DagsterInstance, ten_songs: list[Path]
) -> None:
    run_library(library, instance)
    upload = drop_upload(library, ten_songs[0], "a.flac")
    run_uploads(library, instance, [upload])

    assert library.documents.get(upload).body["failure"]["code"] == "no_index"
    assert not tick(uploads_sensor, library, instance, Cursor()).run_requests
