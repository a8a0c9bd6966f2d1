"""Libraries of several sizes: tracks of a labelled set that are drawn at random."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.file_properties import FileProperties
from mfcc_assets.evaluation.labelled import AnalysedTracks, Progress
from mfcc_assets.evaluation.manifest import labels_of
from mfcc_assets.evaluation.metrics import precision, query_counts
from mfcc_assets.evaluation.scores import RANDOM, RIVALS, rank_tracks
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.for_each import ForEach, in_turn
from mfcc_assets.ranking_names import DEFAULT_RANKING
from mfcc_assets.similarity.pairwise import Tracks

SIZES = (20, 50, 150, 300)
"""Numbers of tracks of the drawn libraries."""

DRAWS = 30
"""Number of drawn libraries of each size."""

_DRAWN_TRACKS_SQUARED = 15 * 300**2
"""Large libraries take longer and differ less from draw to draw, so fewer are drawn."""

_MOST_ATTEMPTS = 1_000


@dataclass(frozen=True)
class SizeScores:
    """Figures of libraries of one size.

    Attributes
    ----------
    draws
        Number of drawn libraries.
    queries, labels
        Number of queries and of labels with queries, on average over the draws.
    p_at_5
        Mean over the draws of the precision at five, by ranking.
    draws_above, draws_below
        Number of draws in which the default ranking has a larger, or a smaller, precision at five, by rival.
    """

    draws: int
    queries: float
    labels: float
    p_at_5: Mapping[str, float]
    draws_above: Mapping[str, int]
    draws_below: Mapping[str, int]


def score_sizes(
    analysed: AnalysedTracks,
    rankings: Iterable[str],
    properties: Mapping[str, FileProperties],
    parameters: FeaturesParameters,
    on_progress: Progress,
    for_each: ForEach = in_turn,
    sizes: Sequence[int] = SIZES,
    draws: int = DRAWS,
) -> Iterator[tuple[int, SizeScores]]:
    """Score rankings in libraries of several sizes. One file of each recording is used.

    Libraries without a query are not counted. Sizes of which no such library can be drawn are left out.

    Parameters
    ----------
    analysed
        Tracks with their features.
    rankings
        Names from `mfcc_assets.evaluation.scores.names_to_evaluate`. The default ranking and `RIVALS` are measured too.
    properties
        Properties of the file of each track.
    parameters
        Parameters of the features.
    on_progress
        Called after each draw.
    for_each
        Function that applies another function to many items: `in_turn`, or `mfcc_assets.compute.local.on_all_cores`.
    sizes
        Numbers of tracks.
    draws
        Largest number of drawn libraries of each size.

    Yields
    ------
    tuple
        A size and its figures.
    """
    names = list(dict.fromkeys([*(name for name in rankings if name != RANDOM), DEFAULT_RANKING, *RIVALS]))
    distinct = [
        row
        for row, track in enumerate(analysed.tracks)
        if analysed.recordings.get(track.path, track.path) == track.path
    ]
    tracks = Tracks.of(analysed.track_features, parameters).rows(np.array(distinct, dtype=np.int64))
    paths = [analysed.tracks[row].path for row in distinct]
    labels = labels_of([analysed.tracks[row] for row in distinct])
    drawn = {size: _drawn_libraries(paths, labels, size, draws) for size in sizes if size < len(paths)}
    done, total = 0, sum(map(len, drawn.values()))
    for size, libraries in drawn.items():
        measured, queries = [], []
        for rows in libraries:
            of_draw = [paths[row] for row in rows]
            of_labels = {path: labels[path] for path in of_draw if path in labels}
            found = {
                name: precision(lists, of_labels)
                for name, lists in rank_tracks(tracks.rows(rows), of_draw, names, properties, for_each)
            }
            queries.append(query_counts(of_labels))
            measured.append({name: figures.at_5 for name, figures in found.items() if figures})
            done += 1
            on_progress(done, total)
        if measured:
            yield size, _size_scores(measured, queries)


def _drawn_libraries(paths: Sequence[str], labels: Mapping[str, str], size: int, draws: int) -> list[NDArray[np.int64]]:
    """Draw libraries with at least one query. Their tracks keep their order, which looks random."""
    chance = np.random.default_rng(size)
    wanted = min(draws, max(1, _DRAWN_TRACKS_SQUARED // size**2))
    libraries: list[NDArray[np.int64]] = []
    for _ in range(_MOST_ATTEMPTS):
        rows = np.sort(chance.choice(len(paths), size, replace=False))
        of_rows = {paths[row]: labels[paths[row]] for row in rows if paths[row] in labels}
        if query_counts(of_rows)[0]:
            libraries.append(rows)
        if len(libraries) == wanted:
            break
    return libraries


def _size_scores(measured: Sequence[Mapping[str, float]], queries: Sequence[tuple[int, int]]) -> SizeScores:
    mean_queries, mean_labels = np.mean(queries, axis=0).tolist()
    return SizeScores(
        draws=len(measured),
        queries=mean_queries,
        labels=mean_labels,
        p_at_5={name: float(np.mean([of_draw[name] for of_draw in measured])) for name in measured[0]},
        draws_above={rival: sum(of_draw[DEFAULT_RANKING] > of_draw[rival] for of_draw in measured) for rival in RIVALS},
        draws_below={rival: sum(of_draw[DEFAULT_RANKING] < of_draw[rival] for of_draw in measured) for rival in RIVALS},
    )
