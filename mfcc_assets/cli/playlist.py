"""`mfcc playlist`: make a playlist of tracks that go with several others."""

from pathlib import Path

import click

from mfcc_assets.cli.console import json_option
from mfcc_assets.cli.playlist_output import export_options, show_playlist
from mfcc_assets.library import Library


@click.command()
@click.argument("seeds", nargs=-1, required=True)
@click.option("--size", type=click.IntRange(1, 100), default=20, show_default=True, help="Number of tracks.")
@json_option
@export_options
@click.pass_obj
def playlist(
    library: Library, seeds: tuple[str, ...], size: int, as_json: bool, export: Path | None, relative: bool
) -> None:
    """Make a playlist of tracks that go with all SEEDS.

    In its order, each track sounds like the one before it.

    Name a track by its id, its title or its file name. A part of a title or file name is enough if no other track
    has it.
    """
    from mfcc_assets.pipeline.find_track import find_track
    from mfcc_assets.pipeline.opened_index import OpenedIndex, published_index
    from mfcc_assets.pipeline.playlists import playlist_from

    tracks = [find_track(library, seed) for seed in seeds]
    found = playlist_from(library, OpenedIndex(library, published_index(library)), tracks, count=size)
    title = f"With {', '.join(track.display_title for track in tracks)}"
    show_playlist(library, title, found, wanted=size, as_json=as_json, export=export, relative=relative)
