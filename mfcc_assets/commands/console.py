"""How commands speak to their user."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_UNWRAPPED_WIDTH = 10_000


def open_console() -> Console:
    """As wide as the terminal; into a file or a pipe so wide that no title is cut or wrapped."""
    console = Console()
    return console if console.is_terminal else Console(width=_UNWRAPPED_WIDTH)


def progress_bar(console: Console) -> Progress:
    """Shows how much of a task is done, for as long as it lasts."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    # Into a file or a pipe it would write empty lines.
    return Progress(*columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal)
