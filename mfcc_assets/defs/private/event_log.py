"""Dagster's event log in SQLite, with databases that stay open. The file dagster.yaml names this class.

For every event, Dagster's own event log opens the database of the run once and the database of all runs up to three
times. A run over an unchanged library consists mainly of events, so this takes most of its time. Both classes use the
same files, so one can continue the log of the other.
"""

import os
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from threading import local
from typing import Any, Self

import dagster as dg
import sqlalchemy as sa
from dagster._check import str_param
from dagster._core.events import ASSET_EVENTS
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData

from mfcc_assets.defs.private.sqlite_files import address_of

RUNS_REMEMBERED = 8
"""Number of runs whose databases stay open. Each keeps its connections and its compiled statements in memory."""


class OpenEventLog(SqliteEventLogStorage):
    """An event log that keeps databases and compiled statements open and writes a batch of events in one transaction.

    Parameters
    ----------
    home
        Folder that Dagster calls its home.
    inst_data
        The configuration in dagster.yaml that the log was made from.
    """

    def __init__(self, home: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engine_of = lru_cache(RUNS_REMEMBERED)(self._engine)
        self._batch = local()
        self._known_tables = cache(super().has_table)
        self._known_columns: dict[str, bool] = {}
        super().__init__(str(Path(home, "history", "runs")), inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {"home": dg.StringSource}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        return cls(inst_data=inst_data, **config_value)

    def conn_string_for_shard(self, shard_name: str) -> str:
        return address_of(self._base_dir, str_param(shard_name, "shard_name"))

    # Dagster calls the next two methods for every event, although only an upgrade of Dagster changes their answers.
    def has_table(self, table_name: str) -> bool:
        return self._known_tables(table_name)

    def _has_asset_key_col_on_connection(self, conn: sa.Connection, column_name: str) -> bool:
        if column_name not in self._known_columns:
            self._known_columns[column_name] = super()._has_asset_key_col_on_connection(conn, column_name)
        return self._known_columns[column_name]

    def wipe(self) -> None:
        # An open connection would continue to use the deleted files.
        self._engine_of.cache_clear()
        super().wipe()

    def delete_events(self, run_id: str) -> None:
        """Delete the events of a run, together with the database of the run, which Dagster itself keeps."""
        with self.index_connection() as connection:
            self.delete_events_for_run(connection, run_id)
        if self.supports_global_concurrency_limits:
            self.free_concurrency_slots_for_run(run_id)
        for path in Path(self._base_dir).glob(f"{run_id}.db*"):
            path.unlink(missing_ok=True)

    def store_event(self, event: dg.EventLogEntry) -> None:
        super().store_event(event)
        self._tell_watchers(event.run_id)

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store events in one transaction for each database."""
        with ExitStack() as self._batch.transactions:
            self._batch.connections = {}
            try:
                for (run_id, are_of_assets), some in groupby(events, _run_and_kind):
                    if are_of_assets:
                        self._store_asset_events(run_id, list(some))
                    else:
                        for event in some:
                            self.store_event(event)
            finally:
                del self._batch.connections
        for run_id in {event.run_id for event in events}:
            self._tell_watchers(run_id)

    def _tell_watchers(self, run_id: str) -> None:
        # The UI follows a run by watching its file, and SQLite does not touch the file while a connection stays open.
        os.utime(self.path_for_shard(run_id))

    def _store_asset_events(self, run_id: str, events: Sequence[dg.EventLogEntry]) -> None:
        insert, rows = SqlEventLogStorageTable.insert(), [self._event_to_row(event) for event in events]
        with self.run_connection(run_id) as connection:
            connection.execute(insert, rows)
        with self.index_connection() as connection:
            inserted = insert.returning(SqlEventLogStorageTable.c.id, sort_by_parameter_order=True)
            event_ids = connection.execute(inserted, rows).scalars().all()
            self._store_asset_event_tags(connection, events, event_ids)
            # The row of an asset holds only its last event.
            last = {event.get_dagster_event().asset_key: row for row, event in enumerate(events)}
            for row in last.values():
                self._store_asset_event(connection, events[row], event_ids[row])

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        connections = getattr(self._batch, "connections", None)
        if connections is None:
            with self._engine_of(shard).begin() as connection:
                yield connection
            return
        if shard not in connections:
            connections[shard] = self._batch.transactions.enter_context(self._engine_of(shard).begin())
        yield connections[shard]

    def _engine(self, shard: str) -> sa.Engine:
        engine = sa.create_engine(
            self.conn_string_for_shard(shard),
            poolclass=sa.QueuePool,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
        )
        weakref.finalize(engine, engine.pool.dispose)
        # In a power cut, NORMAL may lose the last events, but the database stays consistent. The run ends anyway.
        sa.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=NORMAL"))
        with self._db_lock:
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
        return engine


def _run_and_kind(event: dg.EventLogEntry) -> tuple[str, bool]:
    return event.run_id, event.dagster_event_type in ASSET_EVENTS
