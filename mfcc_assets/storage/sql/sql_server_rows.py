"""Sends many rows to SQL Server at once without losing text.

When the driver mssql-python (1.16) sends many rows, it declares the type of each column by the text with the most
characters. If that text is ASCII, the column becomes VARCHAR, and a shorter name in Japanese arrives as question marks.
An emoji has two UTF-16 code units, so a text with fewer characters may need more room than the declared type has, and
then all rows fail.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from itertools import groupby
from typing import Any

Row = Mapping[str, object]


class _Text(IntEnum):
    """The type with which the driver declares a text: ASCII, or UTF-16 with one or two units a character."""

    ASCII, ONE_UNIT, TWO_UNITS = range(3)


def send_rows(cursor: Any, statement: str, rows: Sequence[Row], _context: object = None) -> bool:
    """Send rows in order, in groups for which the driver declares every column correctly.

    This is a handler of SQLAlchemy's event ``do_executemany``.

    Returns
    -------
    bool
        Always True, which tells SQLAlchemy that the rows are sent.
    """
    names = list(rows[0]) if rows else []

    def texts_of(row: Row) -> tuple[_Text, ...]:
        return tuple(_text(row[name]) for name in names)

    for texts, alike in groupby(rows, key=texts_of):
        if _Text.TWO_UNITS in texts:
            for row in alike:
                cursor.execute(statement, row)
        else:
            cursor.executemany(statement, list(alike))
    return True


def _text(value: object) -> _Text:
    if not isinstance(value, str) or value.isascii():
        return _Text.ASCII
    return _Text.TWO_UNITS if max(value) > "\uffff" else _Text.ONE_UNIT
