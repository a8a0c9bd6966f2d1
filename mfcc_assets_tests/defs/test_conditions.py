"""Conditions request what is out of date, and only the setting decides whether they or the sensor bring the rest."""

import time
from dataclasses import replace
from pathlib import Path

import dagster as dg

from mfcc_assets.definitions import build_defs
from mfcc_assets.defs.conditions import CONDITIONS_SENSOR
from mfcc_assets.defs.sensors.cursor import Cursor
from mfcc_assets.defs.sensors.soundtracks import soundtracks_sensor
from mfcc_assets.library import Library
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.defs.sensors.ticks import swept_now, tick
from mfcc_assets_tests.runs import run_library


def with_settings(library: Library, **values: object) -> Library:
    return Library(library.settings.model_copy(update=values))


def evaluated(
    library: Library, instance: dg.DagsterInstance, before: dg.EvaluateAutomationConditionsResult | None = None
) -> dg.EvaluateAutomationConditionsResult:
    """Evaluate the conditions of a library once, after a former evaluation."""
    cursor = before.cursor if before else None
    return dg.evaluate_automation_conditions(
        build_defs(library), instance, asset_selection=dg.AssetSelection.groups("library"), cursor=cursor
    )


def requested(result: dg.EvaluateAutomationConditionsResult, library: Library) -> dict[str, int]:
    """Return the number of requested partitions of each asset; assets without partitions count once."""
    keys = [spec.key for spec in build_defs(library).resolve_all_asset_specs() if spec.group_name == "library"]
    numbers = {key.to_user_string(): result.get_num_requested(key) for key in keys}
    return {name: number for name, number in numbers.items() if number}


def test_an_up_to_date_library_requests_nothing_until_a_code_version_changes(
    ten_tracks: Library, instance: dg.DagsterInstance
) -> None:
    run_library(ten_tracks, instance)
    other = with_settings(ten_tracks, contour_rate=1.0)
    first = evaluated(ten_tracks, instance)
    same = evaluated(ten_tracks, instance, first)
    changed = evaluated(other, instance, same)

    assert requested(same, ten_tracks) == {}
    found = requested(changed, other)
    assert found["soundtrack_summaries"] == 16
    assert "raw_soundtracks" not in found
    assert "soundtrack_cepstra" not in found


def test_an_updated_asset_requests_those_after_it(ten_tracks: Library, instance: dg.DagsterInstance) -> None:
    run_library(ten_tracks, instance)
    first = evaluated(ten_tracks, instance)
    run_library(ten_tracks, instance, shards=("3", "3"), job_name="features")

    second = evaluated(ten_tracks, instance, first)

    assert requested(second, ten_tracks)["prefilter_index"] == 1
    assert "soundtrack_cepstra" not in requested(second, ten_tracks)


def test_with_conditions_the_sensor_requests_only_the_observation_of_the_files(
    ten_tracks: Library, instance: dg.DagsterInstance
) -> None:
    ten_tracks.blobs.write("soundtracks", "a.mp3", b"not music")
    conditions = with_settings(ten_tracks, automation="conditions")

    (whole,) = tick(soundtracks_sensor, ten_tracks, instance, Cursor()).run_requests
    (observation,) = tick(soundtracks_sensor, conditions, instance, Cursor()).run_requests

    assert whole.asset_selection is None
    assert observation.asset_selection == [dg.AssetKey("raw_soundtracks")]


def test_with_conditions_a_file_that_waits_is_not_observed_again(
    ten_tracks: Library, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    music = write_music(tmp_path / "new.flac", 3.0, seed=99)
    ten_tracks.blobs.upload_file("soundtracks", music.name, music)
    observe_soundtracks(ten_tracks, ten_tracks.shards, run_id="run")
    two_sweeps_ago = replace(swept_now(), swept=time.time() - 2 * ten_tracks.settings.library_sweep_seconds)
    for cursor in (swept_now(), two_sweeps_ago):
        requested = {
            automation: tick(
                soundtracks_sensor, with_settings(ten_tracks, automation=automation), instance, cursor
            ).run_requests
            for automation in ("sensors", "conditions")
        }
        assert [len(requests or []) for requests in requested.values()] == [1, 0]


def test_with_conditions_a_request_postpones_the_sweep_which_would_observe_the_files_again(
    ten_tracks: Library, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    conditions = with_settings(ten_tracks, automation="conditions")
    music = write_music(tmp_path / "new.flac", 3.0, seed=99)
    ten_tracks.blobs.upload_file("soundtracks", music.name, music)

    requested = tick(soundtracks_sensor, conditions, instance, Cursor())
    observe_soundtracks(ten_tracks, ten_tracks.shards, run_id="run")
    after = tick(soundtracks_sensor, conditions, instance, Cursor.parse(requested.cursor))

    assert len(requested.run_requests or []) == 1
    assert not after.run_requests


def test_the_setting_decides_whether_the_conditions_are_evaluated(library: Library) -> None:
    def status(definitions: dg.Definitions) -> dg.DefaultSensorStatus:
        return definitions.get_repository_def().get_sensor_def(CONDITIONS_SENSOR).default_status

    assert status(build_defs(library)) == dg.DefaultSensorStatus.STOPPED
    assert status(build_defs(with_settings(library, automation="conditions"))) == dg.DefaultSensorStatus.RUNNING
