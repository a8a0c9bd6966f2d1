"""`mfcc versions`: other performances of the piece that a track plays."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from mfcc_assets.cli.console import json_option, open_console, print_json, progress_bar, span
from mfcc_assets.library import Library
from mfcc_assets.texts import printable

if TYPE_CHECKING:
    from mfcc_assets.pipeline.versions import Version


@click.command()
@click.argument("track")
@json_option
@click.pass_obj
def versions(library: Library, track: str, as_json: bool) -> None:
    """List other performances of the piece that TRACK plays.

    They may be in another key or by other instruments. They have the same harmony. How they sound does not matter, so
    this is no recommendation. The first call analyses the harmony of the whole library.
    """
    from mfcc_assets.pipeline.find_track import find_track
    from mfcc_assets.pipeline.versions import find_versions

    query = find_track(library, track)
    # Standard output is for the answer, which may be piped into a file.
    with progress_bar(Console(stderr=True)) as progress:
        task = progress.add_task("Analysing harmony", total=None)
        found = find_versions(library, query, lambda done, total: progress.update(task, completed=done, total=total))
    if as_json:
        print_json({"track_id": query.track_id, "title": query.title, "versions": [_record(one) for one in found]})
        return
    console = open_console()
    if not found:
        console.print(f"No other performance of {printable(query.display_title)} is in the library.")
        return
    console.print(f"Other performances of {printable(query.display_title)}:")
    table = Table("title", "artist", "similarity", "key", "common stretch", "in the other", "track id")
    for one in found:
        table.add_row(
            printable(one.soundtrack.title),
            printable(one.soundtrack.artist),
            f"{one.similarity:.2f}",
            _key(one.semitones),
            span(one.begin, one.end),
            span(one.other_begin, one.other_end),
            one.soundtrack.track_id,
        )
    console.print(table)


def _record(version: "Version") -> dict[str, object]:
    soundtrack = version.soundtrack
    who = {"track_id": soundtrack.track_id, "title": soundtrack.title, "artist": soundtrack.artist}
    return {**who, **{name: value for name, value in asdict(version).items() if name != "soundtrack"}}


def _key(semitones: int) -> str:
    if not semitones:
        return "the same"
    count = abs(semitones)
    return f"{count} semitone{'s' if count > 1 else ''} {'higher' if semitones > 0 else 'lower'}"
