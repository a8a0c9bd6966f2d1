"""How near tracks are, as cells of a table."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table

NEARNESS_COLUMNS = ("nearness", "closer than")
"""Headers of the cells that `nearness_cells` returns."""

_BAR_WIDTH, _WIDTH_FOR_IDS = 8, 125


def track_id_column(console: Console) -> tuple[str, ...]:
    """Return the header of the track ids; none on a narrow terminal, where titles and artists need the room."""
    return ("track id",) if console.width >= _WIDTH_FOR_IDS else ()


def nearness_cells(record: Mapping[str, Any]) -> tuple[RenderableType, str]:
    """Return a bar with a word, and the share of pairs that are farther apart. They are empty if it is not known.

    Parameters
    ----------
    record
        A JSON object with the members of `mfcc_assets.pipeline.nearness.nearness_record`.
    """
    from mfcc_assets.similarity.nearness import Nearness

    if record["closer_than"] is None:
        return "", ""
    nearness = Nearness(record["closer_than"])
    bar = Table.grid(padding=(0, 1))
    bar.add_row(ProgressBar(total=1, completed=nearness.bar, width=_BAR_WIDTH), nearness.word)
    return bar, nearness.of_pairs
