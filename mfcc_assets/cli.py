"""The `mfcc` command: add music, see what is in the library, ask for recommendations."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mfcc_assets.commands.console import open_console, progress_bar
from mfcc_assets.commands.database import database
from mfcc_assets.commands.evaluate import evaluate
from mfcc_assets.commands.explain import explain
from mfcc_assets.commands.index import index
from mfcc_assets.commands.path import path
from mfcc_assets.commands.playing import export_option
from mfcc_assets.commands.playlist import playlist
from mfcc_assets.commands.purge import purge
from mfcc_assets.core.errors import MfccError
from mfcc_assets.core.evaluation import EVALUATED_PLACES
from mfcc_assets.launch import check_succeeded, command_line_lock, running_library_job
from mfcc_assets.library import Library
from mfcc_assets.stores.records import Soundtrack

if TYPE_CHECKING:
    from mfcc_assets.stages.answering import Answer

_POLL_SECONDS = 0.2


class _MfccGroup(click.Group):
    """Errors that a reader can act on are told in their own words, without a stack trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MfccError as error:
            raise click.ClickException(str(error)) from error
        except ValidationError as error:
            wrong = [f"MFCC_{str(fault['loc'][0]).upper()}: {fault['msg']}." for fault in error.errors()]
            raise click.ClickException("\n".join(wrong)) from error


@click.group(cls=_MfccGroup)
@click.version_option(package_name="mfcc-assets")
@click.pass_context
def main(context: click.Context) -> None:
    """Music recommendation from the audio itself.

    The library lies in the folder that MFCC_HOME names, by default mfcc_data.
    """
    context.obj = context.with_resource(Library())


main.add_command(database)
main.add_command(evaluate)
main.add_command(explain)
main.add_command(index)
main.add_command(path)
main.add_command(playlist)
main.add_command(purge)


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.pass_obj
def add(library: Library, paths: tuple[Path, ...]) -> None:
    """Add files or folders to the library, and bring its recommendations up to date."""
    from mfcc_assets.stages.adding import Addition, add_files

    console = open_console()
    addition = Addition()
    with command_line_lock(library.settings) as lock:
        with progress_bar(console) as progress:
            task = progress.add_task("Copying files", total=None)
            for addition in add_files(library, paths):  # noqa: B007  the last one tells the outcome
                progress.advance(task)
        console.print(
            f"{len(addition.added)} added, {len(addition.replaced)} replaced, "
            f"{len(addition.already_there)} already there, "
            f"{len(addition.passed_over)} passed over (covers, playlists, hidden files)"
        )
        for file in addition.unreadable:
            console.print(f"[red]unreadable[/] {escape(str(file))}")
        bring_up_to_date(library, console, lock)
    names = {*addition.added, *addition.replaced, *addition.already_there}
    for reject in library.tables.rejects():
        if reject.blob_name in names:
            console.print(f"[red]rejected[/] {escape(reject.reason)}")
    console.print(f"{_counts(library.tables.soundtracks())}; index {library.indexes.published_version()} answers.")


