"""`mfcc sync`: bring the library up to date with its music."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from mfcc_assets.cli.console import open_console
from mfcc_assets.cli.input_files import NamedPath
from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.texts import counted

forget_option = click.option(
    "--forget",
    "forgotten",
    metavar="FOLDER",
    multiple=True,
    type=NamedPath(),
    help="Let go of this folder in place. Its soundtracks leave the library; its files stay as they are.",
)
"""The option of every command that looks at the folders in place."""


@click.command()
@forget_option
@click.option(
    "--accept",
    "accepted",
    metavar="FOLDER",
    multiple=True,
    type=NamedPath(),
    help="The soundtracks that are missing in this folder are gone for good. They leave the library.",
)
@click.pass_obj
def sync(library: Library, forgotten: tuple[Path, ...], accepted: tuple[Path, ...]) -> None:
    """Bring the library up to date with its music.

    This finds files that came, changed, went, or have other names. It also repairs what is damaged. A folder in place
    that is missing, empty or cannot be read is away: its soundtracks stay in the library. So do those that are
    missing where most are missing at once, or where another disk was before.
    """
    from mfcc_assets.cli.library_run import sync_library
    from mfcc_assets.defs.launch import command_line_lock
    from mfcc_assets.pipeline.missing import give_up

    console = open_console()
    with command_line_lock(library.settings):
        forget_folders(library, forgotten, console)
        for folder in accepted:
            number = counted(give_up(library, folder), "missing soundtrack")
            console.print(f"Gone for good: {number} of {shown_name(str(folder))}")
        sync_library(library, console)


def forget_folders(library: Library, folders: Sequence[Path], console: Console) -> None:
    """Let go of folders in place. Raises `SettingsError` if one is none of them, or MFCC_MUSIC names it."""
    for folder in folders:
        library.music_folders.forget(folder)
        console.print(f"Forgotten: {shown_name(str(folder))}")
