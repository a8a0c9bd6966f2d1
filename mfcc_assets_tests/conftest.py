"""Fixtures for all tests: an empty library, a copy of an analysed library of ten tracks, and shared servers.

Each fixture imports what it needs, so that tests of the science start fast and run while other packages are broken.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings as settings_of_hypothesis

if TYPE_CHECKING:
    import dagster as dg

    from mfcc_assets.library import Library
    from mfcc_assets.settings import Settings
    from mfcc_assets_tests.services.azurite import Azurite
    from mfcc_assets_tests.services.cosmos import CosmosServer
    from mfcc_assets_tests.services.key_vault import VaultDouble
    from mfcc_assets_tests.services.postgres import Postgres
    from mfcc_assets_tests.services.spark import SparkServers


_MEMORY = Path("/dev/shm")
_LEAST_FREE_BYTES = 4 << 30

_LONGEST = (
    "demo/test_demo.py",
    "web/browser/",
    "defs/test_databricks.py",
    "compute/test_spark.py",
    "compute/test_engines.py",
    "test_killed_runs.py",
    "test_library_life.py",
    "defs/test_dev.py",
    "web/test_timed_sockets.py",
    "test_damage.py",
    "storage/sql/test_tsql.py",
    "pipeline/test_answer.py",
    "pipeline/test_radio.py",
    "pipeline/test_recordings.py",
    "pipeline/test_rankings.py",
    "cli/test_index.py",
    "defs/test_launch.py",
    "test_bad_input.py",
)
"""Files and packages that take longest. They run first, so that no process waits for another at the end. Those of one
package follow each other, so that they share its servers."""

# Each run tries the same examples. How long one takes depends on what else the machine does.
settings_of_hypothesis.register_profile("reproducible", derandomize=True, deadline=None)
settings_of_hypothesis.load_profile("reproducible")


def pytest_configure() -> None:
    """Remove the settings of the person who runs the tests: each test sets its own. Keep temporary files in memory."""
    # A library writes many small files, and a disk must have stored each before the next one.
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _LEAST_FREE_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))
    for name in list(os.environ):
        if name.startswith("MFCC_") or name == "DAGSTER_HOME":
            del os.environ[name]
    os.environ["XDG_CONFIG_HOME"] = os.devnull  # no folder, so it holds no settings file
    # The processes of the tests fill the cores. Threads of the matrix library would spin while they wait for
    # each other. It reads this when it is imported, which is later.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest files first. Tests of one file keep their order."""

    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(Path(__file__).parent).as_posix()
        return next((place for place, longest in enumerate(_LONGEST) if name.startswith(longest)), len(_LONGEST))

    items.sort(key=place)


@pytest.fixture
def settings(tmp_path: Path) -> "Settings":
    from mfcc_assets.settings import Settings

    return Settings(home=tmp_path / "home", settle_seconds=0, watch_seconds=0)


@pytest.fixture
def library(settings: "Settings") -> Iterator["Library"]:
    """Make an empty library."""
    from mfcc_assets.library import Library

    with Library(settings) as library:
        yield library


@pytest.fixture
def instance() -> Iterator["dg.DagsterInstance"]:
    """Make an instance of Dagster in memory."""
    import dagster as dg

    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture(scope="session")
def ten_songs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Write ten FLAC files with different music, titled Song 0 to Song 9."""
    from mfcc_assets_tests.audio_samples import retag, write_music

    folder = tmp_path_factory.mktemp("songs")
    songs = [write_music(folder / f"song-{number}.flac", 3.0, seed=number) for number in range(10)]
    for number, path in enumerate(songs):
        retag(path, title=f"Song {number}")
    return songs


@pytest.fixture(scope="session")
def up_to_date_home(ten_songs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the home of a library of the ten songs after a run. Tests only copy it; see `copied_home`."""
    import dagster as dg

    from mfcc_assets.library import Library
    from mfcc_assets.settings import Settings
    from mfcc_assets_tests.runs import run_library

    home = tmp_path_factory.mktemp("up to date") / "home"
    with Library(Settings(home=home, settle_seconds=0)) as library, dg.DagsterInstance.ephemeral() as instance:
        for song in ten_songs:
            library.blobs.upload_file("soundtracks", song.name, song)
        run_library(library, instance)
    return home


@pytest.fixture
def ten_tracks(up_to_date_home: Path, settings: "Settings") -> Iterator["Library"]:
    """Make a library of the ten songs after a run."""
    from mfcc_assets.library import Library
    from mfcc_assets_tests.runs import copied_home

    copied_home(up_to_date_home, settings.home)
    with Library(settings) as library:
        yield library


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Azurite]":
    from mfcc_assets_tests.services.azurite import running_azurite

    with running_azurite(tmp_path_factory.mktemp("azurite")) as server:
        yield server


@pytest.fixture(scope="session")
def cosmos_server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[CosmosServer]":
    from mfcc_assets_tests.services.cosmos import running_cosmos

    with running_cosmos(tmp_path_factory.mktemp("cosmos")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Postgres]":
    """Start a server with a template database that has the schema, and with a user who may only write rows."""
    from mfcc_assets.storage.sql.database import Database
    from mfcc_assets.storage.sql.grants import User, grant_access
    from mfcc_assets.storage.sql.revisions import ensure_schema
    from mfcc_assets_tests.services.postgres import TEMPLATE, running_postgres

    with running_postgres() as server:
        server.execute(f"CREATE DATABASE {TEMPLATE}", f"CREATE USER clerk PASSWORD '{server.password}'")
        with closing(Database(server.url(TEMPLATE))) as database:
            ensure_schema(database)
            grant_access(database, writers=[User("clerk")], readers=[], pages=[])
        yield server


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[SparkServers]":
    """Start Spark with two executors, and a server of Spark Connect."""
    from mfcc_assets_tests.services.spark import running_spark

    with running_spark(tmp_path_factory.mktemp("spark")) as servers:
        yield servers


@pytest.fixture
def vault(tmp_path: Path) -> "Iterator[VaultDouble]":
    """Start an empty Key Vault."""
    from mfcc_assets_tests.services.key_vault import key_vault

    with key_vault(tmp_path) as vault:
        yield vault


@pytest.fixture
def large_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a library of a few tracks keep its calibration, as only a large one does."""
    monkeypatch.setattr("mfcc_assets.pipeline.index.SMALL_LIBRARY", 0)
