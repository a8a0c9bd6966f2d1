"""A statement that inserts or replaces rows, in the SQL of each database.

SQLite and PostgreSQL have INSERT … ON CONFLICT DO UPDATE, SQL Server has MERGE. In both the new row is `excluded`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal


class Upsert(sa.Insert):
    """Inserts rows, or replaces the rows with the same primary key.

    It is executed with one row or many, like an INSERT: ``connection.execute(Upsert(CONTENTS), rows)``. Columns that
    the new row does not name keep their values. Two rows of one call must not have the same key.

    Parameters
    ----------
    table
        Table of the rows.
    changes
        New values of columns of an existing row, if they are not those of the new row. Each is an expression of the
        table's columns, which hold the old values, and of `excluded` columns, which hold the new ones.
    """

    inherit_cache = True

    def __init__(self, table: sa.Table, changes: Mapping[str, sa.ColumnElement[Any]] | None = None) -> None:
        super().__init__(table)
        # SQLAlchemy compiles this clause at the end of an INSERT, and its cache distinguishes statements by it.
        self._post_values_clause = _Replacement(table, dict(changes or {}))


def excluded(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Return a column of the new row, for use in `changes`."""
    return sa.table("excluded", sa.column(column.name, column.type)).c[column.name]


class _Replacement(sa.ClauseElement):
    """The clause that updates an existing row."""

    __visit_name__ = "replacement"
    _traverse_internals = [  # noqa: RUF012  SQLAlchemy declares it this way
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
    replacement = upsert._post_values_clause  # noqa: SLF001  SQLAlchemy's own dialects read it
    assert isinstance(replacement, _Replacement)
    row = _new_row(table, compiler)
    # SQL Server does not know the type of a bare parameter, and refuses NULL there.
    typed = (sa.cast(sa.bindparam(column.name, type_=column.type), column.type).label(column.name) for column in row)
    source = ", ".join(compiler.process(column, within_columns_clause=True) for column in typed)
    has_same_key = sa.and_(*(column == excluded(column) for column in table.primary_key))
    # Without HOLDLOCK, two writers that find no row would both insert one.
    return (
        f"MERGE INTO {compiler.preparer.format_table(table)} WITH (HOLDLOCK) "  # noqa: S608  it contains only names and parameter marks
        f"USING (SELECT {source}) AS excluded ON {compiler.process(has_same_key)} "
        f"WHEN MATCHED THEN UPDATE SET {replacement.assignments(compiler)} "
        f"WHEN NOT MATCHED THEN INSERT ({_names(row, compiler)}) "
        f"VALUES ({', '.join(compiler.process(excluded(column)) for column in row)});"
    )


def _new_row(table: sa.Table, compiler: SQLCompiler) -> list[sa.Column[Any]]:
    """Return the columns that the new rows name."""
    return [table.c[name] for name in compiler.column_keys or ()]


def _names(columns: Sequence[sa.Column[Any]], compiler: SQLCompiler) -> str:
    return ", ".join(compiler.preparer.format_column(column) for column in columns)