@main.command(name="library")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.pass_obj
def show_library(library: Library, as_json: bool) -> None:
    """Show what is in the library, with state and rejects."""
    from mfcc_assets.stages.reporting import describe_library, outstanding_work

    report = describe_library(library)
    outstanding = outstanding_work(library)
    if as_json:
        listing = {
            "soundtracks": [{**asdict(track), "state": track.state} for track in report.soundtracks],
            "rejects": [asdict(reject) for reject in report.rejects],
            "duplicates": report.duplicates,
            "outstanding": outstanding,
        }
        click.echo(json.dumps(listing, indent=1))
        return
    console = open_console()
    table = Table("track id", "title", "artist", "length", "state", "note", title=f"{library.settings.folder}")
    for track in report.soundtracks:
        cells = (track.track_id, track.title, track.artist, _length(track.seconds), track.state, track.note)
        table.add_row(*map(escape, cells))
    console.print(table)
    console.print(_counts(report.soundtracks))
    for names in report.duplicates:
        console.print(f"the same audio: {escape(', '.join(names))}")
    for reject in report.rejects:
        console.print(f"[red]rejected[/] {reject.container}: {escape(reject.reason)}")
    if outstanding:
        console.print(f"{len(outstanding)} changes wait for a run, the first: {escape(outstanding[0])}")


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--top", "size", type=click.IntRange(min=1), help="How many; by default as the settings say.")
@click.option("--exact", is_flag=True, help="Prove the answer: compare with the whole library where a bound does not.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@export_option
@click.pass_obj
def recommend(library: Library, file: Path, size: int | None, exact: bool, as_json: bool, export: Path | None) -> None:
    """Analyse FILE and recommend the soundtracks of the library that sound most like it."""
    from mfcc_assets.stages.answering import recommend_file
    from mfcc_assets.stages.exporting import export_playlist

    wanted = size or library.settings.recommendations
    answer = recommend_file(library, file, size=wanted, exact=exact)
    recall = answer.recall if wanted <= EVALUATED_PLACES else None  # nothing is measured of longer lists
    if export is not None:
        tracks = [answer.soundtracks[place.track_id] for place in answer.recommendations]
        export_playlist(library, export, f"Like {file.name}", tracks)
    recognised = answer.recognised
    rows = [
        {
            "rank": place.rank,
            "track_id": place.track_id,
            "title": answer.soundtracks[place.track_id].title,
            "artist": answer.soundtracks[place.track_id].artist,
            "distance": place.distance,
        }
        for place in answer.recommendations
    ]
    if as_json:
        who = recognised and {"title": recognised.title, "artist": recognised.artist, "by": recognised.by}
        record = {
            "query": str(file),
            "recognised": who,
            "recognition_failures": [asdict(failure) for failure in answer.failures],
            "index_version": answer.index_version,
            "certified": answer.certified,
            "recall": recall,
            "recommendations": rows,
        }
        click.echo(json.dumps(record, indent=1))
        return
    console = open_console()
    known_as = f"{recognised.title} by {recognised.artist or 'unknown'} ({recognised.by})" if recognised else "unknown"
    console.print(f"{escape(file.name)}: {escape(known_as)}")
    for failure in answer.failures:
        console.print(f"[red]not asked[/] {escape(failure.by)}: {escape(failure.reason)}")
    console.print(recommendations_table(rows))
    console.print(_assurance(answer, wanted, recall))


def _assurance(answer: "Answer", wanted: int, recall: float | None) -> str:
    if answer.certified:
        return f"Certified: the nearest tracks of index {answer.index_version}, but for those that a list leaves out."
    if recall is None:
        of_nearest = f"of the {wanted} nearest tracks index {answer.index_version} finds"
        return f"Not certified; how many {of_nearest} was not measured."
    finds = f"index {answer.index_version} finds {recall:.1%} of the {EVALUATED_PLACES} nearest tracks"
    return f"Not certified: {finds}. --exact proves an answer."


def recommendations_table(rows: list[dict[str, Any]]) -> Table:
    """Recommendations as a person reads them; rows as in the JSON of `mfcc recommend`."""
    table = Table("rank", "title", "artist", "distance", "track id")
    for row in rows:
        title, artist = escape(row["title"]), escape(row["artist"])
        table.add_row(str(row["rank"]), title, artist, f"{row['distance']:.3f}", row["track_id"])
    return table


def bring_up_to_date(library: Library, console: Console, lock: IO[bytes]) -> None:
    """Run the library job with a progress bar.

    Raises
    ------
    RunFailed
        The run did not succeed.
    """
    with progress_bar(console) as progress:
        task = progress.add_task("Starting a Dagster run", total=None)
        with running_library_job(library.settings, lock) as process:
            while process.poll() is None:
                done, total = library.tables.progress()
                if total:
                    description = "Analysing soundtracks" if done < total else "Indexing, ranking, publishing"
                    progress.update(task, description=description, completed=done, total=total)
                time.sleep(_POLL_SECONDS)
            check_succeeded(process, library.settings)


def _counts(soundtracks: Sequence[Soundtrack]) -> str:
    states = Counter(track.state for track in soundtracks)
    each = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return f"{len(soundtracks)} soundtracks: {each}" if each else "no soundtracks"


def _length(seconds: float | None) -> str:
    return "" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02}"
