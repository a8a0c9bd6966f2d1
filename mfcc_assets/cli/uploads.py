"""`mfcc uploads`: list the uploads, and show the answer of one."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click
from rich.console import RenderableType
from rich.table import Table

from mfcc_assets.cli.console import json_option, labelled_line, open_console, print_json
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
from mfcc_assets.cli.recommend import recommendations_table
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.texts import counted, printable

if TYPE_CHECKING:
    from mfcc_assets.pipeline.find_upload import FoundUpload

_COLUMNS = ("id", "state", "received", "file", "recognised", "failure")
_UNSEEN = "unseen"
_STATES = (_UNSEEN, "waiting", "received", "recognised", "candidates", "ranked", "failed")
"""The choices of an option. The module that knows what they mean loads too slowly for a help page."""

_WORDS = {"ranked": "answered", "failed": "no answer", _UNSEEN: "not seen yet", "waiting": "waiting"}
_AT_WORK = "being answered"
_DAEMON = "`make dev` starts the process that sees and answers files in the folder of uploads."


@click.command()
@click.argument("upload", required=False, metavar="[ID|NAME]")
@click.option("--state", type=click.Choice(_STATES), help="Only uploads in this state.")
@page_options
@tsv_option
@json_option
@click.pass_obj
def uploads(
    library: Library,
    *,
    upload: str | None,
    state: str | None,
    limit: int | None,
    offset: int,
    as_tsv: bool,
    as_json: bool,
) -> None:
    """List the uploads with their state, or show the answer of one.

    Name an upload by its id, or by the beginning of it, or by the name of its file. If several files have the name,
    they are listed, the last received first.
    """
    from mfcc_assets.pipeline.find_upload import find_uploads, list_uploads

    if as_tsv and as_json:
        raise click.UsageError("Choose one of --tsv and --json.")
    if upload is None:
        found = list_uploads(library, state)
    elif state is not None:
        raise click.UsageError("Name an upload, or use --state.")
    else:
        found = find_uploads(library, upload)
        if len(found) == 1 and not as_tsv:
            _show_upload(library, found[0], as_json=as_json)
            return
    shown = page_of(found, limit, offset)
    if as_tsv:
        print_tsv(_COLUMNS, (tuple(asdict(each).values()) for each in shown))
    elif as_json:
        print_json({"matching": len(found), "uploads": [asdict(each) for each in shown]})
    else:
        print_long(open_list_console(), _list(shown, offset, len(found)))


def _list(shown: Sequence["FoundUpload"], offset: int, matching: int) -> list[RenderableType]:
    table = Table(
        unbroken_column("upload id"),
        *map(whole_column, ("file", "state", "received", "recognised as, or why there is no answer")),
    )
    for each in shown:
        words = (each.file_name, word_of(each.state), _moment(each.received), each.failure or each.recognised)
        table.add_row(each.id, *map(printable, words))
    counts = f"{counted(matching, 'upload')}. {range_of(len(shown), offset, matching)}".strip()
    hints = [_DAEMON] if any(each.state in (_UNSEEN, "waiting") for each in shown) else []
    return [*([table] if shown else []), counts, *hints]


def _show_upload(library: Library, found: "FoundUpload", *, as_json: bool) -> None:
    from mfcc_assets.pipeline.nearness import with_nearness
    from mfcc_assets.pipeline.upload_view import upload_with_id

    if not found.id:
        if as_json:
            print_json(asdict(found))
        else:
            console = open_console()
            console.print(f"{printable(found.file_name)}: it came {_moment(found.received)}, and was not seen yet.")
            console.print(_DAEMON)
        return
    record = upload_with_id(library, UploadId(found.id))
    if found.state == "ranked" and not record["recommendations"]:
        from mfcc_assets.pipeline.lost_tables import check_tables

        check_tables(library)
    if as_json:
        print_json(record)
        return
    console = open_console()
    recognised = found.recognised and f", recognised as {found.recognised} ({record['recognised']['by']})"
    console.print(printable(f"{found.file_name}: {word_of(found.state)}{recognised}"))
    console.print(f"Upload {found.id}, received {_moment(found.received)}.")
    for failed in record["recognition_failures"]:
        console.print(labelled_line("no answer", f"{failed['by']}: {failed['reason']}"))
    if found.failure:
        console.print(labelled_line("failed", found.failure))
    rows: list[dict[str, Any]] = record["recommendations"]
    if rows:
        rows = with_nearness(library, rows, record["index_version"])
        console.print(recommendations_table(rows, [row["title"] for row in rows], console))
        console.print(f"From index {record['index_version']}.")
    elif found.state == "ranked":
        console.print(f"Index {record['index_version']} has no track to recommend.")
    elif found.state == "waiting":
        console.print(_DAEMON)


def word_of(state: str) -> str:
    """Return the word for a state of uploads that a listener understands."""
    return _WORDS.get(state, _AT_WORK)


def _moment(received: str) -> str:
    return f"{datetime.fromisoformat(received).astimezone():%Y-%m-%d %H:%M:%S}"
