"""`mfcc recommend`: recommend the soundtracks that sound most like a file."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from mfcc_assets.cli.console import json_option, labelled_line, open_console, print_json
from mfcc_assets.cli.input_files import NamedPath, readable_file
from mfcc_assets.cli.playlist_output import export_option, print_export
from mfcc_assets.evaluation.metrics import EVALUATED_COUNT
from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.storage.blobs.plain_path import plain_path
from mfcc_assets.texts import printable

if TYPE_CHECKING:
    from mfcc_assets.pipeline.answer import Answer


@click.command()
@click.argument("file", type=NamedPath(), callback=readable_file)
@click.option(
    "--top", "count", type=click.IntRange(min=1), help="Number of recommendations; by default MFCC_RECOMMENDATIONS."
)
@click.option("--exact", is_flag=True, help="Prove the answer by comparing with the whole library.")
@click.option("--without-versions", is_flag=True, help="Leave out other performances of the piece in FILE.")
@json_option
@export_option
@click.pass_obj
def recommend(
    library: Library,
    file: Path,
    count: int | None,
    exact: bool,
    without_versions: bool,
    as_json: bool,
    export: Path | None,
) -> None:
    """Analyse FILE and recommend the soundtracks of the library that sound most like it."""
    from mfcc_assets.pipeline.answer import recommend_file
    from mfcc_assets.pipeline.playlists import export_playlist

    wanted = count or library.settings.recommendations
    with plain_path(file) as path:
        answer = recommend_file(library, path, count=wanted, exact=exact, without_versions=without_versions)
    # The recall of longer lists is not measured.
    recall = answer.recall if wanted <= EVALUATED_COUNT else None
    if export is not None:
        tracks = [answer.soundtracks[recommendation.track_id] for recommendation in answer.recommendations]
        export_playlist(library, export, f"Like {shown_name(file.name)}", tracks)
    recognised = answer.recognised
    rows = [
        {
            "rank": recommendation.rank,
            "track_id": recommendation.track_id,
            "title": answer.soundtracks[recommendation.track_id].title,
            "artist": answer.soundtracks[recommendation.track_id].artist,
            "distance": recommendation.distance,
        }
        for recommendation in answer.recommendations
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
    console.print(recommendations_table(rows))
    if answer.coverage.is_partial:
        console.print(f"From {answer.coverage} so far.")
    console.print(_assurance(answer, wanted, recall))
    if export is not None:
        print_export(library, export, console)


def _assurance(answer: "Answer", wanted: int, recall: float | None) -> str:
    if not answer.recommendations:
        return f"Index {answer.index_version} has no track to recommend. `mfcc library` shows what the library holds."
    if answer.certified:
        return f"Certified: the tracks that this list is chosen from are the nearest of index {answer.index_version}."
    if recall is None:
        return f"Not certified. The recall of index {answer.index_version} for {wanted} tracks was not measured."
    found = f"index {answer.index_version} finds {recall:.1%} of the {EVALUATED_COUNT} nearest tracks"
    return f"Not certified: {found}. --exact proves an answer."


def recommendations_table(rows: list[dict[str, Any]]) -> Table:
    """Make a table of recommendations; the rows are those of the JSON of `mfcc recommend`."""
    table = Table("rank", "title", "artist", "distance", "track id")
    for row in rows:
        title, artist = printable(row["title"]), printable(row["artist"])
        table.add_row(str(row["rank"]), title, artist, f"{row['distance']:.3f}", row["track_id"])
    return table
