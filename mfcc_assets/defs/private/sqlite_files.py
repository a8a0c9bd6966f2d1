"""Dagster's databases of runs and schedules in SQLite, in folders of any name. The file dagster.yaml names the classes.

Dagster pastes the path of a database into an address. A question mark would then end the path, a percent sign would
begin an escaped character, and Dagster would use another file. Apart from the address, and from the tags of deleted
runs, both classes are Dagster's own and use the same files.

The daemon starts no tick of a sensor before some seconds have passed since the last one. If the clock was set back,
that would be in hours, and no upload would be seen until then. So a last tick in the future counts as none.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Self, cast

import dagster as dg
import sqlalchemy as sa
from dagster._core.scheduler.instigation import InstigatorState, SensorInstigatorData
from dagster._core.storage.runs.schema import RunTagsTable
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._serdes import ConfigurableClassData

_CLOCK_STEP_SECONDS = 1
"""A smaller step of the clock delays a tick by less than anybody notices."""


def address_of(folder: str, name: str) -> str:
    """Return the SQLAlchemy address of the database with this name in a folder.

    Examples
    --------
    >>> address_of("/what?/100%", "runs")
    'sqlite:////what%3F/100%25/runs.db'
    """
    return sa.URL.create("sqlite", database=str(Path(folder, f"{name}.db").absolute())).render_as_string()


class RunsInFile(SqliteRunStorage):
    """Dagster's runs, below its home."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {"home": dg.StringSource}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        with _built_addresses(sqlite_run_storage):
            return cls.from_local(str(Path(config_value["home"], "history")), inst_data)

    def delete_run(self, run_id: str) -> None:
        """Delete a run and its tags. SQLite does not delete the tags by itself, and Dagster relies on it."""
        with self.connect() as connection:
            connection.execute(sa.delete(RunTagsTable).where(RunTagsTable.c.run_id == run_id))
        super().delete_run(run_id)


class SchedulesInFile(SqliteScheduleStorage):
    """Dagster's schedules and sensors, below its home."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {"home": dg.StringSource}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        with _built_addresses(sqlite_schedule_storage):
            return cast("Self", cls.from_local(str(Path(config_value["home"], "schedules")), inst_data))

    def all_instigator_state(self, *arguments: Any, **options: Any) -> Sequence[InstigatorState]:
        """Return the states of sensors and schedules, without last ticks in the future."""
        return [_without_future_ticks(state) for state in super().all_instigator_state(*arguments, **options)]

    def get_instigator_state(self, origin_id: str, selector_id: str) -> InstigatorState | None:
        """Return the state of a sensor or schedule, without last ticks in the future."""
        state = super().get_instigator_state(origin_id, selector_id)
        return None if state is None else _without_future_ticks(state)


def _without_future_ticks(state: InstigatorState) -> InstigatorState:
    ticks = state.instigator_data
    if not isinstance(ticks, SensorInstigatorData):
        return state
    last = max(ticks.last_tick_timestamp or 0, ticks.last_tick_start_timestamp or 0)
    if last <= time.time() + _CLOCK_STEP_SECONDS:
        return state
    return state.with_data(ticks._replace(last_tick_timestamp=None, last_tick_start_timestamp=None))


@contextmanager
def _built_addresses(module: ModuleType) -> Iterator[None]:
    dagsters_own = module.create_db_conn_string
    module.create_db_conn_string = address_of  # type: ignore[attr-defined]
    try:
        yield
    finally:
        module.create_db_conn_string = dagsters_own  # type: ignore[attr-defined]
