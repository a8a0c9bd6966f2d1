"""How commands speak to their user."""

import time
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from mfcc_assets.defs.launch import check_succeeded, running_library_job
from mfcc_assets.library import Library

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


_POLL_SECONDS = 0.2


def bring_up_to_date(library: Library, console: Console, lock: IO[bytes]) -> None:
    """Run the library job with a progress bar.

    Raises
    ------
    RunFailed
        The run did not succeed.
    """
    with progress_bar(console) as progress:
        task = progress.add_task("Starting a Dagster run", total=None)
        with running_library_job(library.settings, lock) as process:
            while process.poll() is None:
                done, total = library.catalogue.progress()
                if total:
                    description = "Analysing soundtracks" if done < total else "Indexing, ranking, publishing"
                    progress.update(task, description=description, completed=done, total=total)
                time.sleep(_POLL_SECONDS)
            check_succeeded(process, library.settings)
