"""Many rows sent to SQL Server at once, so that its driver loses nothing of their text.

The driver mssql-python (1.16) declares a column of many rows as what suits its longest text, in characters. Beside a
longer one in ASCII a name in Japanese is declared VARCHAR as well, and arrives as question marks. Beside one of more
characters an emoji, of two UTF-16 code units, may be longer than what is declared, which fails all the rows.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from itertools import groupby
from typing import Any

Row = Mapping[str, object]


class _Text(IntEnum):
    """How the driver declares a value, and counts its length."""

    ASCII, ONE_UNIT, TWO_UNITS = range(3)


def send_rows(cursor: Any, statement: str, rows: Sequence[Row], _context: object = None) -> bool:
    """Send rows in their order, together where the driver declares each column rightly for all of them.

    It answers SQLAlchemy's event ``do_executemany``.

    Returns
    -------
    bool
        True: they are sent, and nobody else need send them.
    """
    for texts, alike in groupby(rows, key=_texts):
        if _Text.TWO_UNITS in texts:
            for row in alike:
                cursor.execute(statement, row)
        else:
            cursor.executemany(statement, list(alike))
    return True


def _texts(row: Row) -> tuple[_Text, ...]:
    return tuple(map(_text, row.values()))


def _text(value: object) -> _Text:
    if not isinstance(value, str) or value.isascii():
        return _Text.ASCII
    return _Text.TWO_UNITS if max(value) > "\uffff" else _Text.ONE_UNIT
