"""Rows are inserted, or replace the rows with the same key, in every database."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, postgresql, sqlite

from mfcc_assets.storage.sql.database import Database
from mfcc_assets.storage.sql.upserts import Upsert, excluded

METADATA = sa.MetaData()
PLAYS = sa.Table(
    "PLAYS",
    METADATA,
    sa.Column("TRACK", sa.String(16), primary_key=True),
    sa.Column("DAY", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("TIMES", sa.Integer),
    sa.Column("LISTENER", sa.Unicode(20), server_default="nobody"),
)
REPLACE = Upsert(PLAYS)
ADD = Upsert(PLAYS, {"TIMES": PLAYS.c.TIMES + excluded(PLAYS.c.TIMES)})


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    with closing(Database(empty_url)) as database:
        with database.writing() as connection:
            METADATA.create_all(connection)
            rows = [{"TRACK": "a", "DAY": 1, "TIMES": 10, "LISTENER": "Zoë"}, {"TRACK": "b", "DAY": 1, "TIMES": 20}]
            connection.execute(REPLACE, rows[:1])
            connection.execute(REPLACE, rows[1:])
        yield database


def put(database: Database, upsert: Upsert, *rows: Mapping[str, object]) -> list[tuple[Any, ...]]:
    with database.writing() as connection:
        connection.execute(upsert, list(rows))
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(sa.select(PLAYS).order_by(PLAYS.c.TRACK, PLAYS.c.DAY))]


def test_a_row_replaces_the_named_columns_of_the_row_with_its_key(database):
    assert put(database, REPLACE, {"TRACK": "a", "DAY": 1, "TIMES": None}) == [
        ("a", 1, None, "Zoë"),
        ("b", 1, 20, "nobody"),
    ]


def test_new_rows_and_replacements_can_be_mixed(database):
    rows = [{"TRACK": track, "DAY": 1, "TIMES": 1, "LISTENER": "you"} for track in "abc"]
    assert put(database, REPLACE, *rows) == [(track, 1, 1, "you") for track in "abc"]


def test_a_column_can_be_computed_from_the_old_and_the_new_row(database):
    rows = [{"TRACK": "b", "DAY": day, "TIMES": 5} for day in (1, 2)]
    assert put(database, ADD, *rows)[1:] == [("b", 1, 25, "nobody"), ("b", 2, 5, "nobody")]


def test_more_rows_than_fit_into_one_statement_can_be_written(database):
    rows = [{"TRACK": f"{number:05}", "DAY": 1, "TIMES": number} for number in range(12_000)]
    assert len(put(database, REPLACE, *rows)) == 12_002
    assert sum(row[2] for row in put(database, ADD, *rows)) == 2 * sum(range(12_000)) + 30


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=["sqlite", "postgresql"])
def test_sqlite_and_postgresql_update_on_conflict(dialect):
    written = str(ADD.compile(dialect=dialect, column_keys=["TRACK", "DAY", "TIMES"]))
    assert written.endswith('ON CONFLICT ("TRACK", "DAY") DO UPDATE SET "TIMES" = "PLAYS"."TIMES" + excluded."TIMES"')


def test_sql_server_merges_under_a_lock_with_typed_parameters():
    compiled = ADD.compile(dialect=mssql.dialect(paramstyle="qmark"), column_keys=["TRACK", "DAY", "TIMES"])
    assert str(compiled) == (
        "MERGE INTO [PLAYS] WITH (HOLDLOCK) USING (SELECT CAST(? AS VARCHAR(16)) AS [TRACK], "
        "CAST(? AS INTEGER) AS [DAY], CAST(? AS INTEGER) AS [TIMES]) AS excluded ON [PLAYS].[TRACK] = excluded.[TRACK] "
        "AND [PLAYS].[DAY] = excluded.[DAY] "
        "WHEN MATCHED THEN UPDATE SET [TIMES] = [PLAYS].[TIMES] + excluded.[TIMES] "
        "WHEN NOT MATCHED THEN INSERT ([TRACK], [DAY], [TIMES]) "
        "VALUES (excluded.[TRACK], excluded.[DAY], excluded.[TIMES]);"
    )
    assert compiled.positiontup == ["TRACK", "DAY", "TIMES"]
