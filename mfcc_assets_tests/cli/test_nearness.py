"""How near tracks are, as cells of a table."""

import pytest
from rich.console import Console
from rich.table import Table

from mfcc_assets.cli.nearness import NEARNESS_COLUMNS, nearness_cells, track_id_column


def printed(closer_than: float | None) -> str:
    console = Console(width=60, color_system=None)
    table = Table(*NEARNESS_COLUMNS)
    table.add_row(*nearness_cells({"closer_than": closer_than}))
    with console.capture() as capture:
        console.print(table)
    return capture.get()


@pytest.mark.parametrize(
    ("closer_than", "bar", "word", "share"),
    [
        (1.0, 8, "very near", "all measured pairs"),
        (0.99, 5, "very near", "99.0 % of pairs"),
        (0.9, 3, "fairly near", "90 % of pairs"),
        (0.0, 0, "far", "none of the pairs"),
    ],
)
def test_a_bar_a_word_and_a_share_are_printed(closer_than: float, bar: int, word: str, share: str) -> None:
    row = printed(closer_than).splitlines()[3]

    assert row.count("━") + row.count("╸") == pytest.approx(bar, abs=1)
    assert word in row
    assert share in row


def test_nothing_is_printed_of_a_pair_that_is_not_compared() -> None:
    assert printed(None).splitlines()[3].strip("│ ") == ""


def test_track_ids_are_shown_where_there_is_room() -> None:
    assert track_id_column(Console(width=80)) == ()
    assert track_id_column(Console(width=125)) == ("track id",)
