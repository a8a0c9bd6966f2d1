"""The notebooks of Databricks, run on a session of Spark over a library: tables without a copy, queries and plots."""

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import pytest
import sqlalchemy as sa

from mfcc_assets.compute.spark_session import started_session
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.storage.sql.schema import RECOMMENDATIONS, SOUNDTRACKS
from mfcc_assets_tests.deploy.bicep_files import DEPLOY
from mfcc_assets_tests.services.spark import SparkServers

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FOLDER = DEPLOY / "databricks"
NOTEBOOKS = ("define_tables", "explore_cepstra")


class Notebook:
    """Runs notebooks as Databricks does: with a session, widgets and a function that shows tables."""

    def __init__(self, spark: "SparkSession", values: dict[str, str]) -> None:
        self.shown: list[list[Any]] = []
        self._names = {"spark": spark, "dbutils": SimpleNamespace(widgets=_Widgets(values)), "display": self._display}

    def run(self, name: str) -> dict[str, Any]:
        """Run a notebook, and return the names that it defines."""
        names = dict(self._names)
        exec(compile((FOLDER / f"{name}.py").read_text(), f"{name}.py", "exec"), names)
        return names

    def _display(self, frame: "DataFrame") -> None:
        self.shown.append(frame.collect())


class _Widgets:
    def __init__(self, values: dict[str, str]) -> None:
        self._values, self._known = values, set[str]()

    def text(self, name: str, _default: str, _label: str) -> None:
        self._known.add(name)

    def get(self, name: str) -> str:
        assert name in self._known
        return self._values[name]


@pytest.fixture
def session(spark: SparkServers, ten_tracks: Library) -> "SparkSession":
    """Return a session with the rows of a library in place of its database."""
    session = started_session(Settings(home=ten_tracks.settings.home, compute="spark", spark_master=spark.master))
    session.sql("CREATE SCHEMA IF NOT EXISTS database")
    ten_tracks.catalogue.soundtracks()
    with sa.create_engine(ten_tracks.settings.tables_url).connect() as connection:
        for table in (SOUNDTRACKS, RECOMMENDATIONS):
            rows = [tuple(map(str, row)) for row in connection.execute(sa.select(table))]
            names = [column.name for column in table.columns]
            frame = session.createDataFrame(rows, names)
            for column in table.columns:
                if isinstance(column.type, sa.Integer | sa.Float):
                    frame = frame.withColumn(column.name, frame[column.name].try_cast("double"))
            frame.write.mode("overwrite").saveAsTable(f"database.{table.name}")
        session.sql("CREATE OR REPLACE VIEW database.RECOMMENDED_SOUNDTRACKS AS SELECT * FROM database.RECOMMENDATIONS")
    return session


@pytest.fixture
def frames(ten_tracks: Library) -> Path:
    """Return the folder with the cepstra of a library."""
    version = ten_tracks.feature_parameters.cepstra.version
    (folder,) = ten_tracks.settings.folder.rglob(f"frames/features_version={version}")
    return folder


@pytest.fixture
def notebook(session: "SparkSession", frames: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    monkeypatch.setattr(plt, "show", lambda: None)
    return Notebook(session, {"schema": "mfcc", "cepstra": str(frames), "database": "database"})


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_one_that_databricks_imports(name: str) -> None:
    text = (FOLDER / f"{name}.py").read_text()

    assert text.startswith("# Databricks notebook source\n")
    assert text.count("# COMMAND ----------") >= 3


def test_the_notebooks_make_tables_without_a_copy_and_show_the_library(
    notebook, session, frames: Path, ten_tracks
) -> None:
    before = set(frames.rglob("*"))

    notebook.run("define_tables")
    notebook.run("define_tables")
    names = notebook.run("explore_cepstra")

    assert set(frames.rglob("*")) == before
    audio = {track.audio_id: track for track in ten_tracks.catalogue.soundtracks() if track.audio_id}
    (library,), artists = notebook.shown
    versions = session.table("mfcc.cepstra").select("features_version").distinct().collect()
    assert [row["features_version"] for row in versions] == [ten_tracks.feature_parameters.cepstra.version]
    assert library["audio"] == len(audio)
    assert sum(row["tracks"] for row in artists) == len(audio)
    assert plt.get_fignums()
    plt.close("all")
    pair, parameters = names["pair"], ten_tracks.feature_parameters.cepstra
    for audio_id, cepstra in zip((pair.query_audio, pair.other_audio), names["both"], strict=True):
        assert (cepstra == ten_tracks.features.read_cepstra(audio_id, parameters)).all()
    assert session.table("mfcc.recommended_soundtracks").count() == session.table("mfcc.recommendations").count() > 0
