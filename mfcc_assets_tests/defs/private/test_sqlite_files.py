"""Dagster's runs, schedules and events lie in the home of the library, however the home is called."""

from pathlib import Path

import dagster as dg
import pytest

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
