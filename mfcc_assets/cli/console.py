"""The console, the progress bar and the JSON of the commands.

Modules of commands import what is slow where they use it, so that help and shell completion come at once. A test names
the modules that they may not import. Rich is fast enough.
"""

import io
import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from mfcc_assets.texts import printable

if TYPE_CHECKING:
    from pydantic import ValidationError

_UNWRAPPED_WIDTH = 10_000

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
"""The option of every command that can print JSON."""


def escape_what_cannot_be_printed() -> None:
    """Let the output show characters that its encoding lacks as escapes, where Python would raise an error.

    A terminal may know only ASCII, and the name of a file may hold bytes that are no text.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(record: Any) -> None:
    """Print what a command found as JSON. Times are texts as ISO 8601 has them."""
    click.echo(json.dumps(record, indent=1, default=_iso_text))


def _iso_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def open_console(width: int | None = None) -> Console:
    """Open a console as wide as the terminal; for a file or a pipe, so wide that no title is cut or wrapped.

    Brackets and emoji codes such as ``:smile:`` in titles and names are printed as they are. What is printed of a track
    or a file must pass through `mfcc_assets.texts.printable`, because Rich prints control characters as they are, too.
    """
    is_terminal = Console().is_terminal
    return Console(width=width or (None if is_terminal else _UNWRAPPED_WIDTH), markup=False, emoji=False)


def labelled_line(label: str, text: str, style: str = "red") -> Text:
    """Return a line that begins with a coloured label. The text may hold names of tracks and files."""
    return Text.assemble((label, style), " ", printable(text))


def span(start: float, end: float) -> str:
    """Return a span of time, given in seconds, as minutes and seconds.

    Examples
    --------
    >>> span(7.2, 83)
    '0:07–1:23'
    """
    return "–".join(f"{round(time) // 60}:{round(time) % 60:02}" for time in (start, end))


def progress_bar(console: Console) -> Progress:
    """Make a bar that shows how much of a task is done, and that disappears when the task ends."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    # In a file or a pipe the bar would leave empty lines.
    return Progress(*columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal)


def settings_sentences(error: "ValidationError") -> str:
    """Return a sentence for each fault of the settings, with its place if the fault concerns one setting."""
    from mfcc_assets.settings import where_set

    sentences = []
    for fault in error.errors():
        place = f"{where_set(str(fault['loc'][0]))}: " if fault["loc"] else ""
        sentences.append(f"{place}{fault['msg'].removeprefix('Value error, ')}.")
    return "\n".join(sentences)
