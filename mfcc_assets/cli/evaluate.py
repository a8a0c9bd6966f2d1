"""`mfcc evaluate`: measure the rankings on labelled music."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from mfcc_assets.cli.console import labelled_line, open_console, progress_bar
from mfcc_assets.cli.input_files import NamedPath, readable_file
from mfcc_assets.library import Library

if TYPE_CHECKING:
    from mfcc_assets.evaluation.labelled import AnalysedTracks, LabelledSet, Progress
    from mfcc_assets.evaluation.scores import Scores

_FIGURES = {
    "p_at_1": "P@1",
    "p_at_5": "P@5",
    "hit_at_5": "hit@5",
    "hub_skewness": "hub skewness",
    "largest_count": "largest",
    "never_recommended": "never",
    "map_work": "MAP of works",
    "p_at_5_kept": "P@5 kept",
}


@click.command()
@click.option(
    "--manifest",
    required=True,
    type=NamedPath(),
    callback=readable_file,
    help="CSV with the columns path, artist, source and, if known, work.",
)
@click.option(
    "--audio",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder that the paths are relative to.",
)
@click.option(
    "--ranking", "rankings", multiple=True, default=["all"], help="Ranking to measure; may be repeated. By default all."
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write the figures to, as JSON.",
)
@click.option("--reencode", "reencoded", is_flag=True, help="Measure again after every track was re-encoded.")
@click.option(
    "--recognition",
    "with_recognition",
    is_flag=True,
    help="Measure how surely cut, faded and padded tracks are recognised. This takes minutes.",
)
@click.pass_obj
def evaluate(
    library: Library,
    manifest: Path,
    audio: Path,
    rankings: tuple[str, ...],
    json_file: Path | None,
    reencoded: bool,
    with_recognition: bool,
) -> None:
    """Measure on labelled music how often tracks recommend others of the same artist, and of the same work.

    The label of a track is its artist, or its source if it has no artist. Every track whose label belongs to at least
    three tracks is a query; all tracks can be recommended. The library is not changed.
    """
    from mfcc_assets.compute.local import on_all_cores
    from mfcc_assets.evaluation.manifest import read_manifest
    from mfcc_assets.evaluation.scores import names_to_evaluate, score_rankings
    from mfcc_assets.pipeline.quality import labelled_set

    names = names_to_evaluate(rankings)
    labelled = labelled_set(library, audio, read_manifest(manifest))
    console = open_console()
    with _progress(console, "Analysing tracks") as progress:
        analysed = labelled.analyse(progress)
    with _progress(console, "Scoring rankings") as progress:
        scores = score_rankings(analysed, names, labelled.parameters, progress, on_all_cores)
    for path, why in analysed.rejected.items():
        console.print(labelled_line("left out", f"{path}: {why}"))
    report: dict[str, Any] = {
        "tracks": len(analysed.tracks),
        "rankings": {name: asdict(figures) for name, figures in scores.items()},
        "rejected": analysed.rejected,
    }
    console.print(_table(f"{len(analysed.tracks)} tracks, {len(analysed.rejected)} left out", report["rankings"]))
    if reencoded:
        report["reencoded"] = _reencoded(console, labelled, analysed, scores)
    if with_recognition:
        report["recognition"] = _recognition(console, labelled, analysed)
    if json_file:
        json_file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _reencoded(
    console: Console, labelled: "LabelledSet", analysed: "AnalysedTracks", scores: Mapping[str, "Scores"]
) -> dict[str, Any]:
    """Measure the re-encoded tracks, print the figures, and return them for the JSON."""
    from mfcc_assets.compute.local import on_all_cores
    from mfcc_assets.evaluation.chains import one_chain
    from mfcc_assets.evaluation.robustness import find_own_tracks, share_kept
    from mfcc_assets.evaluation.scores import score_rankings

    with _progress(console, "Re-encoding and analysing tracks") as progress:
        again = labelled.analyse(progress, one_chain)
    with _progress(console, "Scoring rankings of re-encoded tracks") as progress:
        scores_again = score_rankings(again, list(scores), labelled.parameters, progress, on_all_cores)
    with _progress(console, "Recognising re-encoded excerpts") as progress:
        found = find_own_tracks(labelled, analysed, progress)
    figures = {
        name: {**asdict(after), "p_at_5_kept": share_kept(scores[name], after)} for name, after in scores_again.items()
    }
    console.print(_table("re-encoded: 22.05 kHz, MP3 of 96 kbit/s, gain of up to ± 6 dB", figures))
    console.print(
        f"{found.queries} excerpts of 30 s, MP3 of 64 kbit/s: recognition finds the right track first for "
        f"{found.by_recognition:.1%}, the default ranking for {found.by_ranking:.1%}."
    )
    return {
        "tracks": len(again.tracks),
        "rankings": figures,
        "own_track_queries": found.queries,
        "own_track_first": found.by_recognition,
        "own_track_first_by_ranking": found.by_ranking,
    }


def _recognition(console: Console, labelled: "LabelledSet", analysed: "AnalysedTracks") -> dict[str, Any]:
    """Try to recognise changed tracks, print the figures, and return them for the JSON."""
    from mfcc_assets.evaluation.recognition_trials import try_recognition

    with _progress(console, "Recognising changed tracks") as progress:
        trials = try_recognition(labelled, analysed, progress)
    table = Table(
        "query",
        "queries",
        "own track first",
        "another track, without its own",
        title="Recognition of parts, MP3 of 64 kbit/s",
    )
    for name, trial in trials.items():
        table.add_row(name, str(trial.queries), f"{trial.own_track_first:.1%}", f"{trial.another_track:.1%}")
    console.print(table)
    return {name: asdict(trial) for name, trial in trials.items()}


@contextmanager
def _progress(console: Console, what: str) -> Iterator["Progress"]:
    with progress_bar(console) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _table(title: str, figures: Mapping[str, Mapping[str, float | None]]) -> Table:
    columns = [name for name in _FIGURES if any(name in of_ranking for of_ranking in figures.values())]
    table = Table("ranking", title=title)
    for name in columns:
        table.add_column(_FIGURES[name], justify="right")
    for ranking, of_ranking in figures.items():
        table.add_row(ranking, *(_written(of_ranking[name]) for name in columns))
    return table


def _written(figure: float | None) -> str:
    if figure is None:
        return ""
    return str(figure) if isinstance(figure, int) else f"{figure:.3f}"
