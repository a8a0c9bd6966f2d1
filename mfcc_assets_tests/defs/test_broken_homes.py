"""Faults of a home are found that keep Dagster from reading its own files."""

from pathlib import Path

import dagster as dg
import pytest

from mfcc_assets.defs.broken_homes import fault_of_home, last_error
from mfcc_assets.defs.launch import prepare_dagster_home
from mfcc_assets.settings import Settings


@pytest.fixture
def dagster_home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = prepare_dagster_home(settings)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with dg.DagsterInstance.get() as instance:
        instance.get_runs()
        instance.all_instigator_state()
        instance.get_asset_keys()
    return home


def test_what_sqlalchemy_writes_behind_an_error_is_left_out() -> None:
    what = "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) attempt to write a readonly database"
    behind = ["[SQL: PRAGMA journal_mode=WAL]", "[parameters: ()]", "(Background on this error at: https://x)", " "]
    assert last_error(["Traceback (most recent call last):", what, *behind]) == "attempt to write a readonly database"
    assert last_error([]) == ""


def test_each_damaged_database_of_dagster_is_named_with_a_remedy(dagster_home: Path) -> None:
    assert fault_of_home(dagster_home, "") is None
    databases = list(dagster_home.rglob("*.db"))
    assert len(databases) == 3
    for path in databases:
        intact = path.read_bytes()
        path.write_bytes(b"garbage" * 1_000)
        fault = fault_of_home(dagster_home, "")
        assert str(fault).startswith(f"{path}: it is damaged (")
        assert "Move it away" in str(fault)
        path.write_bytes(intact)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"run_queue:\n  - [", "line 2 is not YAML"),
        (b"run_queue: 1\n  a: 2\n", "line 2 is not YAML"),
        (b"\xff\x00", "it is not YAML"),
        (b"nothing", "it has no settings"),
    ],
)
def test_settings_of_dagster_that_cannot_be_read_are_named_with_a_remedy(
    dagster_home: Path, content: bytes, what: str
) -> None:
    path = dagster_home / "dagster.yaml"
    path.write_bytes(content)

    assert str(fault_of_home(dagster_home, "")) == (
        f"{path}: {what}. Correct it, or delete it: the next command writes a new one."
    )


def test_a_full_disk_is_told_with_the_folder(dagster_home: Path) -> None:
    fault = fault_of_home(dagster_home, "OSError: [Errno 28] No space left on device: 'song.parquet'")
    assert str(fault).startswith(f"{dagster_home}: the disk is full. ")
