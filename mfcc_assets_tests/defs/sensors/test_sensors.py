"""What the sensors request: their pure functions, and ticks over a real library and a real instance of Dagster."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.defs.launch import command_line_lock, range_tags
from mfcc_assets.defs.partitions import UPLOADS
from mfcc_assets.defs.sensors.cursor import INTERVAL_SECONDS, LOOKING_SHARE, Cursor, take_page
from mfcc_assets.defs.sensors.soundtracks import soundtracks_sensor
from mfcc_assets.defs.sensors.uploads import (
    PARTITION_TAG,
    UPLOADS_JOB,
    consecutive,
    partitions_of_run,
    unanswered,
    uploads_sensor,
)
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.port import Blob
from mfcc_assets_tests.runs import create_run, drop_upload, run_library, run_uploads

SWEPT_NOW = Cursor(swept=(datetime.now(UTC) + timedelta(days=1)).timestamp())
KEYS = st.lists(st.text("abcdef", min_size=1, max_size=3), unique=True, max_size=12)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
MOMENTS = st.integers(0, 4).map(lambda second: datetime(2026, 1, 1, second=second, tzinfo=UTC))
UPLOADS_THERE = st.dictionaries(st.text("abcdef", min_size=1, max_size=2), MOMENTS, max_size=10).map(
    lambda modified: {name: Blob(name, 1, "etag", moment) for name, moment in modified.items()}
)


@dataclass(frozen=True)
class Look:
    """What a sensor requests when it looks at its container."""

    run_requests: Sequence[dg.RunRequest]
    dynamic_partitions_requests: Sequence[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest]
    cursor: str


@given(UPLOADS_THERE, st.integers(1, 4))
def test_page_after_page_holds_every_upload_once_in_the_order_of_arrival(uploads: dict[str, Blob], size: int) -> None:
    seen: list[str] = []
    page, cursor = take_page(uploads, Cursor(), size)
    while page:
        assert len(page) <= size
        seen += page
        page, cursor = take_page(uploads, cursor, size)

    assert [uploads[upload] for upload in seen] == sorted(uploads.values())


@given(UPLOADS_THERE, st.integers(1, 12))
def test_a_cursor_has_passed_exactly_what_was_on_its_pages(uploads: dict[str, Blob], size: int) -> None:
    page, cursor = take_page(uploads, Cursor(), size)

    assert {upload for upload, blob in uploads.items() if not cursor.is_before(blob)} == set(page)


@given(st.builds(Cursor, st.text(), st.text(), NUMBERS, st.text(), NUMBERS))
def test_a_cursor_survives_being_written_down(cursor: Cursor) -> None:
    assert Cursor.parse(str(cursor)) == cursor


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
def test_the_ranges_of_consecutive_keys_cover_what_is_wanted_and_nothing_else(
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

    result = _tick(uploads_sensor, library, instance, Cursor())

    (run,) = result.run_requests
    (added,) = result.dynamic_partitions_requests
    assert len(added.partition_keys) == 3
    assert partitions_of_run(run.tags, added.partition_keys) == added.partition_keys


def test_a_flood_is_answered_in_pages(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    library = Library(Settings(home=tmp_path, settle_seconds=0, watch_seconds=0, sensor_page=2))
    for number in range(3):
        library.blobs.write("uploads", f"{number}.mp3", b"not music")

    first = _tick(uploads_sensor, library, instance, SWEPT_NOW)
    second = _tick(uploads_sensor, library, instance, first.cursor)

    assert len(first.dynamic_partitions_requests[0].partition_keys) == 2
    assert len(second.dynamic_partitions_requests[0].partition_keys) == 1


def test_what_only_accompanies_music_is_no_upload(library: Library, instance: dg.DagsterInstance) -> None:
    library.blobs.write("uploads", "cover.jpg", b"a picture")

    assert _tick(uploads_sensor, library, instance, Cursor()).run_requests == []


def test_an_upload_is_not_answered_twice_while_its_run_is_under_way(
    library: Library, instance: dg.DagsterInstance
) -> None:
    library.blobs.write("uploads", "a.mp3", b"not music")
    first = _tick(uploads_sensor, library, instance, Cursor())
    create_run(instance, UPLOADS_JOB, dg.DagsterRunStatus.STARTED, first.run_requests[0].tags)

    assert _tick(uploads_sensor, library, instance, Cursor()).run_requests == []


def test_a_run_that_failed_a_moment_ago_may_be_started_again_by_the_daemon(
    library: Library, instance: dg.DagsterInstance
) -> None:
    library.blobs.write("uploads", "a.mp3", b"not music")
    first = _tick(uploads_sensor, library, instance, Cursor())
    create_run(instance, UPLOADS_JOB, dg.DagsterRunStatus.FAILURE, first.run_requests[0].tags)

    assert _tick(uploads_sensor, library, instance, Cursor()).run_requests == []


def test_an_upload_left_half_way_by_a_dead_run_is_found_by_a_sweep(
    library: Library, instance: dg.DagsterInstance
) -> None:
    library.blobs.write("uploads", "a.mp3", b"not music")
    first = _tick(uploads_sensor, library, instance, Cursor())
    (upload,) = first.dynamic_partitions_requests[0].partition_keys
    library.documents.put(upload, {"state": "received", "received": "2026-01-01T00:00:00+00:00"})
    cursor = Cursor.parse(first.cursor)

    assert _tick(uploads_sensor, library, instance, cursor).run_requests == []
    swept = _tick(uploads_sensor, library, instance, replace(cursor, swept=0.0))
    assert [partitions_of_run(run.tags, [upload]) for run in swept.run_requests] == [[upload]]
    assert swept.dynamic_partitions_requests == []


def test_an_upload_that_came_with_an_older_date_is_found_by_a_sweep(
    library: Library, instance: dg.DagsterInstance
) -> None:
    library.blobs.write("uploads", "a.mp3", b"not music")
    later = replace(SWEPT_NOW, modified=(datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="microseconds"))

    assert _tick(uploads_sensor, library, instance, later).run_requests == []
    assert len(_tick(uploads_sensor, library, instance, replace(later, swept=0.0)).run_requests) == 1


def test_uploads_that_failed_for_want_of_an_index_are_answered_as_soon_as_there_is_one(
    ten_tracks: Library, instance: dg.DagsterInstance
) -> None:
    names = ["a.mp3", "b.mp3", "c.mp3"]
    for name in names:
        ten_tracks.blobs.write("uploads", name, b"not music")
    first = _tick(uploads_sensor, ten_tracks, instance, Cursor())
    uploads = first.dynamic_partitions_requests[0].partition_keys
    codes = ["no_index", "unreadable", "corrupt_index"]
    for upload, code in zip(uploads, codes, strict=True):
        failed = {"state": "failed", "failure": {"code": code}, "received": "2026-01-01T00:00:00+00:00"}
        ten_tracks.documents.put(upload, failed)
    swept_before = replace(Cursor.parse(first.cursor), index="")

    result = _tick(uploads_sensor, ten_tracks, instance, swept_before)

    assert [partitions_of_run(run.tags, uploads) for run in result.run_requests] == [uploads[:1], uploads[2:]]
    assert _tick(uploads_sensor, ten_tracks, instance, result.cursor).run_requests == []


def test_a_dropped_file_that_changes_is_another_upload(library: Library, instance: dg.DagsterInstance) -> None:
    path = library.settings.blobs / "uploads" / "half copied.mp3"
    library.blobs.write("uploads", path.name, b"half of it")
    first = _tick(uploads_sensor, library, instance, SWEPT_NOW)
    path.write_bytes(b"half of it, and the rest")
    second = _tick(uploads_sensor, library, instance, first.cursor)

    before, after = (result.dynamic_partitions_requests[0].partition_keys for result in (first, second))
    assert len(before) == len(after) == 1
    assert before != after


def test_the_same_state_asks_for_the_same_run(library: Library, instance: dg.DagsterInstance) -> None:
    library.blobs.write("soundtracks", "a.mp3", b"not music")

    (first,) = _tick(soundtracks_sensor, library, instance, Cursor()).run_requests
    (again,) = _tick(soundtracks_sensor, library, instance, Cursor()).run_requests

    assert first.run_key == again.run_key
    assert first.tags.items() >= range_tags("0", "f").items()


def test_the_tables_are_left_alone_while_the_listing_is_what_they_knew(
    ten_tracks: Library, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _tick(soundtracks_sensor, ten_tracks, instance, SWEPT_NOW)
    with monkeypatch.context() as asleep:
        asleep.setattr(type(ten_tracks.catalogue), "manifest", lambda *_: pytest.fail("the tables were asked"))
        second = _tick(soundtracks_sensor, ten_tracks, instance, first.cursor)
    ten_tracks.blobs.write("soundtracks", "another.mp3", b"not music")
    third = _tick(soundtracks_sensor, ten_tracks, instance, second.cursor)
    fourth = _tick(soundtracks_sensor, ten_tracks, instance, third.cursor)

    assert [len(result.run_requests or []) for result in (first, second, third)] == [0, 0, 1]
    assert Cursor.parse(fourth.cursor).listing == Cursor.parse(first.cursor).listing, "a file waits: it was not settled"


def test_a_file_that_changes_again_asks_for_another_run(library: Library, instance: dg.DagsterInstance) -> None:
    library.blobs.write("soundtracks", "a.mp3", b"not music")
    (first,) = _tick(soundtracks_sensor, library, instance, Cursor()).run_requests
    library.blobs.write("soundtracks", "a.mp3", b"nor is this")
    (second,) = _tick(soundtracks_sensor, library, instance, Cursor()).run_requests

    assert first.run_key != second.run_key


def test_an_upload_that_a_run_has_failed_since_asks_for_another_run(
    ten_tracks: Library, instance: dg.DagsterInstance
) -> None:
    ten_tracks.blobs.write("uploads", "a.mp3", b"not music")
    first = _tick(uploads_sensor, ten_tracks, instance, Cursor())
    (upload,) = first.dynamic_partitions_requests[0].partition_keys
    failed = {"state": "failed", "failure": {"code": "corrupt_index"}, "received": "2026-01-01T00:00:00+00:00"}
    ten_tracks.documents.put(upload, failed | {"run_id": "the first"})
    second = _tick(uploads_sensor, ten_tracks, instance, Cursor())
    again = _tick(uploads_sensor, ten_tracks, instance, Cursor())

    assert first.run_requests[0].run_key != second.run_requests[0].run_key == again.run_requests[0].run_key


def test_a_library_that_is_up_to_date_asks_for_nothing(ten_tracks: Library, instance: dg.DagsterInstance) -> None:
    result = _tick(soundtracks_sensor, ten_tracks, instance, Cursor())

    assert result.run_requests == []
    assert Cursor.parse(result.cursor).swept > 0


def test_a_flood_of_soundtracks_is_taken_in_pages(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    with Library(Settings(home=tmp_path, settle_seconds=0, watch_seconds=0, sensor_page=2)) as library:
        for name in "abc":
            library.blobs.write("soundtracks", f"{name}.mp3", name.encode())
        first = _tick(soundtracks_sensor, library, instance, SWEPT_NOW)
        second = _tick(soundtracks_sensor, library, instance, first.cursor)
        third = _tick(soundtracks_sensor, library, instance, second.cursor)

    assert [len(tick.run_requests or []) for tick in (first, second, third)] == [1, 1, 0]
    assert Cursor.parse(first.cursor).name == "b.mp3"
    assert Cursor.parse(second.cursor).name == "c.mp3"


@pytest.mark.parametrize("sensor", [soundtracks_sensor, uploads_sensor])
def test_a_file_that_is_still_being_copied_is_left_alone(
    sensor: dg.SensorDefinition, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    with Library(Settings(home=tmp_path, settle_seconds=3600, watch_seconds=0)) as library:
        for container in ("soundtracks", "uploads"):
            library.blobs.write(container, "there before.mp3", b"so that there is the container")
            (library.settings.blobs / container / "half.mp3").write_bytes(b"half of it")
        before = _tick(sensor, library, instance, SWEPT_NOW).cursor
        assert not _tick(sensor, library, instance, before).run_requests
    with Library(Settings(home=tmp_path, settle_seconds=0, watch_seconds=0)) as library:
        assert len(_tick(sensor, library, instance, before).run_requests) == 1


@pytest.mark.parametrize("sensor", [soundtracks_sensor, uploads_sensor])
def test_a_file_that_came_as_a_whole_is_taken_at_once(
    sensor: dg.SensorDefinition, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    with Library(Settings(home=tmp_path, settle_seconds=3600, watch_seconds=0)) as library:
        for container in ("soundtracks", "uploads"):
            library.blobs.write(container, "whole.mp3", b"all of it")
        assert len(_tick(sensor, library, instance, SWEPT_NOW).run_requests) == 1


def test_an_upload_that_comes_while_the_sensor_watches_is_found_at_once(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    with Library(Settings(home=tmp_path, watch_seconds=30)) as library, ThreadPoolExecutor() as pool:
        looking = pool.submit(_tick, uploads_sensor, library, instance, SWEPT_NOW)
        time.sleep(0.2)
        assert not looking.done()
        library.blobs.write("uploads", "a.mp3", b"not music")
        # It would watch for longer than this.
        assert len(looking.result(timeout=20).run_requests) == 1


def test_a_sensor_that_watches_in_vain_ends_its_look(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    with Library(Settings(home=tmp_path, watch_seconds=0.2)) as library:
        library.blobs.write("uploads", "cover.jpg", b"a picture")

        assert not _tick(uploads_sensor, library, instance, SWEPT_NOW).run_requests


def test_a_library_that_the_command_line_works_on_is_left_alone(library: Library, instance: dg.DagsterInstance) -> None:
    library.blobs.write("soundtracks", "a.mp3", b"not music")

    with command_line_lock(library.settings):
        assert not _tick(soundtracks_sensor, library, instance, SWEPT_NOW).run_requests
    assert len(_tick(soundtracks_sensor, library, instance, SWEPT_NOW).run_requests) == 1


def test_uploads_are_not_tried_again_and_again_while_the_index_is_empty(
    library: Library, instance: dg.DagsterInstance, ten_songs: list[Path]
) -> None:
    run_library(library, instance)
    upload = drop_upload(library, ten_songs[0], "a.flac")
    run_uploads(library, instance, [upload])

    assert library.documents.get(upload).body["failure"]["code"] == "no_index"
    assert not _tick(uploads_sensor, library, instance, Cursor()).run_requests


def test_files_that_went_are_found_by_a_sweep(ten_tracks: Library, instance: dg.DagsterInstance) -> None:
    ten_tracks.blobs.delete("soundtracks", "song-3.flac")

    assert not _tick(soundtracks_sensor, ten_tracks, instance, SWEPT_NOW).run_requests
    assert len(_tick(soundtracks_sensor, ten_tracks, instance, Cursor()).run_requests) == 1


def test_what_a_killed_run_left_undone_is_found_by_a_sweep(ten_tracks: Library, instance: dg.DagsterInstance) -> None:
    library = Library(ten_tracks.settings.model_copy(update={"recommendations": 7}))

    assert _tick(soundtracks_sensor, library, instance, SWEPT_NOW).run_requests == []
    assert len(_tick(soundtracks_sensor, library, instance, Cursor()).run_requests) == 1


def test_no_run_is_asked_for_while_one_over_the_library_is_under_way(
    library: Library, instance: dg.DagsterInstance
) -> None:
    library.blobs.write("soundtracks", "a.mp3", b"not music")
    run = create_run(instance, "library", dg.DagsterRunStatus.STARTED, {})

    waiting = _tick(soundtracks_sensor, library, instance, SWEPT_NOW)
    instance.delete_run(run.run_id)

    assert waiting.run_requests == []
    assert waiting.cursor == str(SWEPT_NOW)
    assert len(_tick(soundtracks_sensor, library, instance, waiting.cursor).run_requests) == 1


@given(st.floats(0, 3600), MOMENTS)
def test_a_look_is_followed_by_a_rest_in_proportion(seconds: float, began: datetime) -> None:
    ended = began + timedelta(seconds=seconds)
    cursor = Cursor().rested(began, ended)

    if seconds < LOOKING_SHARE:
        assert cursor == Cursor(), "the daemon does not come round that soon"
    assert not cursor.is_resting(ended + timedelta(seconds=seconds / LOOKING_SHARE + 1e-3))
    assert cursor.is_resting(ended + timedelta(seconds=seconds / LOOKING_SHARE - 1)) == (
        seconds / LOOKING_SHARE > INTERVAL_SECONDS
    )


def test_a_container_is_not_looked_through_during_a_rest(library: Library, instance: dg.DagsterInstance) -> None:
    library.blobs.write("soundtracks", "a.mp3", b"not music")
    library.blobs.write("uploads", "a.mp3", b"not music")
    resting = Cursor(rests_until=datetime.now(UTC).timestamp() + 60)

    for sensor in (soundtracks_sensor, uploads_sensor):
        with dg.build_sensor_context(instance, cursor=str(resting), resources={"library": library}) as context:
            outcome = sensor.evaluate_tick(context)
        assert not outcome.run_requests
        assert outcome.cursor == str(resting)


def test_the_sensors_look_at_every_round_of_the_daemon() -> None:
    # The daemon comes round every 5 s, give or take: with a minimum of 5 it passes every other time.
    assert (
        uploads_sensor.minimum_interval_seconds == soundtracks_sensor.minimum_interval_seconds == INTERVAL_SECONDS < 5
    )


def _tick(sensor: dg.SensorDefinition, library: Library, instance: dg.DagsterInstance, cursor: Cursor | str) -> Look:
    """A tick as the daemon has it: partitions that it asks for are there afterwards."""
    rested = replace(Cursor.parse(str(cursor)), rests_until=0.0)
    with dg.build_sensor_context(instance, cursor=str(rested), resources={"library": library}) as context:
        outcome = sensor.evaluate_tick(context)
    for request in outcome.dynamic_partitions_requests or []:
        instance.add_dynamic_partitions(str(UPLOADS.name), list(request.partition_keys))
    assert outcome.cursor is not None
    return Look(outcome.run_requests or [], outcome.dynamic_partitions_requests or [], outcome.cursor)
