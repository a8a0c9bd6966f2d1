"""What the catalogue of Dagster says of each asset."""

import warnings
from pathlib import Path

import dagster as dg
import pytest

from mfcc_assets.definitions import build_defs, defs
from mfcc_assets.defs.descriptions import DESCRIPTIONS
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.defs.test_definitions import LINEAGE
from mfcc_assets_tests.runs import run_library
from mfcc_assets_tests.services.processes import REPOSITORY

LIBRARY = [name for name in LINEAGE if "upload" not in name]


def spec_of(definitions: dg.Definitions, name: str) -> dg.AssetSpec:
    return next(spec for spec in definitions.resolve_all_asset_specs() if spec.key == dg.AssetKey(name))


def versions_of(settings: Settings) -> dict[str, str | None]:
    definitions = build_defs(Library(settings))
    return {name: spec_of(definitions, name).code_version for name in LINEAGE}


def changed(settings: Settings, **values: object) -> set[str]:
    """Return the assets whose code versions are others with these settings."""
    before, after = versions_of(settings), versions_of(settings.model_copy(update=values))
    return {name for name in LINEAGE if before[name] != after[name]}


@pytest.mark.parametrize("name", LINEAGE)
def test_an_asset_has_an_owner_a_domain_its_code_and_a_page(name: str) -> None:
    spec = spec_of(defs, name)

    assert list(spec.owners) == ["team:music"]
    assert spec.tags["domain"] == DESCRIPTIONS[name].domain
    (code,) = spec.metadata["dagster/code_references"].code_references
    assert f"def {name}(" in "".join(Path(code.file_path).read_text().splitlines(True)[code.line_number - 1 :][:3])
    page, _, section = str(spec.metadata["documentation"].value).partition("#")
    headings = [line.lstrip("# ").lower() for line in Path(page).read_text().splitlines() if line.startswith("#")]
    assert not section or section.replace("-", " ") in headings


def test_assets_say_where_their_tables_and_files_lie(settings: Settings) -> None:
    definitions = build_defs(Library(settings))
    tables = {name: spec_of(definitions, name).metadata.get("dagster/table_name") for name in LINEAGE}
    places = {name: spec_of(definitions, name).metadata.get("dagster/uri") for name in LINEAGE}

    assert {name: table for name, table in tables.items() if table} == {
        "raw_soundtracks": "SOUNDTRACKS",
        "soundtrack_recommendations": "RECOMMENDATIONS",
        "upload_recommendations": "RECOMMENDATIONS",
    }
    assert places["raw_soundtracks"] == f"sqlite:///{settings.folder}/tables.sqlite"
    assert places["soundtrack_cepstra"] == f"file://{settings.blobs}/cepstra/frames"
    assert [name for name, place in places.items() if not place] == ["library_report"]


def test_the_password_of_a_database_is_not_in_the_catalogue(settings: Settings) -> None:
    address = "postgresql+psycopg2://clerk:hidden@host/mfcc"
    metadata = spec_of(build_defs(Library(settings.model_copy(update={"database_url": address}))), "raw_soundtracks")

    assert metadata.metadata["dagster/uri"] == "postgresql+psycopg2://clerk:***@host/mfcc"


def test_the_code_version_changes_with_the_parameters_that_change_the_content(settings: Settings) -> None:
    searched = {name for name in LINEAGE if "candidates" in name or "ranking" in name or "index" in name}
    lists = {"soundtrack_recommendations", "upload_recommendations"}
    ranked = searched | lists | {"recommendation_quality"}

    assert changed(settings, recommendations=7) == lists
    assert changed(settings, ranking="dtw") == ranked
    assert changed(settings, contour_rate=1.0) == ranked | {"soundtrack_summaries", "upload_cepstra"}
    assert changed(settings, fft_size=512) == ranked | {"soundtrack_cepstra", "soundtrack_summaries", "upload_cepstra"}
    assert changed(settings, sweep_seconds=30) == set()


def test_a_run_records_the_code_version(ten_tracks: Library, instance: dg.DagsterInstance) -> None:
    run_library(ten_tracks, instance)

    event = instance.get_latest_materialization_event(dg.AssetKey("prefilter_index"))
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.tags is not None
    expected = spec_of(build_defs(ten_tracks), "prefilter_index").code_version
    assert event.asset_materialization.tags["dagster/code_version"] == expected


@pytest.mark.parametrize("name", LINEAGE)
def test_the_library_must_be_a_day_old_at_most_and_uploads_have_a_check_instead(name: str) -> None:
    assert (spec_of(defs, name).freshness_policy is not None) == (name in LIBRARY)


def test_putting_the_definitions_together_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build_defs().resolve_asset_graph()


def test_the_pages_are_those_of_the_repository() -> None:
    pages = {description.page.partition("#")[0] for description in DESCRIPTIONS.values()}

    assert all((REPOSITORY / "docs" / page).is_file() for page in pages)
