"""The cursor of the sensors: pages, settled files, and rests between ticks."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.defs.sensors.cursor import INTERVAL_SECONDS, TICK_SHARE, Cursor, take_page
from mfcc_assets.defs.sensors.soundtracks import soundtracks_sensor
from mfcc_assets.defs.sensors.uploads import uploads_sensor
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.port import Blob
from mfcc_assets_tests.defs.sensors.ticks import swept_now, tick

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
MOMENTS = st.integers(0, 4).map(lambda second: datetime(2026, 1, 1, second=second, tzinfo=UTC))
BLOBS = st.dictionaries(st.text("abcdef", min_size=1, max_size=2), MOMENTS, max_size=10).map(
    lambda modified: {name: Blob(name, 1, "etag", moment) for name, moment in modified.items()}
)


@given(BLOBS, st.integers(1, 4))
def test_the_pages_hold_every_blob_once_in_the_order_of_arrival(blobs: dict[str, Blob], size: int) -> None:
    seen: list[str] = []
    page, cursor = take_page(blobs, Cursor(), size)
    while page:
        assert len(page) <= size
        seen += page
        page, cursor = take_page(blobs, cursor, size)

    assert [blobs[name] for name in seen] == sorted(blobs.values())


@given(BLOBS, st.integers(1, 12))
def test_a_cursor_has_passed_exactly_the_blobs_on_its_page(blobs: dict[str, Blob], size: int) -> None:
    page, cursor = take_page(blobs, Cursor(), size)

    assert {name for name, blob in blobs.items() if not cursor.is_before(blob)} == set(page)


@given(st.builds(Cursor, st.text(), st.text(), NUMBERS, st.text(), NUMBERS))
def test_a_written_cursor_is_read_back_unchanged(cursor: Cursor) -> None:
    assert Cursor.parse(str(cursor)) == cursor


@given(st.floats(0, 3600), MOMENTS)
def test_a_sensor_rests_in_proportion_to_the_time_of_its_look(seconds: float, began: datetime) -> None:
    ended = began + timedelta(seconds=seconds)
    cursor = Cursor().rested(began, ended)

    if seconds < TICK_SHARE:
        assert cursor == Cursor(), "the daemon ticks no sooner anyway"
    assert not cursor.is_resting(ended + timedelta(seconds=seconds / TICK_SHARE + 1e-3))
    assert cursor.is_resting(ended + timedelta(seconds=seconds / TICK_SHARE - 1)) == (
        seconds / TICK_SHARE > INTERVAL_SECONDS
    )


def test_a_resting_sensor_does_not_list_its_container(library: Library, instance: dg.DagsterInstance) -> None:
    library.blobs.write("soundtracks", "a.mp3", b"not music")
    library.blobs.write("uploads", "a.mp3", b"not music")
    resting = Cursor(rests_until=datetime.now(UTC).timestamp() + 60, rest=60)

    for sensor in (soundtracks_sensor, uploads_sensor):
        with dg.build_sensor_context(instance, cursor=str(resting), resources={"library": library}) as context:
            outcome = sensor.evaluate_tick(context)
        assert not outcome.run_requests
        assert outcome.cursor == str(resting)


def test_the_sensors_tick_in_every_round_of_the_daemon() -> None:
    # The daemon ticks about every 5 s. With a minimum interval of 5 s, the sensors would miss every other tick.
    assert (
        uploads_sensor.minimum_interval_seconds == soundtracks_sensor.minimum_interval_seconds == INTERVAL_SECONDS < 5
    )


@pytest.mark.parametrize("sensor", [soundtracks_sensor, uploads_sensor])
def test_a_file_that_is_still_being_copied_is_left_alone(
    sensor: dg.SensorDefinition, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    with Library(Settings(home=tmp_path, settle_seconds=3600, watch_seconds=0)) as library:
        for container in ("soundtracks", "uploads"):
            library.blobs.write(container, "there before.mp3", b"a file, so that the container exists")
            (library.settings.blobs / container / "half.mp3").write_bytes(b"half of it")
        before = tick(sensor, library, instance, swept_now()).cursor
        assert not tick(sensor, library, instance, before).run_requests
    with Library(Settings(home=tmp_path, settle_seconds=0, watch_seconds=0)) as library:
        assert len(tick(sensor, library, instance, before).run_requests) == 1


@pytest.mark.parametrize("sensor", [soundtracks_sensor, uploads_sensor])
def test_a_file_that_was_stored_as_a_whole_is_taken_at_once(
    sensor: dg.SensorDefinition, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    with Library(Settings(home=tmp_path, settle_seconds=3600, watch_seconds=0)) as library:
        for container in ("soundtracks", "uploads"):
            library.blobs.write(container, "whole.mp3", b"all of it")
        assert len(tick(sensor, library, instance, swept_now()).run_requests) == 1
