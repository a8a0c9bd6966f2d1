"""Bring the library up to date from a command: a Dagster run with a progress bar."""

import time
from datetime import UTC, datetime
from typing import IO

import click
from rich.console import Console

from mfcc_assets.cli.console import labelled_line, progress_bar
from mfcc_assets.defs.launch import check_succeeded, running_library_job
from mfcc_assets.library import Library

_POLL_SECONDS = 0.2
_REPAIRS_SHOWN = 10


def bring_up_to_date(library: Library, console: Console, lock: IO[bytes], command: str | None = None) -> None:
    """Run the library job, show its progress, and print what damage it repaired.

    Parameters
    ----------
    lock
        The command line's lock, which keeps the sensors from requesting the same run.
    command
        What the Dagster UI shows as what launched the run. The default is the present command of ``mfcc``.

    Raises
    ------
    RunFailed
        If the run did not succeed.
    """
    started = datetime.now(UTC)
    launched_by = command or f"mfcc {click.get_current_context().info_name}"
    with progress_bar(console) as progress:
        task = progress.add_task("Starting a Dagster run", total=None)
        with running_library_job(library.settings, lock, launched_by) as process:
            while process.poll() is None:
                done, total = library.catalogue.progress()
                if total:
                    description = "Analysing soundtracks" if done < total else "Indexing, ranking, publishing"
                    progress.update(task, description=description, completed=done, total=total)
                time.sleep(_POLL_SECONDS)
            check_succeeded(process, library.settings, lock)
    repairs = library.repairs.since(started)
    for damage in repairs[:_REPAIRS_SHOWN]:
        console.print(labelled_line("repaired", damage))
    if len(repairs) > _REPAIRS_SHOWN:
        console.print(labelled_line("repaired", f"{len(repairs) - _REPAIRS_SHOWN} more"))
