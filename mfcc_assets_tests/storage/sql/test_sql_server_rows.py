"""Text in many rows arrives unchanged at SQL Server, also text outside every code page."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st
from mssql_python.cursor import Cursor

from mfcc_assets.storage.sql.database import Database
from mfcc_assets.storage.sql.sql_server_rows import Row, send_rows

LONG, JAPANESE, EMOJI = "a long name in plain letters.mp3", "日本.mp3", "😀😀😀😀"


@dataclass
class Recording:
    """A cursor that records which rows are sent together."""

    sent: list[list[Row]] = field(default_factory=list)

    def execute(self, _statement: str, row: Row) -> None:
        self.sent.append([row])

    def executemany(self, _statement: str, rows: Sequence[Row]) -> None:
        self.sent.append(list(rows))


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def arrive(rows: Sequence[Row]) -> bool:
    """Return True if rows that are sent together arrive unchanged, given the text that declares each column."""
    for name in rows[0]:
        texts = [str(row[name]) for row in rows]
        # The method is private and does not use its cursor.
        declared, *_ = Cursor._compute_column_type(None, texts)  # type: ignore[arg-type]  # noqa: SLF001
        if any(units(text) > units(declared) or text.isascii() < declared.isascii() for text in texts):
            return False
    return True


def batches(rows: Sequence[Row]) -> list[list[Row]]:
    cursor = Recording()
    assert send_rows(cursor, "INSERT", rows)
    return cursor.sent


@pytest.mark.parametrize("names", [(LONG, JAPANESE), (JAPANESE, EMOJI), ("abcd", EMOJI)])
def test_the_driver_alone_would_lose_some_text(names: tuple[str, str]) -> None:
    rows = [{"BLOB_NAME": name} for name in names]
    assert not arrive(rows)
    assert batches(rows) == [[row] for row in rows]


def test_rows_with_the_same_declarations_are_sent_together() -> None:
    plain = [{"BLOB_NAME": f"{number}.mp3", "YEAR": number or None} for number in range(5)]
    assert batches(plain) == [plain]
    accented = [{"BLOB_NAME": "é"}, {"BLOB_NAME": JAPANESE}]
    assert batches(accented) == [accented]


@example([{"TITLE": "", "ARTIST": "é"}, {"ARTIST": "00", "TITLE": "é"}])  # the same columns in another order
@given(st.lists(st.fixed_dictionaries({"TITLE": st.text(max_size=4), "ARTIST": st.text(max_size=4)}), max_size=6))
def test_all_rows_arrive_unchanged_and_in_order(rows: list[Row]) -> None:
    sent = batches(rows)
    assert [row for batch in sent for row in batch] == rows
    assert all(arrive(batch) for batch in sent)


def test_an_engine_for_azure_sql_sends_its_rows_this_way() -> None:
    database = Database("mssql+mssqlpython://@server.database.windows.net/mfcc?authentication=ActiveDirectoryMSI")
    assert sa.event.contains(database._engine, "do_executemany", send_rows)  # noqa: SLF001  no SQL Server can run here
