"""Print and export the playlists that commands make."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.table import Table

from mfcc_assets.cli.console import open_console, print_json
from mfcc_assets.cli.nearness import NEARNESS_COLUMNS, nearness_cells, track_id_column
from mfcc_assets.library import Library
from mfcc_assets.playlists.formats import format_of, known_suffixes
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.storage.blobs.port import SOUNDTRACKS
from mfcc_assets.texts import printable

if TYPE_CHECKING:
    from mfcc_assets.pipeline.playlists import Playlist
    from mfcc_assets.storage.sql.records import Soundtrack

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _checked(_context: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    if path is not None:
        format_of(path)  # an unknown format is refused now, not after the work
    return path


def _needs_export(context: click.Context, _option: click.Parameter, relative: bool) -> bool:
    if relative and context.params.get("export") is None:
        raise click.UsageError("--relative needs --export.")
    return relative


def export_options(command: _Command) -> _Command:
    """Add the options of every command that can write a playlist file: its path, and whether paths are relative."""
    export = click.option(
        "--export",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=_checked,
        is_eager=True,
        help=f"Write the tracks to this playlist file, which ends in {known_suffixes()}.",
    )
    relative = click.option(
        "--relative",
        is_flag=True,
        callback=_needs_export,
        help="Write paths relative to the folder of the playlist file.",
    )
    return export(relative(command))


def show_playlist(
    library: Library,
    name: str,
    playlist: "Playlist",
    *,
    wanted: int,
    as_json: bool,
    export: Path | None,
    relative: bool,
) -> None:
    """Print a playlist, and write it to a file if `export` names one."""
    from mfcc_assets.pipeline.nearness import nearness_record

    if export is not None:
        write_export(library, export, name, playlist.soundtracks, relative=relative)
    steps = [(None, None), *zip(playlist.distances, playlist.nearness, strict=True)]
    rows = [
        {
            "position": position,
            "track_id": track.track_id,
            "title": track.title,
            "artist": track.artist,
            "album": track.album,
            "seconds": track.seconds,
            "distance_from_previous": distance,
            **nearness_record(nearness),
        }
        for position, (track, (distance, nearness)) in enumerate(
            zip(playlist.soundtracks, steps, strict=False), start=1
        )
    ]
    if as_json:
        print_json({"title": name, "wanted": wanted, "index_version": playlist.index_version, "tracks": rows})
        return
    console = open_console()
    ids = track_id_column(console)
    table = Table("", "title", "artist", *NEARNESS_COLUMNS, *ids, title=printable(name))
    for track, row in zip(playlist.soundtracks, rows, strict=True):
        names = printable(track.display_title), printable(track.artist)
        table.add_row(str(row["position"]), *names, *nearness_cells(row), *([track.track_id] if ids else []))
    console.print(table)
    if len(rows) > 1:
        console.print("Each track is compared with the one before it.")
    if len(rows) < wanted:
        console.print(f"Only {len(rows)} of the {wanted} tracks could be found in the library.")


def write_export(
    library: Library, export: Path, name: str, soundtracks: Sequence["Soundtrack"], *, relative: bool
) -> None:
    """Write a playlist file, and say so on standard error. Standard output is for the answer."""
    from mfcc_assets.pipeline.playlists import export_playlist

    export_playlist(library, export, name, soundtracks, relative=relative)
    ends = " Its links end in an hour." if library.settings.profile == "azure" else ""
    count = f"{len(soundtracks)} track{'' if len(soundtracks) == 1 else 's'}"
    click.echo(f"Wrote {count} to {shown_name(str(export))}.{ends}", err=True)
    lacking = sum(not library.blobs.exists(SOUNDTRACKS, track.blob_name) for track in soundtracks)
    if lacking:
        files = f"{lacking} of their files {'is' if lacking == 1 else 'are'} not there now"
        click.echo(f"{files}, so a player cannot play them. `mfcc status` says what is away.", err=True)
    unknown = sum(not track.recording_mbid for track in soundtracks)
    if unknown and export.suffix.lower() == ".jspf":
        tags = f"the tags of {unknown} of its tracks have no id of MusicBrainz"
        click.echo(f"ListenBrainz refuses this file, because {tags}.", err=True)
