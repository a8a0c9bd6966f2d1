"""One statement that inserts rows or replaces them, as each database writes it.

SQLite and PostgreSQL take INSERT … ON CONFLICT DO UPDATE, SQL Server takes MERGE. In both the new row is `excluded`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal


class Upsert(sa.Insert):
    """Rows that are inserted, or take the place of those with the same primary key.

    Executed with one row or many, as an INSERT is: ``connection.execute(Upsert(CONTENTS), rows)``. Of a row that is
    there, columns that the new row does not name stay as they are. No two of the rows may have one key.

    Parameters
    ----------
    table
        Where the rows go.
    changes
        What a column of a row that is there becomes, where that is not what the new row says: an expression of the
        table's columns, which are those of the former row, and of `excluded`'s.
    """

    inherit_cache = True

    def __init__(self, table: sa.Table, changes: Mapping[str, sa.ColumnElement[Any]] | None = None) -> None:
        super().__init__(table)
        # The clause at the end of an INSERT: SQLAlchemy compiles it there, and tells statements apart by it.
        self._post_values_clause = _Replacement(table, dict(changes or {}))


def excluded(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """A column of the new row."""
    return sa.table("excluded", sa.column(column.name, column.type)).c[column.name]


class _Replacement(sa.ClauseElement):
    """What becomes of a row that is there."""

    __visit_name__ = "replacement"
    _traverse_internals = [  # noqa: RUF012  as SQLAlchemy declares it
        ("table", InternalTraversal.dp_clauseelement),
        ("changes", InternalTraversal.dp_string_clauseelement_dict),
    ]

    def __init__(self, table: sa.Table, changes: dict[str, sa.ColumnElement[Any]]) -> None:
        self.table = table
        self.changes = changes

    def assignments(self, compiler: SQLCompiler) -> str:
        replaced = [column for column in _new_row(self.table, compiler) if not column.primary_key]
        values = (compiler.process(self.changes.get(column.name, excluded(column))) for column in replaced)
        return ", ".join(
            f"{compiler.preparer.format_column(column)} = {value}"
            for column, value in zip(replaced, values, strict=True)
        )


@compiles(_Replacement)
def _on_conflict(replacement: _Replacement, compiler: SQLCompiler, **_: Any) -> str:
    key = _names(list(replacement.table.primary_key), compiler)
    return f"ON CONFLICT ({key}) DO UPDATE SET {replacement.assignments(compiler)}"


@compiles(Upsert, "mssql")
def _merge(upsert: Upsert, compiler: SQLCompiler, **_: Any) -> str:
    table = upsert.table
    assert isinstance(table, sa.Table)
    replacement = upsert._post_values_clause
    assert isinstance(replacement, _Replacement)
    row = _new_row(table, compiler)
    # Of a bare parameter SQL Server cannot tell the type, and refuses one that is NULL.
    typed = (sa.cast(sa.bindparam(column.name, type_=column.type), column.type).label(column.name) for column in row)
    source = ", ".join(compiler.process(column, within_columns_clause=True) for column in typed)
    is_there = sa.and_(*(column == excluded(column) for column in table.primary_key))
    # Without HOLDLOCK two that find no row both insert it.
    return (
        f"MERGE INTO {compiler.preparer.format_table(table)} WITH (HOLDLOCK) "  # noqa: S608  names and marks alone
        f"USING (SELECT {source}) AS excluded ON {compiler.process(is_there)} "
        f"WHEN MATCHED THEN UPDATE SET {replacement.assignments(compiler)} "
        f"WHEN NOT MATCHED THEN INSERT ({_names(row, compiler)}) "
        f"VALUES ({', '.join(compiler.process(excluded(column)) for column in row)});"
    )


def _new_row(table: sa.Table, compiler: SQLCompiler) -> list[sa.Column[Any]]:
    """The columns that the new rows name."""
    return [table.c[name] for name in compiler.column_keys or ()]


def _names(columns: Sequence[sa.Column[Any]], compiler: SQLCompiler) -> str:
    return ", ".join(compiler.preparer.format_column(column) for column in columns)
