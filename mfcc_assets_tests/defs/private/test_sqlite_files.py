"""Dagster's runs, schedules and events lie in the home of the library, however the home is called."""

import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, InstigatorType, SensorInstigatorData

from mfcc_assets.defs.launch import prepare_dagster_home
from mfcc_assets.settings import Settings
from mfcc_assets_tests.runs import create_run

NAMES = ["What? 100%25", "%41#x", "a&b=c;d", "ünï cödé", "[x]@host:1", "quote'\"\\"]


@pytest.mark.parametrize("name", NAMES)
def test_a_home_of_any_name_holds_all_databases_of_its_dagster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    home = prepare_dagster_home(Settings(home=tmp_path / name / "home"))
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    for _ in range(2):
        with dg.DagsterInstance.get() as dagster:
            run = create_run(dagster, "library", dg.DagsterRunStatus.SUCCESS, {})
            assert dagster.get_run_by_id(run.run_id) == run
            dagster.all_instigator_state()
            dagster.get_asset_keys()
    assert sorted(str(path.relative_to(home)) for path in home.rglob("*.db")) == [
        "history/runs.db",
        "history/runs/index.db",
        "schedules/schedules.db",
    ]
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(("age", "is_known"), [(60.0, True), (-7_200.0, False)])
def test_a_tick_that_lies_in_the_future_since_the_clock_was_set_back_delays_no_sensor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: float, is_known: bool
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(prepare_dagster_home(Settings(home=tmp_path / "home"))))
    origin = RemoteInstigatorOrigin(
        RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("mfcc_assets"), "__repository__"), "uploads_sensor"
    )
    tick = time.time() - age
    ticks = SensorInstigatorData(tick, min_interval=4, cursor="seen", last_tick_start_timestamp=tick)
    with dg.DagsterInstance.get() as dagster:
        state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, ticks)
        dagster.add_instigator_state(state)
        (listed,) = dagster.all_instigator_state(instigator_type=InstigatorType.SENSOR)
        read = dagster.get_instigator_state(state.instigator_origin_id, state.selector_id)
    assert read == listed
    assert listed.instigator_data == (ticks if is_known else SensorInstigatorData(min_interval=4, cursor="seen"))
