"""Long lists: which part of them is shown, a pager for terminals, and tab-separated lines for programs."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click
from rich.console import Console, RenderableType
from rich.table import Column

from mfcc_assets.cli.console import open_console
from mfcc_assets.texts import printable

_Command = TypeVar("_Command", bound=Callable[..., Any])
_Row = TypeVar("_Row")

_NARROWEST = 60
"""A table is never drawn narrower, because ids in it would be cut. A narrower terminal wraps its lines."""

tsv_option = click.option(
    "--tsv", "as_tsv", is_flag=True, help="Print a line of column names and tab-separated lines, for programs."
)
"""The option of every command that can print tab-separated lines."""


def page_options(command: _Command) -> _Command:
    """Add the options `--limit` and `--offset` to a command."""
    limit = click.option("--limit", type=click.IntRange(min=1), help="Show at most this number.")
    offset = click.option(
        "--offset", type=click.IntRange(min=0), default=0, show_default=True, help="Leave out this number at the start."
    )
    return limit(offset(command))


def page_of(rows: Sequence[_Row], limit: int | None, offset: int) -> Sequence[_Row]:
    """Return the rows that `--limit` and `--offset` ask for."""
    return rows[offset : None if limit is None else offset + limit]


def range_of(shown: int, offset: int, matching: int) -> str:
    """Return a sentence that says which rows are shown; nothing if all are.

    Examples
    --------
    >>> range_of(10, 20, 44)
    'Shown are 21 to 30 of 44.'
    """
    if shown == matching:
        return ""
    return f"Shown are {offset + 1} to {offset + shown} of {matching}." if shown else f"Shown are none of {matching}."


def unbroken_column(name: str) -> Column:
    """Make a column of short texts, which are neither cut nor broken into lines: ids can be copied whole."""
    return Column(name, no_wrap=True, overflow="ignore")


def whole_column(name: str) -> Column:
    """Make a column whose texts are broken into lines where the terminal is narrow, and never cut."""
    return Column(name, overflow="fold")


def open_list_console() -> Console:
    """Open a console that is wide enough for an id and what belongs to it."""
    console = open_console()
    return open_console(max(console.width, _NARROWEST))


def print_long(console: Console, parts: Iterable[RenderableType]) -> None:
    """Print parts one below the other; in a pager if the output is a terminal that is too low for them."""
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    text = captured.get()
    if console.is_terminal and text.count("\n") >= console.height:
        click.echo_via_pager(text)  # Colours are kept for a pager that shows them: `less` is told to do so.
    else:
        click.echo(text, nl=False)


def print_tsv(names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print tab-separated lines, of which the first one names the columns. A missing value is empty.

    Tabs and line breaks in names of tracks and files are printed as spaces.
    """
    for row in (names, *rows):
        click.echo("\t".join("" if cell is None else printable(str(cell)) for cell in row))
