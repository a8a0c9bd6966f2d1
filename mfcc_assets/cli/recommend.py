"""`mfcc recommend`: recommend the soundtracks that sound most like a file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from mfcc_assets.cli.console import json_option, labelled_line, open_console, print_json
from mfcc_assets.cli.input_files import NamedPath, readable_file
from mfcc_assets.cli.nearness import NEARNESS_COLUMNS, nearness_cells, track_id_column
from mfcc_assets.cli.playlist_output import export_options, write_export
from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.storage.blobs.plain_path import plain_path
from mfcc_assets.texts import printable


@click.command()
@click.argument("file", type=NamedPath(), callback=readable_file)
@click.option(
    "--top", "count", type=click.IntRange(min=1), help="Number of recommendations; by default MFCC_RECOMMENDATIONS."
)
@click.option("--exact", is_flag=True, help="Prove the answer by comparing with the whole library.")
@click.option("--without-versions", is_flag=True, help="Leave out other performances of the piece in FILE.")
@json_option
@export_options
@click.pass_obj
def recommend(
    library: Library,
    file: Path,
    count: int | None,
    exact: bool,
    without_versions: bool,
    as_json: bool,
    export: Path | None,
    relative: bool,
) -> None:
    """Recommend the tracks of the library that sound most like FILE."""
    # The file is decoded while everything else is imported.
    from mfcc_assets.pipeline.recommend_file import recommend_file

    with plain_path(file) as path:
        answer = recommend_file(library, path, count=count, exact=exact, without_versions=without_versions)
    from mfcc_assets.evaluation.metrics import EVALUATED_COUNT
    from mfcc_assets.pipeline.nearness import nearness_record

    # The recall of longer lists is not measured.
    wanted = count or library.settings.recommendations
    recall = answer.recall if wanted <= EVALUATED_COUNT else None
    if export is not None:
        tracks = [answer.soundtracks[recommendation.track_id] for recommendation in answer.recommendations]
        write_export(library, export, f"Like {shown_name(file.name)}", tracks, relative=relative)
    recognised = answer.recognised
    rows = [
        {
            "rank": recommendation.rank,
            "track_id": recommendation.track_id,
            "title": answer.soundtracks[recommendation.track_id].title,
            "artist": answer.soundtracks[recommendation.track_id].artist,
            "distance": recommendation.distance,
            **nearness_record(nearness),
        }
        for recommendation, nearness in zip(answer.recommendations, answer.nearness, strict=True)
    ]
    if as_json:
        who = recognised and {"title": recognised.title, "artist": recognised.artist, "by": recognised.by}
        record = {
            "query": shown_name(str(file)),
            "recognised": who,
            "recognition_failures": [asdict(failure) for failure in answer.failures],
            "index_version": answer.index_version,
            "indexed_tracks": answer.coverage.indexed,
            "library_tracks": answer.coverage.expected,
            "certified": answer.certified,
            "recall": recall,
            "dtw_cells": answer.dtw_cells,
            "recommendations": rows,
        }
        print_json(record)
        return
    console = open_console()
    known_as = f"{recognised.title} by {recognised.artist or 'unknown'} ({recognised.by})" if recognised else "unknown"
    console.print(f"{shown_name(file.name)}: {printable(known_as)}")
    for failure in answer.failures:
        console.print(labelled_line("no answer", f"{failure.by}: {failure.reason}"))
    if rows:
        titles = [
            answer.soundtracks[recommendation.track_id].display_title for recommendation in answer.recommendations
        ]
        console.print(recommendations_table(rows, titles, console))
    else:
        console.print(
            f"Index {answer.index_version} has no track to recommend. `mfcc library` shows what the library holds."
        )
    if answer.coverage.is_partial:
        console.print(f"From {answer.coverage} so far.")
    if answer.certified and rows:
        console.print(
            f"Certified: the tracks that this list is chosen from are the nearest of index {answer.index_version}."
        )


def recommendations_table(rows: Sequence[Mapping[str, Any]], titles: Sequence[str], console: Console) -> Table:
    """Make a table of recommendations.

    Parameters
    ----------
    rows
        The rows of the JSON of `mfcc recommend`.
    titles
        Title of each row as it is shown.
    console
        Console for which the table is made.
    """
    ids = track_id_column(console)
    table = Table("rank", "title", "artist", *NEARNESS_COLUMNS, *ids)
    for row, title in zip(rows, titles, strict=True):
        names = printable(title), printable(row["artist"])
        table.add_row(str(row["rank"]), *names, *nearness_cells(row), *([row["track_id"]] if ids else []))
    return table
