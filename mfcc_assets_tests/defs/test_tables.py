"""The columns that the definitions describe are those that runs store, and their lineage names existing columns."""

import dagster as dg
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from mfcc_assets.defs.tables import LINEAGE, SCHEMAS
from mfcc_assets.library import Library
from mfcc_assets_tests.defs.test_definitions import LINEAGE as ASSETS

FILES = {
    "soundtrack_cepstra": "frames/*/*.parquet",
    "soundtrack_waveforms": "waveforms/*/*.parquet",
    "soundtrack_summaries": "summaries/*/*.parquet",
}
TABLES = {"raw_soundtracks": "SOUNDTRACKS", "soundtrack_recommendations": "RECOMMENDATIONS"}


@pytest.mark.parametrize("asset", FILES)
def test_the_columns_of_parquet_files_are_described(ten_tracks: Library, asset: str) -> None:
    path = next(iter((ten_tracks.settings.blobs / "cepstra").glob(FILES[asset])))
    stored = {field.name: str(field.type) for field in pq.read_schema(path)}

    described = {column.name: column.type for column in SCHEMAS[asset].columns}

    assert list(described) == list(stored)
    for name, kind in described.items():
        assert stored[name].replace("list<item: ", "list<").replace("list<element: ", "list<") == kind


@pytest.mark.parametrize("asset", TABLES)
def test_the_columns_of_database_tables_are_described(ten_tracks: Library, asset: str) -> None:
    engine = sa.create_engine(ten_tracks.settings.tables_url)
    stored = {column["name"]: column["nullable"] for column in sa.inspect(engine).get_columns(TABLES[asset])}
    engine.dispose()

    assert {column.name: column.constraints.nullable for column in SCHEMAS[asset].columns} == stored
    assert all(column.description for column in SCHEMAS[asset].columns)


@pytest.mark.parametrize("asset", LINEAGE)
def test_the_lineage_of_columns_names_columns_that_exist(asset: str) -> None:
    for column, deps in LINEAGE[asset].deps_by_column.items():
        assert column in {described.name for described in SCHEMAS[asset].columns}
        for dep in deps:
            assert dep.column_name in {described.name for described in SCHEMAS[_name(dep)].columns}
            assert _name(dep) in _upstream(asset)


def _name(dep: dg.TableColumnDep) -> str:
    return dep.asset_key.to_user_string()


def _upstream(asset: str) -> set[str]:
    """Return all assets that an asset depends on, directly or not."""
    return {found for dep in ASSETS[asset] for found in (dep, *_upstream(dep))}
