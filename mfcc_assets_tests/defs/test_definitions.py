"""The code location: its graph of assets, checks, jobs and sensors, and the description of every asset."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from dagster._core.workspace.load import location_origins_from_yaml_paths

from mfcc_assets.definitions import build_defs, defs
from mfcc_assets.library import Library
from mfcc_assets_tests.services.processes import REPOSITORY

LINEAGE = {
    "raw_soundtracks": set(),
    "soundtrack_cepstra": {"raw_soundtracks"},
    "soundtrack_waveforms": {"soundtrack_cepstra"},
    "soundtrack_summaries": {"soundtrack_cepstra"},
    "prefilter_index": {"soundtrack_summaries"},
    "soundtrack_candidates": {"prefilter_index"},
    "soundtrack_rankings": {"soundtrack_candidates"},
    "recommendation_quality": {"soundtrack_rankings"},
    "published_index": {"recommendation_quality"},
    "soundtrack_recommendations": {"published_index", "soundtrack_rankings"},
    "library_report": {"soundtrack_recommendations"},
    "raw_upload": set(),
    "upload_cepstra": {"raw_upload", "published_index"},
    "upload_metadata": {"upload_cepstra", "published_index"},
    "upload_candidates": {"upload_cepstra", "upload_metadata", "published_index"},
    "upload_ranking": {"upload_candidates"},
    "upload_recommendations": {"upload_ranking"},
}
BLOCKING_CHECKS = {
    ("prefilter_index", "index_is_complete"),
    ("prefilter_index", "features_are_of_one_version"),
    ("recommendation_quality", "rankings_are_complete"),
    ("recommendation_quality", "quality_holds"),
}
OTHER_CHECKS = {
    ("soundtrack_cepstra", "features_match_reference"),
    ("soundtrack_cepstra", "no_soundtrack_is_rejected"),
    ("soundtrack_recommendations", "recommendations_name_existing_tracks"),
}
UPLOAD_CHECKS = {("upload_recommendations", "uploads_are_answered_within_a_minute")}
CHILDS = {"PIL", "av", "mutagen", "pandas", "soundfile", "soxr"}
"""Packages with which child processes read files, and one that nothing needs."""


def _assets() -> Iterator[dg.AssetsDefinition]:
    return (asset for asset in defs.assets or [] if isinstance(asset, dg.AssetsDefinition))


def _specs() -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for asset in _assets() for spec in asset.specs}


def test_the_definitions_can_be_loaded() -> None:
    dg.Definitions.validate_loadable(defs)


def test_the_process_of_a_run_imports_nothing_that_only_its_child_processes_need() -> None:
    program = f"import sys, mfcc_assets.definitions; print(*{CHILDS!r} & sys.modules.keys())"

    assert not subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_lineage_is_as_documented() -> None:
    lineage = {name: {dep.asset_key.to_user_string() for dep in spec.deps} for name, spec in _specs().items()}

    assert lineage == LINEAGE


def test_uploads_and_the_library_are_two_groups() -> None:
    groups = {name: spec.group_name for name, spec in _specs().items()}

    assert groups == {name: "uploads" if "upload" in name else "library" for name in LINEAGE}


def test_the_checks_before_publication_are_blocking() -> None:
    graph = defs.resolve_asset_graph()
    checks = {(key.asset_key.to_user_string(), key.name): graph.get(key).blocking for key in graph.asset_check_keys}

    assert {check for check, blocking in checks.items() if blocking} == BLOCKING_CHECKS
    assert {check for check, blocking in checks.items() if not blocking} == OTHER_CHECKS | UPLOAD_CHECKS


@pytest.mark.parametrize("name", LINEAGE)
def test_every_asset_has_a_description_and_an_owner(name: str) -> None:
    spec = _specs()[name]

    assert spec.description
    assert spec.owners
    assert spec.kinds
    assert spec.code_version


def test_every_asset_returns_a_materialize_result() -> None:
    # Without the annotation, a run over several partitions fails in the default IO manager.
    functions: dict[str, Any] = {asset.op.name: asset.op.compute_fn for asset in _assets()}
    returned = {name: function.decorated_fn.__annotations__["return"] for name, function in functions.items()}

    assert returned == dict.fromkeys(LINEAGE, dg.MaterializeResult)


def test_partitions_are_materialised_by_a_single_run() -> None:
    for asset in _assets():
        if asset.partitions_def is not None:
            assert asset.backfill_policy == dg.BackfillPolicy.single_run()


def test_jobs_sensors_and_schedules_are_as_documented() -> None:
    repository = defs.get_repository_def()
    sensors = {sensor.name: sensor for sensor in repository.sensor_defs}

    schedules = {schedule.name: schedule for schedule in repository.schedule_defs}

    assert {"library", "features", "uploads", "retention", "housekeeping", "history"} <= set(repository.job_names)
    assert set(schedules) == {"nightly_schedule", "housekeeping_schedule", "retention_schedule", "history_schedule"}
    assert {schedule.default_status for schedule in schedules.values()} == {dg.DefaultScheduleStatus.RUNNING}
    running = {name for name, sensor in sensors.items() if sensor.default_status == dg.DefaultSensorStatus.RUNNING}
    of_uploads = {"uploads_sensor", "arrivals_sensor"}
    assert running == of_uploads | {"soundtracks_sensor", "orphaned_runs_sensor", "late_answers_sensor"}
    assert set(sensors) == running | {"library_conditions"}


def test_definitions_accept_another_library(library: Library) -> None:
    resources = build_defs(library=library).resources

    assert resources is not None
    assert resources["library"] is library


def test_the_workspace_names_this_code_location() -> None:
    (origin,) = location_origins_from_yaml_paths([str(REPOSITORY / "workspace.yaml")])

    assert origin.location_name == "mfcc_assets.definitions"
