"""Helpers of queries: rows become records, and long lists of ids are split."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from itertools import chain
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mfcc_assets.storage.sql.database import Database

IDS_PER_QUERY = 500
"""Ids in one IN list. SQL Server accepts at most 2,100 parameters per statement."""

_FETCHED_AT_ONCE = 5_000
"""Number of rows that are taken from the database at once."""

_Record = TypeVar("_Record")


def read_records(database: Database, record: Callable[..., _Record], query: sa.Select[Any]) -> list[_Record]:
    """Return each row of a query that `select_record` made, as a record."""
    with database.reading() as connection:
        return [record(*row) for row in each_row(connection, query)]


def each_row(connection: Connection, query: sa.Executable) -> Iterator[Any]:
    """Yield the rows of a query. They are fetched in blocks, which takes less time than one by one."""
    return chain.from_iterable(connection.execute(query).partitions(_FETCHED_AT_ONCE))


def read_rows(database: Database, query: sa.Executable) -> Sequence[Any]:
    """Return all rows of a query."""
    with database.reading() as connection:
        return connection.execute(query).all()


def select_record(record: type[Any], table: sa.FromClause) -> sa.Select[Any]:
    """Return a query for the columns that match the fields of a record."""
    return sa.select(*(table.c[field.name.upper()] for field in fields(record)))


def named_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by column. The name of a column is the name of the field in capitals."""
    return {name.upper(): value for name, value in values.items()}


def batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Split ids into groups that fit into one IN list."""
    for start in range(0, len(ids), IDS_PER_QUERY):
        yield ids[start : start + IDS_PER_QUERY]


def existing(connection: Connection, column: sa.Column[Any], ids: Sequence[str]) -> set[str]:
    """Return those of the ids that a column contains."""
    return {
        str(row[0]) for batch in batches(ids) for row in connection.execute(sa.select(column).where(column.in_(batch)))
    }


def fitting(text: str, longest: int) -> str:
    """Return as much of the beginning of a text as fits into `longest` UTF-16 code units."""
    return text.encode("utf-16-le", "replace")[: 2 * longest].decode("utf-16-le", errors="ignore")


def utc_now() -> datetime:
    """Return the present time in UTC without a time zone, as the columns hold it."""
    return datetime.now(UTC).replace(tzinfo=None)
