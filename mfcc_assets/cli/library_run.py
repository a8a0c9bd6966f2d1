"""Bring the library up to date from a command: a Dagster run with a progress bar."""

import time
from datetime import UTC, datetime
from typing import IO

from rich.console import Console

from mfcc_assets.cli.console import labelled_line, progress_bar
from mfcc_assets.cli.library import counts_by_state
from mfcc_assets.defs.launch import check_succeeded, running_library_job
from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library

_POLL_SECONDS = 0.2
_REPAIRS_SHOWN = 10


def bring_up_to_date(library: Library, console: Console, lock: IO[bytes]) -> None:
    """Run the library job, show its progress, and print what damage it repaired.

    Parameters
    ----------
    lock
        The command line's lock, which keeps the sensors from requesting the same run.

    Raises
    ------
    RunFailed
        If the run did not succeed.
    """
    started = datetime.now(UTC)
    with progress_bar(console) as progress:
        task = progress.add_task("Starting a Dagster run", total=None)
        with running_library_job(library.settings, lock) as process:
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


def sync_library(library: Library, console: Console, lock: IO[bytes]) -> None:
    """Run the library job, and print what has changed in the library; parameters and errors as above."""
    before = _digests(library)
    bring_up_to_date(library, console, lock)
    after = _digests(library)
    both = before.keys() & after.keys()
    changed = [track for track in both if before[track][1] != after[track][1]]
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
    """Print what is away, how many soundtracks are in which state, and which index answers."""
    from mfcc_assets.pipeline.away import sentences_on_away
    from mfcc_assets.pipeline.music_files import container_files

    for sentence in sentences_on_away(library, container_files(library)):
        console.print(labelled_line("away", sentence))
    console.print(
        f"{counts_by_state(library.catalogue.soundtracks())}; index {library.indexes.published_version()} answers."
    )
