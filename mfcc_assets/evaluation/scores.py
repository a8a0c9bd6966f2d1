"""Scores of the rankings on a labelled set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.evaluation.labelled import AnalysedTracks, Progress
from mfcc_assets.evaluation.manifest import LabelledTrack, labels_of
from mfcc_assets.evaluation.metrics import (
    RankedIds,
    hubness,
    mean_average_precision,
    precision,
    random_distances,
    ranked_by,
    without_copies,
)
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.for_each import ForEach, in_turn
from mfcc_assets.ranking_names import PRESENT_NAMES
from mfcc_assets.similarity.pairwise import Comparison, Tracks, uncorrected_names
from mfcc_assets.similarity.rankings import RANKINGS, ranking_named

ALL = "all"
"""Name that selects every ranking."""

RANDOM = "random"
"""Name of the random ranking, which every other ranking must beat."""


@dataclass(frozen=True)
class Scores:
    """Figures of a ranking, with the names that the JSON of `mfcc evaluate` uses.

    Attributes
    ----------
    p_at_1, p_at_5, hit_at_5
        Figures of `mfcc_assets.evaluation.metrics.Precision`, or None if no label is common enough.
    hub_skewness, largest_count, never_recommended
        Figures of `mfcc_assets.evaluation.metrics.Hubness`.
    map_work
        Mean average precision of finding the same work, or None if no work has two tracks.
    """

    p_at_1: float | None
    p_at_5: float | None
    hit_at_5: float | None
    hub_skewness: float
    largest_count: int
    never_recommended: float
    map_work: float | None


def names_to_evaluate(names: Iterable[str]) -> list[str]:
    """Return the rankings to evaluate, without repetitions, and with the random ranking last.

    Raises
    ------
    UnknownRanking
        If there is no ranking with one of the names.

    Examples
    --------
    >>> names_to_evaluate(["dtw", "gaussian"])
    ['dtw', 'gaussian', 'random']
    """
    uncorrected = uncorrected_names(RANKINGS)
    expanded = [ranking for name in names for ranking in ([*RANKINGS, *uncorrected] if name == ALL else [name])]
    rankings = list(dict.fromkeys(PRESENT_NAMES.get(name, name) for name in expanded if name != RANDOM))
    for name in rankings:
        if name not in uncorrected:
            ranking_named(name)
    return [*rankings, RANDOM]


def scores_of(ranked: RankedIds[str], tracks: Sequence[LabelledTrack]) -> Scores:
    """Return the scores of a ranking.

    Parameters
    ----------
    ranked
        For each track, all other tracks, best first. Tracks are named by their paths.
    tracks
        These tracks with their labels. Others are left out.
    """
    tracks = [track for track in tracks if track.path in ranked]
    by_label = precision(ranked, labels_of(tracks))
    hubs = hubness(ranked)
    return Scores(
        p_at_1=by_label.at_1 if by_label else None,
        p_at_5=by_label.at_5 if by_label else None,
        hit_at_5=by_label.hit_at_5 if by_label else None,
        hub_skewness=hubs.skewness,
        largest_count=hubs.largest,
        never_recommended=hubs.never_recommended,
        map_work=mean_average_precision(ranked, {track.path: track.work for track in tracks if track.work}),
    )


def score_rankings(
    analysed: AnalysedTracks,
    rankings: Sequence[str],
    parameters: FeaturesParameters,
    on_progress: Progress,
    for_each: ForEach = in_turn,
) -> dict[str, Scores]:
    """Score rankings by the distances of all pairs of tracks, without any search. Copies of a recording count once.

    Parameters
    ----------
    analysed
        Tracks with their features.
    rankings
        Names from `names_to_evaluate`.
    parameters
        Parameters of the features.
    on_progress
        Called before each ranking.
    for_each
        Function that applies another function to many items: `in_turn`, or `mfcc_assets.compute.local.on_all_cores`.
    """
    comparison = Comparison(Tracks.of(analysed.track_features, parameters), for_each)
    uncorrected = uncorrected_names(RANKINGS)

    def distances_by(ranking: str) -> NDArray[np.float64]:
        if ranking == RANDOM:
            return random_distances(len(analysed.tracks))
        if ranking in uncorrected:
            return comparison.uncorrected(uncorrected[ranking])
        return comparison.by_ranking(ranking_named(ranking))

    names = [track.path for track in analysed.tracks]
    scores = {}
    for done, ranking in enumerate(rankings):
        on_progress(done, len(rankings))
        ranked = without_copies(ranked_by(distances_by(ranking), names), analysed.recordings)
        scores[ranking] = scores_of(ranked, analysed.tracks)
    return scores
