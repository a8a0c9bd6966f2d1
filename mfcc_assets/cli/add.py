"""`mfcc add`: add music to the library."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.filesize import decimal

from mfcc_assets.cli.console import labelled_line, open_console, progress_bar
from mfcc_assets.cli.input_files import NamedPath, files_and_folders
from mfcc_assets.cli.sync import forget_folders, forget_option
from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.names import shown_name

if TYPE_CHECKING:
    from mfcc_assets.pipeline.add_files import Addition

_NAMES_SHOWN = 3


@click.command()
@click.argument("paths", nargs=-1, type=NamedPath(), callback=files_and_folders)
@click.option("--in-place", is_flag=True, help="Use these folders where they lie, and copy nothing.")
@forget_option
@click.pass_obj
def add(library: Library, paths: tuple[Path, ...], forgotten: tuple[Path, ...], *, in_place: bool) -> None:
    """Add files or folders to the library.

    Its recommendations are then brought up to date. The files are copied into the library. With --in-place, folders
    belong to the library where they lie, and it only reads them. It remembers them: `mfcc sync` finds what changes
    there. Without PATHS, this is `mfcc sync`.
    """
    from mfcc_assets.cli.library_run import sync_library
    from mfcc_assets.defs.launch import command_line_lock

    console = open_console()
    with command_line_lock(library.settings):
        forget_folders(library, forgotten, console)
        if paths and not in_place:
            _copy(library, paths, console)
            return
        labels = _use_in_place(library, paths, console) if in_place else []
        sync_library(library, console)
        if labels:
            _print_skipped(console, _skipped_below(library, labels))


def _use_in_place(library: Library, paths: tuple[Path, ...], console: Console) -> list[str]:
    """Take folders into the library, and return their labels."""
    if not paths:
        raise click.ClickException("--in-place needs a folder. Name the folders of your music.")
    for path in paths:
        if not path.is_dir():
            raise click.ClickException(f"{shown_name(str(path))}: it is not a folder. Name the folder that it lies in.")
    labels = library.music_folders.add(paths)
    for label in labels:
        folder = shown_name(str(library.music_folders.every()[label]))
        console.print(f"In place: {folder}, whose soundtracks are called {shown_name(label)}/…")
    return labels


def _skipped_below(library: Library, labels: Sequence[str]) -> dict[str, list[PurePath]]:
    """Return what is no music in some folders in place, by kind."""
    from mfcc_assets.pipeline.music_files import container_files, skipped_files

    below = {
        kind: [path for path in map(PurePosixPath, names) if path.parts[0] in labels]
        for kind, names in skipped_files(library, container_files(library)).items()
    }
    return {kind: [*paths] for kind, paths in below.items() if paths}


def _copy(library: Library, paths: tuple[Path, ...], console: Console) -> None:
    from mfcc_assets.cli.library_run import bring_up_to_date, print_state
    from mfcc_assets.pipeline.add_files import Addition, add_files

    addition = Addition()
    with progress_bar(console) as progress:
        task = progress.add_task("Copying files", total=None)
        is_said = False
        for addition in add_files(library, paths):
            if addition.bytes_needed and not is_said:
                is_said = True
                console.print(_need(addition))
            progress.advance(task)
    _print_addition(console, addition)
    bring_up_to_date(library, console)
    for reject in library.catalogue.rejects():
        if reject.blob_name in addition.names:
            console.print(labelled_line("rejected", reject.reason))
    print_state(library, console)


def _need(addition: "Addition") -> str:
    free = "" if addition.bytes_free is None else f"; {decimal(addition.bytes_free)} are free"
    return f"Copying needs {decimal(addition.bytes_needed)}{free}."


def _print_addition(console: Console, addition: "Addition") -> None:
    console.print(
        f"{len(addition.added)} added, {len(addition.replaced)} replaced, "
        f"{len(addition.already_there)} already there, {sum(map(len, addition.skipped.values()))} skipped"
    )
    _print_skipped(console, addition.skipped)
    for file, reason in addition.unreadable.items():
        what = f"{shown_name(str(file))}: it cannot be read ({reason})."
        console.print(labelled_line("unreadable", f"{what} Check its permissions and its disk, and add it again."))


def _print_skipped(console: Console, paths_by_kind: Mapping[str, Sequence[PurePath]]) -> None:
    for kind, paths in sorted(paths_by_kind.items()):
        console.print(f"skipped {len(paths)}: {kind} ({_first_names(paths)})")


def _first_names(paths: Sequence[PurePath]) -> str:
    names = ", ".join(shown_name(path.name) for path in paths[:_NAMES_SHOWN])
    return names + (", …" if len(paths) > _NAMES_SHOWN else "")
