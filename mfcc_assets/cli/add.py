"""`mfcc add`: add music to the library."""

from collections.abc import Sequence
from pathlib import Path

import click

from mfcc_assets.cli.console import labelled_line, open_console, progress_bar
from mfcc_assets.cli.input_files import NamedPath, files_and_folders
from mfcc_assets.cli.library import counts_by_state
from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.names import shown_name

_NAMES_SHOWN = 3


@click.command()
@click.argument("paths", nargs=-1, type=NamedPath(), callback=files_and_folders)
@click.pass_obj
def add(library: Library, paths: tuple[Path, ...]) -> None:
    """Add files or folders to the library.

    Its recommendations are then brought up to date. Without PATHS, this is all that is done. It also repairs what is
    damaged.
    """
    from mfcc_assets.cli.library_run import bring_up_to_date
    from mfcc_assets.defs.launch import command_line_lock
    from mfcc_assets.pipeline.add_files import Addition, add_files

    console = open_console()
    addition = Addition()
    with command_line_lock(library.settings):
        with progress_bar(console) as progress:
            task = progress.add_task("Copying files", total=None)
            for addition in add_files(library, paths):  # noqa: B007  the last one holds the outcome of all files
                progress.advance(task)
        console.print(
            f"{len(addition.added)} added, {len(addition.replaced)} replaced, "
            f"{len(addition.already_there)} already there, {sum(map(len, addition.skipped.values()))} skipped"
        )
        for kind, skipped in sorted(addition.skipped.items()):
            console.print(f"skipped {len(skipped)}: {kind} ({_first_names(skipped)})")
        for file, reason in addition.unreadable.items():
            what = f"{shown_name(str(file))}: it cannot be read ({reason})."
            console.print(labelled_line("unreadable", f"{what} Check its permissions and its disk, and add it again."))
        bring_up_to_date(library, console)
    for reject in library.catalogue.rejects():
        if reject.blob_name in addition.names:
            console.print(labelled_line("rejected", reject.reason))
    console.print(
        f"{counts_by_state(library.catalogue.soundtracks())}; index {library.indexes.published_version()} answers."
    )


def _first_names(paths: Sequence[Path]) -> str:
    names = ", ".join(shown_name(path.name) for path in paths[:_NAMES_SHOWN])
    return names + (", …" if len(paths) > _NAMES_SHOWN else "")
