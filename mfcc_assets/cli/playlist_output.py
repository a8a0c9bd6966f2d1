"""Print and export the playlists that commands make."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from mfcc_assets.cli.console import open_console, print_json
from mfcc_assets.library import Library
from mfcc_assets.playlists.formats import FORMATS, format_of
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.texts import printable

if TYPE_CHECKING:
    from mfcc_assets.pipeline.playlists import Playlist


def _checked(_context: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    if path is not None:
        format_of(path)  # an unknown format is refused now, not after the work
    return path


export_option = click.option(
    "--export",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_checked,
    help=f"Write the tracks to this playlist file; it ends in {' or '.join(FORMATS)}.",
)


def show_playlist(
    library: Library, name: str, playlist: "Playlist", *, wanted: int, as_json: bool, export: Path | None
) -> None:
    """Print a playlist, and write it to a file if `export` names one."""
    from mfcc_assets.pipeline.playlists import export_playlist

    if export is not None:
        export_playlist(library, export, name, playlist.soundtracks)
    steps = [None, *playlist.distances]
    if as_json:
        record = {
            "title": name,
            "wanted": wanted,
            "index_version": playlist.index_version,
            "tracks": [
                {
                    "position": position,
                    "track_id": track.track_id,
                    "title": track.title,
                    "artist": track.artist,
                    "album": track.album,
                    "seconds": track.seconds,
                    "distance_from_previous": distance,
                }
                for position, (track, distance) in enumerate(zip(playlist.soundtracks, steps, strict=False), start=1)
            ],
        }
        print_json(record)
        return
    console = open_console()
    table = Table("", "title", "artist", "step", "track id", title=printable(name))
    for position, (track, distance) in enumerate(zip(playlist.soundtracks, steps, strict=False), start=1):
        step = "" if distance is None else f"{distance:.3f}"
        title = printable(track.display_title)
        table.add_row(str(position), title, printable(track.artist), step, track.track_id)
    console.print(table)
    if len(playlist.soundtracks) < wanted:
        console.print(f"Only {len(playlist.soundtracks)} of the {wanted} tracks could be found in the library.")
    console.print(f"From index {playlist.index_version}.")
    if export is not None:
        print_export(library, export, console)


def print_export(library: Library, export: Path, console: Console) -> None:
    """Print where a playlist was written."""
    ends = " Its links end in an hour." if library.settings.profile == "azure" else ""
    console.print(f"Written to {shown_name(str(export))}.{ends}")
