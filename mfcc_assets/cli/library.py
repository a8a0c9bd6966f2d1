"""`mfcc library`: show what is in the library."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.table import Table

from mfcc_assets.cli.console import json_option, labelled_line, open_console, print_json
from mfcc_assets.library import Library
from mfcc_assets.texts import printable

if TYPE_CHECKING:
    from mfcc_assets.storage.sql.records import Soundtrack


@click.command(name="library")
@json_option
@click.pass_obj
def show_library(library: Library, as_json: bool) -> None:
    """List the soundtracks with their states, and the rejected files."""
    from mfcc_assets.pipeline.library_report import describe_library
    from mfcc_assets.pipeline.lost_tables import check_tables
    from mfcc_assets.pipeline.outstanding_work import outstanding_work

    report = describe_library(library)
    if not report.soundtracks:
        check_tables(library)
    outstanding = outstanding_work(library)
    if as_json:
        listing = {
            "soundtracks": [
                {**asdict(track), "note": track.every_note, "state": track.state} for track in report.soundtracks
            ],
            "rejects": [asdict(reject) for reject in report.rejects],
            "duplicates": report.duplicates,
            "outstanding": outstanding,
        }
        print_json(listing)
        return
    console = open_console()
    table = Table(
        "track id", "title", "artist", "length", "state", "note", title=printable(str(library.settings.folder))
    )
    for track in report.soundtracks:
        cells = (track.track_id, track.title, track.artist, _length(track.seconds), track.state, track.every_note)
        table.add_row(*map(printable, cells))
    console.print(table)
    console.print(counts_by_state(report.soundtracks))
    for names in report.duplicates:
        console.print(f"the same audio: {printable(', '.join(names))}")
    for reject in report.rejects:
        console.print(labelled_line("rejected", f"{reject.container}: {reject.reason}"))
    if outstanding:
        console.print(f"{len(outstanding)} changes wait for a run, the first: {printable(outstanding[0])}")


def counts_by_state(soundtracks: Sequence["Soundtrack"]) -> str:
    """Return a sentence with the number of soundtracks, in all and in each state."""
    states = Counter(track.state for track in soundtracks)
    each = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return f"{len(soundtracks)} soundtracks: {each}" if each else "no soundtracks"


def _length(seconds: float | None) -> str:
    return "" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02}"
