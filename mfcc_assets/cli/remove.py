"""`mfcc remove`: remove tracks from the library."""

import click

from mfcc_assets.cli.console import open_console
from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.texts import counted, printable

_NAMES_SHOWN = 10


@click.command()
@click.argument("tracks", nargs=-1, required=True, metavar="TRACK|PATH...")
@click.option("--yes", is_flag=True, help="Do not ask whether these tracks are to be removed.")
@click.pass_obj
def remove(library: Library, tracks: tuple[str, ...], yes: bool) -> None:
    """Remove tracks from the library, with their files in it.

    Its recommendations are then brought up to date. Name a track by its id, its title or its file name, or by the
    path of its file. The path may be that of the file in the library, of the file that it was copied from, or of a
    folder of such files. Files outside the library stay, and tracks of folders in place are not removed.
    """
    from mfcc_assets.cli.library_run import bring_up_to_date, print_state
    from mfcc_assets.defs.launch import command_line_lock
    from mfcc_assets.pipeline.remove_tracks import forget_audio, remove_files, tracks_to_remove

    removal = tracks_to_remove(library, tracks)
    console = open_console()
    number = counted(len(removal.tracks), "track")
    for track in removal.tracks[:_NAMES_SHOWN]:
        link = " (a link; the file that it leads to stays)" if track.blob_name in removal.links else ""
        console.print(f"{printable(track.display_name)}: {shown_name(track.blob_name)}{link}")
    if len(removal.tracks) > _NAMES_SHOWN:
        console.print(f"… and {len(removal.tracks) - _NAMES_SHOWN} more")
    if not yes:
        click.confirm(f"Remove {number} from the library, and delete the files in {_folder(library)}?", abort=True)
    with command_line_lock(library.settings):
        remove_files(library, removal)
        console.print(f"{number} removed; the files in {_folder(library)} are deleted.")
        bring_up_to_date(library, console)
        forget_audio(library, removal)
    print_state(library, console)


def _folder(library: Library) -> str:
    return shown_name(f"{library.settings.blobs_address}/soundtracks")
