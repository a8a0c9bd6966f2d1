"""`mfcc evaluate`: measure the rankings on labelled music."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from mfcc_assets.cli.console import labelled_line, open_console, progress_bar
from mfcc_assets.cli.input_files import NamedPath, readable_file
from mfcc_assets.library import Library

if TYPE_CHECKING:
    from mfcc_assets.evaluation.labelled import AnalysedTracks, LabelledSet, Progress
    from mfcc_assets.evaluation.scores import Scores


@click.command()
@click.option(
    "--manifest",
    required=True,
    type=NamedPath(),
    callback=readable_file,
    help="CSV with the columns path, artist and, if known, source, work and album.",
)
@click.option(
    "--audio",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder that the paths are relative to.",
)
@click.option(
    "--ranking",
    "rankings",
    multiple=True,
    default=["all"],
    help="Ranking to measure; may be repeated. By default all, but few of them in smaller and mixed libraries.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write the figures to, as JSON.",
)
@click.option(
    "--reencode",
    "reencoded",
    is_flag=True,
    help="Measure mixed libraries too, in which some or all tracks were re-encoded. This takes minutes.",
)
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
    """Measure the recommendations on labelled music.

    The figures say how often tracks recommend others of the same artist, and of the same work.

    The label of a track is its artist, or its source if it has no artist. Every track whose label belongs to at least
    three tracks is a query; all tracks can be recommended. The library is not changed.

    The figure to compare is the one that is printed last: P@5 in mixed libraries, where half of the tracks are
    re-encoded. It needs --reencode.
    """
    from mfcc_assets.evaluation.manifest import read_manifest
    from mfcc_assets.evaluation.scores import names_to_evaluate, names_to_evaluate_in_draws
    from mfcc_assets.pipeline.quality import labelled_set

    if json_file:
        # A measurement can take an hour, so a place that cannot be written is found before it.
        json_file.open("a", encoding="utf-8").close()
    names = names_to_evaluate(rankings)
    labelled = labelled_set(library, audio, read_manifest(manifest))
    report = _Evaluation(open_console(), labelled, names, names_to_evaluate_in_draws(rankings))
    report.as_they_are()
    if reencoded:
        report.reencoded()
    if with_recognition:
        report.recognition()
    report.headline()
    if json_file:
        json_file.write_text(json.dumps(report.figures, indent=1) + "\n", encoding="utf-8")


class _Evaluation:
    """The steps of an evaluation. Each prints its tables as soon as they are ready."""

    def __init__(self, console: Console, labelled: "LabelledSet", names: list[str], names_in_draws: list[str]) -> None:
        self._console, self._labelled, self._names, self._names_in_draws = console, labelled, names, names_in_draws
        with self._progress("Analysing tracks") as progress:
            self._analysed = labelled.analyse(progress)
        with self._progress("Reading properties of files") as progress:
            self._properties = labelled.file_properties(self._analysed.tracks, progress)
        for path, why in self._analysed.rejected.items():
            console.print(labelled_line("left out", f"{path}: {why}"))
        self.figures: dict[str, Any] = {"tracks": len(self._analysed.tracks), "rejected": self._analysed.rejected}
        self._scores: dict[str, Scores] = {}

    def as_they_are(self) -> None:
        """Measure the tracks as they are: all of them, without answers of the query's source, and fewer of them."""
        from mfcc_assets.cli.evaluation_tables import other_sources_table, scores_table, size_table
        from mfcc_assets.evaluation.library_sizes import score_sizes
        from mfcc_assets.evaluation.manifest import labels_of
        from mfcc_assets.evaluation.metrics import query_counts
        from mfcc_assets.evaluation.other_sources import score_other_sources
        from mfcc_assets.evaluation.scores import scores_of

        tracks, rejected = self._analysed.tracks, self._analysed.rejected
        ranked = self._ranked("Ranking tracks", self._analysed, self._names)
        self._scores = scores_of(ranked, tracks)
        some = next(iter(ranked.values()))
        labels = labels_of([track for track in tracks if track.path in some])
        queries, of_labels = query_counts(labels)
        self.figures |= {"queries": queries, "labels": of_labels}
        self.figures["rankings"] = {name: asdict(scores) for name, scores in self._scores.items()}
        title = f"{len(tracks)} tracks, {len(rejected)} left out; {queries} queries of {of_labels} labels"
        self._console.print(scores_table(title, self.figures["rankings"]))
        found = {}
        with self._progress("Leaving out answers of the query's source") as progress:
            for name, lists in ranked.items():
                found[name] = asdict(score_other_sources(lists, tracks, self._properties))
                progress(len(found), len(ranked))
        self.figures["other_sources"] = found
        self._console.print(other_sources_table(found))
        sizes = self.figures["library_sizes"] = {}
        with self._progress("Ranking libraries of several sizes") as progress:
            for size, scores in score_sizes(
                self._analysed,
                self._names_in_draws,
                self._properties,
                self._labelled.parameters,
                progress,
                self._labelled.for_each,
            ):
                sizes[str(size)] = asdict(scores)
                self._console.print(size_table(size, scores))

    def reencoded(self) -> None:
        """Measure the tracks after re-encoding: all of them, and mixed with tracks as they are."""
        from mfcc_assets.cli.evaluation_tables import mixed_table, scores_table
        from mfcc_assets.evaluation.chains import REENCODINGS
        from mfcc_assets.evaluation.mixed import SHARES, score_mixed
        from mfcc_assets.evaluation.robustness import find_own_tracks, share_kept
        from mfcc_assets.evaluation.scores import FILE, scores_of

        self.figures["mixed"] = {}
        for name, way in REENCODINGS.items():
            with self._progress(f"Re-encoding and analysing tracks: {way.description}") as progress:
                again = self._labelled.analyse(progress, way.chain_of)
            if "reencoded" not in self.figures:
                # The chain gives all files the same properties.
                names = [ranking for ranking in self._names if ranking != FILE]
                scores = scores_of(self._ranked("Ranking re-encoded tracks", again, names), again.tracks)
                with self._progress("Recognising re-encoded excerpts") as progress:
                    found = find_own_tracks(self._labelled, self._analysed, progress)
                self.figures["reencoded"] = {
                    "tracks": len(again.tracks),
                    "rankings": {
                        ranking: {
                            **asdict(after),
                            "p_at_5_kept": share_kept(self._scores[ranking].p_at_5, after.p_at_5),
                        }
                        for ranking, after in scores.items()
                    },
                    "own_track_queries": found.queries,
                    "own_track_first": found.by_recognition,
                    "own_track_first_by_ranking": found.by_ranking,
                }
                self._console.print(
                    scores_table(f"all tracks re-encoded: {way.description}", self.figures["reencoded"]["rankings"])
                )
                self._console.print(
                    f"{found.queries} excerpts of 30 s, MP3 of 64 kbit/s: recognition finds the right track first for "
                    f"{found.by_recognition:.1%}, the default ranking for {found.by_ranking:.1%}."
                )
            of_chain = self.figures["mixed"][name] = {}
            for share_name, share in SHARES.items():
                with self._progress(f"Ranking mixed libraries, {share:.0%} re-encoded") as progress:
                    mixed = score_mixed(
                        self._analysed,
                        again,
                        way.state_of,
                        share,
                        self._names_in_draws,
                        self._labelled.parameters,
                        progress,
                        self._labelled.for_each,
                    )
                of_chain[share_name] = {ranking: asdict(scores) for ranking, scores in mixed.items()}
                self._console.print(mixed_table(f"{share:.0%} of the tracks re-encoded: {way.description}", mixed))

    def recognition(self) -> None:
        """Try to recognise changed tracks."""
        from mfcc_assets.cli.evaluation_tables import recognition_table
        from mfcc_assets.evaluation.recognition_trials import try_recognition

        with self._progress("Recognising changed tracks") as progress:
            trials = try_recognition(self._labelled, self._analysed, progress)
        self.figures["recognition"] = {name: asdict(trial) for name, trial in trials.items()}
        self._console.print(recognition_table(trials))

    def headline(self) -> None:
        """Print the figure by which rankings should be compared."""
        from mfcc_assets.cli.evaluation_tables import headline
        from mfcc_assets.ranking_names import DEFAULT_RANKING

        ranking = DEFAULT_RANKING if DEFAULT_RANKING in self._names_in_draws else self._names_in_draws[0]
        mixed = self.figures.get("mixed", {}).get("one_chain", {}).get("half", {}).get(ranking)
        self.figures["headline"] = {"ranking": ranking, **mixed["all_queries"]} if mixed else None
        self._console.print(headline(self.figures["headline"]))

    def _ranked(self, what: str, analysed: "AnalysedTracks", names: list[str]) -> dict[str, dict[str, list[str]]]:
        from mfcc_assets.evaluation.metrics import without_copies
        from mfcc_assets.evaluation.scores import rank_tracks
        from mfcc_assets.similarity.pairwise import Tracks

        tracks = Tracks.of(analysed.track_features, self._labelled.parameters)
        paths = [track.path for track in analysed.tracks]
        ranked = {}
        with self._progress(what) as progress:
            for name, lists in rank_tracks(tracks, paths, names, self._properties, self._labelled.for_each):
                ranked[name] = without_copies(lists, analysed.recordings)
                progress(len(ranked), len(names))
        return ranked

    @contextmanager
    def _progress(self, what: str) -> Iterator["Progress"]:
        with progress_bar(self._console) as bar:
            task = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
