"""Bring the library up to date from a command: Dagster runs, stage after stage, whose progress is shown."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

from mfcc_assets.cli.console import labelled_line
from mfcc_assets.cli.library import counts_by_state
from mfcc_assets.defs.launch import check_succeeded, command_line_lock, running_library_job
from mfcc_assets.ids import TrackId, is_unread
from mfcc_assets.library import Library
from mfcc_assets.pipeline import progress as runs
from mfcc_assets.pipeline.away import sentences_on_away, sentences_on_shadowed
from mfcc_assets.pipeline.missing import files_and_missing
from mfcc_assets.pipeline.stages import coverage_of, size_of_next_stage

if TYPE_CHECKING:
    import subprocess

_POLL_SECONDS = 0.2
_SECONDS_BETWEEN_LINES = 5.0
_REPAIRS_SHOWN = 10
_STARTING = runs.Progress("Starting a Dagster run")


def bring_up_to_date(library: Library, console: Console, command: str | None = None) -> None:
    """Run the library job until nothing waits, show its progress, and print what damage it repaired.

    Each run analyses the next stage of the files that wait, and publishes an index. So an index answers long before the
    last file is analysed. The progress is a bar on a terminal, and otherwise a line every few seconds; both go to the
    standard error output.

    Parameters
    ----------
    command
        What the Dagster UI shows as what launched the run. The default is the present command of ``mfcc``.

    Raises
    ------
    RunFailed
        If a run did not succeed.
    """
    started = datetime.now(UTC)
    launched_by = command or f"mfcc {click.get_current_context().info_name}"
    while True:
        before = _outstanding(library)
        # Each run has a lock of its own, which names it.
        with (
            _telling_of_interruption(),
            command_line_lock(library.settings) as lock,
            _display() as display,
            running_library_job(library.settings, lock, launched_by) as process,
        ):
            _follow(library, process, display)
            check_succeeded(process, library.settings, lock)
        if not library.catalogue.waiting() or _outstanding(library) == before:
            break
        index = library.indexes.published()
        console.print(f"Index {index.version} answers from {coverage_of(library, index)} so far.")
    repairs = library.repairs.since(started)
    for damage in repairs[:_REPAIRS_SHOWN]:
        console.print(labelled_line("repaired", damage))
    if len(repairs) > _REPAIRS_SHOWN:
        console.print(labelled_line("repaired", f"{len(repairs) - _REPAIRS_SHOWN} more"))


@contextmanager
def _telling_of_interruption() -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        # Signals other than Ctrl-C end the process like an error, and the terminal may be closed.
        with suppress(OSError):
            click.echo("The run was stopped. What is analysed is kept, and `mfcc sync` goes on from there.", err=True)
        raise


def sync_library(library: Library, console: Console) -> None:
    """Bring the library up to date, and print what has changed in it. Raises `RunFailed` if a run did not succeed."""
    before = _digests(library)
    bring_up_to_date(library, console)
    after = _digests(library)
    both = before.keys() & after.keys()
    # A file whose bytes nobody had read was waiting, and has not changed.
    changed = [track for track in both if before[track][1] != after[track][1] and not is_unread(before[track][1])]
    renamed = [track for track in both if before[track][0] != after[track][0]]
    console.print(
        f"{len(after.keys() - both)} new, {len(changed)} changed, {len(renamed)} renamed, "
        f"{len(before.keys() - both)} gone"
    )
    print_state(library, console)


def _digests(library: Library) -> dict[TrackId, tuple[str, str]]:
    """Return the name and the content digest of each soundtrack, by track id."""
    files = library.catalogue.known_files().values()
    return {file.track_id: (file.blob_name, file.content_digest) for file in files}


def print_state(library: Library, console: Console) -> None:
    """Print what is away or passed over, how many soundtracks are in which state, and which index answers."""
    files = files_and_missing(library)
    for sentence in sentences_on_away(library, files):
        console.print(labelled_line("away", sentence))
    for sentence in sentences_on_shadowed(library, files):
        console.print(labelled_line("passed over", sentence))
    console.print(
        f"{counts_by_state(library.catalogue.soundtracks())}; index {library.indexes.published_version()} answers."
    )


def _outstanding(library: Library) -> tuple[int, list[str]]:
    """Return what a run changes as long as files wait. If it stays the same, another run would not change it either."""
    return size_of_next_stage(library), library.catalogue.waiting()


def _follow(library: Library, process: "subprocess.Popen[bytes]", display: "_Display") -> None:
    """Show the progress of a run until it ends."""
    began, path = time.time(), library.settings.progress_file
    while process.poll() is None:
        progress = runs.read_progress(path)
        display.show(progress if progress is not None and progress.at >= began else _STARTING)
        time.sleep(_POLL_SECONDS)


class _Display(Protocol):
    def show(self, progress: runs.Progress) -> None: ...


@contextmanager
def _display() -> Iterator[_Display]:
    console = Console(stderr=True, markup=False, emoji=False)
    if not console.is_terminal:
        yield _Lines(console)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(20), TimeElapsedColumn())
    one_line = Column(no_wrap=True, overflow="ellipsis", ratio=1)
    details = TextColumn("{task.fields[details]}", markup=False, table_column=one_line)
    with Progress(*columns, details, console=console, transient=True, expand=True) as bar:
        yield _Bar(bar)


class _Bar:
    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task(_STARTING.phase, total=None, details="")

    def show(self, progress: runs.Progress) -> None:
        said = f"{progress.phase} {progress.counted}".rstrip()
        total = progress.total or None
        self._bar.update(self._task, description=said, completed=progress.done, total=total, details=progress.details)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._last_line = time.monotonic()
        self._said = ""

    def show(self, progress: runs.Progress) -> None:
        if (said := str(progress)) == self._said or time.monotonic() - self._last_line < _SECONDS_BETWEEN_LINES:
            return
        self._said, self._last_line = said, time.monotonic()
        self._console.print(said, soft_wrap=True)
