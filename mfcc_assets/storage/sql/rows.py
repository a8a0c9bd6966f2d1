"""Rows of the tables as records, and what every query over them needs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mfcc_assets.storage.sql.database import Database

IDS_A_QUERY = 500
"""Ids in one IN list; SQL Server takes 2,100 parameters a statement."""

_Record = TypeVar("_Record")


def read_records(database: Database, record: Callable[..., _Record], query: sa.Select[Any]) -> list[_Record]:
    """Every row of a query of `select_record`, as a record."""
    with database.reading() as connection:
        return [record(*row) for row in connection.execute(query)]


def select_record(record: type[Any], table: sa.FromClause) -> sa.Select[Any]:
    """A query of the columns that a record has fields for."""
    return sa.select(*(table.c[field.name.upper()] for field in fields(record)))


def named_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by the name of their column, which is that of their field in capitals."""
    return {name.upper(): value for name, value in values.items()}


def batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Ids in groups that one IN list takes."""
    for start in range(0, len(ids), IDS_A_QUERY):
        yield ids[start : start + IDS_A_QUERY]


def existing(connection: Connection, column: sa.Column[Any], ids: Sequence[str]) -> set[str]:
    """The ids that a column holds."""
    return {
        str(row[0]) for batch in batches(ids) for row in connection.execute(sa.select(column).where(column.in_(batch)))
    }


def fitting(text: str, longest: int) -> str:
    """The beginning of a text that a column of so many UTF-16 code units holds."""
    return text.encode("utf-16-le", "replace")[: 2 * longest].decode("utf-16-le", errors="ignore")


def utc_now() -> datetime:
    """The time in UTC without a time zone, as the columns hold it."""
    return datetime.now(UTC).replace(tzinfo=None)
