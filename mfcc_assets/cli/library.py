"""`mfcc library`: show what is in the library."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich.console import RenderableType
from rich.table import Table

from mfcc_assets.cli.console import json_option, labelled_line, print_json
from mfcc_assets.cli.listing import (
    open_list_console,
    page_of,
    page_options,
    print_long,
    print_tsv,
    range_of,
    tsv_option,
    unbroken_column,
    whole_column,
)
from mfcc_assets.library import Library
from mfcc_assets.texts import counted, printable

if TYPE_CHECKING:
    from mfcc_assets.storage.sql.records import Reject, Soundtrack

_STATES = ("analysed", "waiting", "rejected")
_ORDERS = ("file", "title", "artist", "album", "length", "state")
"""The choices of two options. The modules that know what they mean load too slowly for a help page."""


@click.command(name="library")
@click.option("--search", default="", metavar="WORDS", help="Only tracks with all these words in their names or tags.")
@click.option("--artist", default="", metavar="NAME", help="Only tracks of artists with this in their name.")
@click.option("--album", default="", metavar="NAME", help="Only tracks of albums with this in their name.")
@click.option("--state", type=click.Choice(_STATES), help="Only tracks in this state.")
@click.option("--sort", "order", type=click.Choice(_ORDERS), default="file", show_default=True, help="Sort by this.")
@click.option("--reverse", "descending", is_flag=True, help="Sort in the other direction.")
@click.option("--rejects", "only_rejects", is_flag=True, help="Show the rejected files instead, also those of uploads.")
@page_options
@tsv_option
@json_option
@click.pass_obj
def show_library(
    library: Library,
    *,
    search: str,
    artist: str,
    album: str,
    state: str | None,
    order: str,
    descending: bool,
    only_rejects: bool,
    limit: int | None,
    offset: int,
    as_tsv: bool,
    as_json: bool,
) -> None:
    """List the soundtracks with their states, and the rejected files.

    A list that is longer than the terminal is shown in a pager.
    """
    from mfcc_assets.pipeline.library_listing import list_soundtracks

    if as_tsv and as_json:
        raise click.UsageError("Choose one of --tsv and --json.")
    if only_rejects:
        if artist or album or state or descending or order != "file":
            raise click.UsageError("--rejects goes with --search, --limit and --offset only: such files have no tags.")
        _show_rejects(library, search, limit, offset, as_tsv=as_tsv, as_json=as_json)
        return
    found = list_soundtracks(
        library, search=search, artist=artist, album=album, state=state, order=order, descending=descending
    )
    shown = page_of(found, limit, offset)
    if not found:
        from mfcc_assets.pipeline.lost_tables import check_tables

        check_tables(library)
    if as_tsv:
        print_tsv(_COLUMNS, map(_row, shown))
    elif as_json:
        print_json(_record(library, shown, len(found)))
    else:
        is_whole = shown == found and not (search or artist or album or state)
        print_long(open_list_console(), _page(library, shown, offset, len(found), is_whole=is_whole))


_COLUMNS = ("track_id", "title", "artist", "album", "seconds", "state", "note", "file")
_REJECT_COLUMNS = ("id", "container", "file", "code", "reason")


def _row(track: "Soundtrack") -> tuple[object, ...]:
    from mfcc_assets.storage.blobs.names import shown_name

    seconds = None if track.seconds is None else f"{track.seconds:.3f}"
    names = (track.track_id, track.title, track.artist, track.album)
    return (*names, seconds, track.state, track.every_note, shown_name(track.blob_name))


def _record(library: Library, shown: Sequence["Soundtrack"], matching: int) -> dict[str, Any]:
    from mfcc_assets.pipeline.library_report import describe_library
    from mfcc_assets.pipeline.outstanding_work import outstanding_work

    report = describe_library(library)
    return {
        "matching": matching,
        "soundtracks": [{**asdict(track), "note": track.every_note, "state": track.state} for track in shown],
        "rejects": [asdict(reject) for reject in report.rejects],
        "duplicates": report.duplicates,
        "outstanding": outstanding_work(library),
    }


def _page(
    library: Library, shown: Sequence["Soundtrack"], offset: int, matching: int, *, is_whole: bool
) -> list[RenderableType]:
    """Return what a reader sees of these tracks. The whole list ends with what concerns the library as a whole."""
    from mfcc_assets.pipeline.library_report import describe_library
    from mfcc_assets.pipeline.outstanding_work import outstanding_work

    has_notes = any(track.every_note for track in shown)
    table = Table(
        unbroken_column("track id"),
        *map(whole_column, ("title", "artist")),
        *map(unbroken_column, ("length", "state")),
        *([whole_column("note")] if has_notes else []),
        title=printable(str(library.settings.folder)),
    )
    for track in shown:
        notes = [track.every_note] if has_notes else []
        cells = (track.title, track.artist, length(track.seconds), track.state, *notes)
        table.add_row(track.track_id, *map(printable, cells))
    if not is_whole:
        counts = f"{matching} of {len(library.catalogue.soundtracks())} soundtracks match."
        return [*([table] if shown else []), f"{counts} {range_of(len(shown), offset, matching)}".strip()]
    parts: list[RenderableType] = [table, counts_by_state(shown)]
    report = describe_library(library)
    parts += [f"the same audio: {printable(', '.join(names))}" for names in report.duplicates]
    parts += [labelled_line("rejected", f"{reject.container}: {reject.reason}") for reject in report.rejects]
    if outstanding := outstanding_work(library):
        verb = "waits" if len(outstanding) == 1 else "wait"
        parts.append(f"{counted(len(outstanding), 'change')} {verb} for a run, the first: {printable(outstanding[0])}")
    return parts


def _show_rejects(
    library: Library, search: str, limit: int | None, offset: int, *, as_tsv: bool, as_json: bool
) -> None:
    from mfcc_assets.pipeline.library_listing import list_rejects
    from mfcc_assets.storage.blobs.names import shown_name

    found = list_rejects(library, search=search)
    shown: Sequence[Reject] = page_of(found, limit, offset)
    if as_tsv:
        print_tsv(
            _REJECT_COLUMNS,
            ((each.subject_id, each.container, shown_name(each.blob_name), each.code, each.reason) for each in shown),
        )
        return
    if as_json:
        print_json({"matching": len(found), "rejects": [asdict(reject) for reject in shown]})
        return
    table = Table(unbroken_column("id"), *map(whole_column, ("container", "file", "reason")))
    for reject in shown:
        table.add_row(reject.subject_id, *map(printable, (reject.container, reject.blob_name, reject.reason)))
    counts = f"{counted(len(found), 'rejected file')}. {range_of(len(shown), offset, len(found))}".strip()
    print_long(open_list_console(), [*([table] if shown else []), counts])


def counts_by_state(soundtracks: Sequence["Soundtrack"]) -> str:
    """Return a sentence with the number of soundtracks, in all and in each state."""
    states = Counter(track.state for track in soundtracks)
    each = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return f"{counted(len(soundtracks), 'soundtrack')}: {each}" if each else "no soundtracks"


def length(seconds: float | None) -> str:
    """Return the length of a track as minutes and seconds; nothing if it is not known."""
    return "" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02}"
