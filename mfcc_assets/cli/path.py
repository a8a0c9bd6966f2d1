"""`mfcc path`: find a path through the library from one track to another."""

from pathlib import Path

import click

from mfcc_assets.cli.console import json_option
from mfcc_assets.cli.playlist_output import export_options, show_playlist
from mfcc_assets.library import Library


@click.command()
@click.argument("start")
@click.argument("end")
@click.option(
    "--steps", type=click.IntRange(2, 100), default=8, show_default=True, help="Number of tracks, both ends included."
)
@json_option
@export_options
@click.pass_obj
def path(
    library: Library, start: str, end: str, steps: int, as_json: bool, export: Path | None, relative: bool
) -> None:
    """Find a path through the library from START to END.

    On the path, each track sounds like the one before it.

    Name a track by its id, its title or its file name. A part of a title or file name is enough if no other track
    has it.
    """
    from mfcc_assets.pipeline.find_track import find_track
    from mfcc_assets.pipeline.opened_index import OpenedIndex, published_index
    from mfcc_assets.pipeline.playlists import path_between

    first, last = find_track(library, start), find_track(library, end)
    found = path_between(library, OpenedIndex(library, published_index(library)), first, last, steps=steps)
    title = f"From {first.display_title} to {last.display_title}"
    show_playlist(library, title, found, wanted=steps, as_json=as_json, export=export, relative=relative)
