"""The tables and lines that `mfcc evaluate` prints."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.table import Table

from mfcc_assets.ranking_names import DEFAULT_RANKING

if TYPE_CHECKING:
    from mfcc_assets.evaluation.library_sizes import SizeScores
    from mfcc_assets.evaluation.mixed import MixedScores
    from mfcc_assets.evaluation.recognition_trials import Trial

_FIGURES = {
    "p_at_1": "P@1",
    "p_at_5": "P@5",
    "p_at_5_over_labels": "over labels",
    "above_default": f"above {DEFAULT_RANKING}",
    "hit_at_5": "hit@5",
    "hub_skewness": "hub skewness",
    "largest_count": "largest",
    "never_recommended": "never",
    "map_work": "MAP of works",
    "p_at_5_kept": "P@5 kept",
}
"""Column of each figure. A figure with an interval is followed by it."""

_PARTS = {
    "other_albums": "other albums",
    "other_packages": "other packages",
    "unlike_files": "unlike files",
    "thinned": "as many thinned at random",
}


def scores_table(title: str, figures: Mapping[str, Mapping[str, float | None]]) -> Table:
    """Return a table of rankings with the figures of `mfcc_assets.evaluation.scores.Scores`."""
    columns = [name for name in _FIGURES if any(name in of_ranking for of_ranking in figures.values())]
    table = Table("ranking", title=title)
    for name in columns:
        table.add_column(_FIGURES[name], justify="right")
    for ranking, of_ranking in figures.items():
        table.add_row(ranking, *(_with_interval(of_ranking, name) for name in columns))
    return table


def other_sources_table(figures: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Table:
    """Return a table of P@5 without answers that share a source with the query."""
    counts = next(iter(figures.values()))
    table = Table("ranking", title="P@5 without answers that share a source with the query")
    for name, column in _PARTS.items():
        queries, labels = counts[name]["queries"], counts[name]["labels"]
        table.add_column(f"{column}: {queries} queries of {labels} labels", justify="right")
    for ranking, of_ranking in figures.items():
        table.add_row(ranking, *(_with_interval(of_ranking[name], "p_at_5") for name in _PARTS))
    return table


def size_table(size: int, scores: "SizeScores") -> Table:
    """Return a table of rankings in libraries of one size."""
    title = (
        f"{size} tracks: {scores.draws} draws, on average {scores.queries:.0f} queries of {scores.labels:.0f} labels"
    )
    table = Table("ranking", title=title)
    for column in ("P@5", f"draws with {DEFAULT_RANKING} above", "below"):
        table.add_column(column, justify="right")
    for ranking, p_at_5 in scores.p_at_5.items():
        draws = (scores.draws_above.get(ranking), scores.draws_below.get(ranking))
        table.add_row(ranking, _written(p_at_5), *map(_written, draws))
    return table


def mixed_table(title: str, figures: Mapping[str, "MixedScores"]) -> Table:
    """Return a table of rankings in mixed libraries."""
    table = Table("ranking", title=title)
    parts = [
        ("", [scores.all_queries for scores in figures.values()]),
        ("re-encoded queries: ", [scores.reencoded_queries for scores in figures.values()]),
    ]
    for prefix, found in parts:
        counts = found[0].precision
        table.add_column(f"{prefix}P@5 of {counts.queries} queries of {counts.labels} labels", justify="right")
        for column in ("same coding", "by chance"):
            table.add_column(f"{prefix}{column}", justify="right")
    for row, ranking in enumerate(figures):
        cells = [
            cell
            for _, found in parts
            for cell in (
                _with_interval(vars(found[row].precision), "p_at_5"),
                _written(found[row].same),
                _written(found[row].same_by_chance),
            )
        ]
        table.add_row(ranking, *cells)
    return table


def recognition_table(trials: Mapping[str, "Trial"]) -> Table:
    """Return a table of how surely changed tracks are recognised."""
    table = Table(
        "query",
        "queries",
        "own track first",
        "another track, without its own",
        title="Recognition of parts, MP3 of 64 kbit/s",
    )
    for name, trial in trials.items():
        table.add_row(name, str(trial.queries), f"{trial.own_track_first:.1%}", f"{trial.another_track:.1%}")
    return table


def headline(figures: Mapping[str, Any] | None) -> str:
    """Return a sentence with the figure by which rankings should be compared, or how it can be measured."""
    if figures is None:
        return "The figure to compare is P@5 in mixed libraries. The option --reencode measures it."
    precision = figures["precision"]
    if precision["p_at_5"] is None:
        return "Mixed libraries have no P@5, because no label belongs to three tracks."
    return (
        f"Mixed libraries, half of the tracks re-encoded: {figures['ranking']} has P@5 "
        f"{_with_interval(precision, 'p_at_5')}, and {figures['same']:.3f} of its answers have the query's own coding "
        f"({figures['same_by_chance']:.3f} by chance)."
    )


def _with_interval(figures: Mapping[str, float | None], name: str) -> str:
    low, high = (figures.get(f"{name}_{end}") for end in ("low", "high"))
    written = _written(figures[name])
    return f"{written} [{_written(low)}, {_written(high)}]" if low is not None and high is not None else written


def _written(figure: float | None) -> str:
    if figure is None:
        return ""
    return str(figure) if isinstance(figure, int) else f"{figure:.3f}"
