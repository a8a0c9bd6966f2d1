"""The sensor of the library: when it requests a run, tried on a real library and a real instance of Dagster."""

from pathlib import Path

import dagster as dg
import pytest

from mfcc_assets.defs.launch import IN_STAGES, command_line_lock, range_tags
from mfcc_assets.defs.sensors.cursor import Cursor
from mfcc_assets.defs.sensors.soundtracks import soundtracks_sensor
from mfcc_assets.library import Library
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.pipeline.soundtracks import analyse_soundtracks
from mfcc_assets.settings import Settings
from mfcc_assets_tests.defs.sensors.ticks import swept_now, tick
from mfcc_assets_tests.runs import create_run


def test_the_same_state_requests_the_same_run(library: Library, instance: dg.DagsterInstance) -> None:
    library.blobs.write("soundtracks", "a.mp3", b"not music")

    (first,) = tick(soundtracks_sensor, library, instance, Cursor()).run_requests
    (again,) = tick(soundtracks_sensor, library, instance, Cursor()).run_requests

    assert first.run_key == again.run_key
    assert first.tags.items() >= range_tags("0", "f").items()


def test_an_unchanged_listing_does_not_query_the_database(
    ten_tracks: Library, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tick(soundtracks_sensor, ten_tracks, instance, swept_now())
    with monkeypatch.context() as patch:
        patch.setattr(type(ten_tracks.catalogue), "manifest", lambda *_: pytest.fail("the database was queried"))
        second = tick(soundtracks_sensor, ten_tracks, instance, first.cursor)
    ten_tracks.blobs.write("soundtracks", "another.mp3", b"not music")
    third = tick(soundtracks_sensor, ten_tracks, instance, second.cursor)
    fourth = tick(soundtracks_sensor, ten_tracks, instance, third.cursor)

    assert [len(result.run_requests or []) for result in (first, second, third)] == [0, 0, 1]
    assert Cursor.parse(fourth.cursor).listing == Cursor.parse(first.cursor).listing, "a file is outstanding"


def test_a_file_that_changes_again_requests_another_run(library: Library, instance: dg.DagsterInstance) -> None:
    library.blobs.write("soundtracks", "a.mp3", b"not music")
    (first,) = tick(soundtracks_sensor, library, instance, Cursor()).run_requests
    library.blobs.write("soundtracks", "a.mp3", b"nor is this")
    (second,) = tick(soundtracks_sensor, library, instance, Cursor()).run_requests

    assert first.run_key != second.run_key


def test_a_library_that_is_up_to_date_requests_no_run(ten_tracks: Library, instance: dg.DagsterInstance) -> None:
    result = tick(soundtracks_sensor, ten_tracks, instance, Cursor())

    assert result.run_requests == []
    assert Cursor.parse(result.cursor).swept > 0


def test_many_soundtracks_are_taken_in_pages(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    with Library(Settings(home=tmp_path, settle_seconds=0, watch_seconds=0, sensor_page=2)) as library:
        for name in "abc":
            library.blobs.write("soundtracks", f"{name}.mp3", name.encode())
        first = tick(soundtracks_sensor, library, instance, swept_now())
        second = tick(soundtracks_sensor, library, instance, first.cursor)
        third = tick(soundtracks_sensor, library, instance, second.cursor)

    assert [len(tick.run_requests or []) for tick in (first, second, third)] == [1, 1, 0]
    assert Cursor.parse(first.cursor).name == "b.mp3"
    assert Cursor.parse(second.cursor).name == "c.mp3"


def test_no_run_is_requested_while_the_command_line_changes_the_library(
    library: Library, instance: dg.DagsterInstance
) -> None:
    library.blobs.write("soundtracks", "a.mp3", b"not music")

    with command_line_lock(library.settings):
        assert not tick(soundtracks_sensor, library, instance, swept_now()).run_requests
    assert len(tick(soundtracks_sensor, library, instance, swept_now()).run_requests) == 1


def test_the_run_of_the_next_stage_is_requested_at_once(
    library: Library, instance: dg.DagsterInstance, ten_songs: list[Path]
) -> None:
    for song in ten_songs[:4]:
        library.blobs.upload_file("soundtracks", song.name, song)
    (first,) = tick(soundtracks_sensor, library, instance, swept_now()).run_requests
    observe_soundtracks(library, library.shards, run_id="run")
    analyse_soundtracks(library, library.shards, run_id="run", stage_size=2)
    (second,) = tick(soundtracks_sensor, library, instance, swept_now()).run_requests
    analyse_soundtracks(library, library.shards, run_id="run")
    third = tick(soundtracks_sensor, library, instance, swept_now())

    assert first.tags.items() >= IN_STAGES.items() <= second.tags.items()
    assert not third.run_requests, "nothing waits any more, and the next sweep is not due"


def test_a_sweep_finds_deleted_files(ten_tracks: Library, instance: dg.DagsterInstance) -> None:
    ten_tracks.blobs.delete("soundtracks", "song-3.flac")

    assert not tick(soundtracks_sensor, ten_tracks, instance, swept_now()).run_requests
    assert len(tick(soundtracks_sensor, ten_tracks, instance, Cursor()).run_requests) == 1


def test_a_sweep_finds_unfinished_work_of_a_killed_run(ten_tracks: Library, instance: dg.DagsterInstance) -> None:
    library = Library(ten_tracks.settings.model_copy(update={"recommendations": 7}))

    assert tick(soundtracks_sensor, library, instance, swept_now()).run_requests == []
    assert len(tick(soundtracks_sensor, library, instance, Cursor()).run_requests) == 1


def test_no_run_is_requested_while_a_run_over_the_library_is_unfinished(
    library: Library, instance: dg.DagsterInstance
) -> None:
    library.blobs.write("soundtracks", "a.mp3", b"not music")
    run = create_run(instance, "library", dg.DagsterRunStatus.STARTED, {})

    cursor = swept_now()
    waiting = tick(soundtracks_sensor, library, instance, cursor)
    instance.delete_run(run.run_id)

    assert waiting.run_requests == []
    assert waiting.cursor == str(cursor)
    assert len(tick(soundtracks_sensor, library, instance, waiting.cursor).run_requests) == 1


def test_folders_in_place_are_watched_and_ask_for_nothing_while_they_are_away(
    ten_tracks: Library, instance: dg.DagsterInstance, ten_songs: list[Path], tmp_path: Path
) -> None:
    music = tmp_path / "Music"
    music.mkdir()
    (music / "again.flac").write_bytes(ten_songs[0].read_bytes())
    ten_tracks.music_folders.add([music])
    assert len(tick(soundtracks_sensor, ten_tracks, instance, swept_now()).run_requests) == 1

    observe_soundtracks(ten_tracks, ten_tracks.shards, run_id="run")
    music.rename(tmp_path / "unmounted")
    assert tick(soundtracks_sensor, ten_tracks, instance, swept_now()).run_requests == []
    assert "Music/again.flac" not in str(tick(soundtracks_sensor, ten_tracks, instance, Cursor()).run_requests)
    assert "Music/again.flac" in ten_tracks.catalogue.track_ids()
