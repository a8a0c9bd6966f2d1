"""`mfcc watch`: follow what happens to the library and to uploads."""

import json
import time
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime

import click

from mfcc_assets.library import Library
from mfcc_assets.texts import printable


@click.command()
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.1, max=3600),
    default=2.0,
    show_default=True,
    help="Time between two looks at the library.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object in each line.")
@click.pass_obj
def watch(library: Library, seconds: float, as_json: bool) -> None:
    """Follow the library and the uploads until Ctrl-C is pressed.

    A line is printed for each track that is added, changed, renamed, removed or rejected, for each upload that is
    received, answered or purged, and for each index that is published.
    """
    from mfcc_assets.pipeline.library_events import LibraryWatch

    with suppress(KeyboardInterrupt):
        watching = LibraryWatch(library)
        if not as_json:
            click.echo(f"Watching {library.settings.folder}. Ctrl-C ends it.", err=True)
        while True:
            for event in watching.events():
                now = datetime.now(UTC)
                if as_json:
                    click.echo(json.dumps({"at": now.isoformat(timespec="seconds"), **asdict(event)}))
                else:
                    click.echo(f"{now.astimezone():%H:%M:%S} {event.kind:<9} {printable(event.text)}")
            time.sleep(seconds)
