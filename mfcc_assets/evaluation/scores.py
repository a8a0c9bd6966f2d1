"""Scores of the rankings on a labelled set."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from mfcc_assets.audio.file_properties import FileProperties
from mfcc_assets.errors import UnknownRanking
from mfcc_assets.evaluation.intervals import (
    difference_with_interval,
    mean_over_labels,
    shares_by_label,
    with_interval,
)
from mfcc_assets.evaluation.manifest import LabelledTrack, labels_of
from mfcc_assets.evaluation.metrics import (
    RankedIds,
    hits,
    hubness,
    mean_average_precision,
    precision,
    random_distances,
    ranked_by,
)
from mfcc_assets.for_each import ForEach, in_turn
from mfcc_assets.ranking_names import DEFAULT_RANKING
from mfcc_assets.similarity.pairwise import Comparison, Tracks, uncorrected_names
from mfcc_assets.similarity.rankings import GAUSSIAN, RANKINGS, TIMBRE, ranking_named

ALL = "all"
"""Name that selects every ranking."""

RANDOM = "random"
"""Name of the random ranking, which every other ranking must beat."""

FILE = "file"
"""Name of the ranking by properties of the files. It hears nothing. A ranking that is no better may hear only them."""

FLOORS = (FILE, RANDOM)

UNCORRECTED: Mapping[str, str] = {**uncorrected_names(RANKINGS), f"{TIMBRE}_uncorrected": TIMBRE}
"""Part that each uncorrected distance compares, by the name of the distance."""


RIVALS = (f"{TIMBRE}_uncorrected", f"{GAUSSIAN}_uncorrected")
"""Uncorrected distances that the default ranking must beat in a library of any size."""


@dataclass(frozen=True)
class Scores:
    """Figures of a ranking, with the names that the JSON of `mfcc evaluate` uses.

    Attributes
    ----------
    p_at_1, p_at_5, hit_at_5
        Figures of `mfcc_assets.evaluation.metrics.Precision`, or None if no label is common enough.
    p_at_5_low, p_at_5_high
        90 % interval of the precision at five; see `mfcc_assets.evaluation.intervals.Figure`.
    p_at_5_over_labels
        Mean over labels instead of queries.
    above_default, above_default_low, above_default_high
        Precision at five minus that of the default ranking with its 90 % interval; None if that was not measured.
    hub_skewness, largest_count, never_recommended
        Figures of `mfcc_assets.evaluation.metrics.Hubness`.
    map_work
        Mean average precision of finding the same work, or None if no work has two tracks.
    """

    p_at_1: float | None
    p_at_5: float | None
    p_at_5_low: float | None
    p_at_5_high: float | None
    p_at_5_over_labels: float | None
    above_default: float | None
    above_default_low: float | None
    above_default_high: float | None
    hit_at_5: float | None
    hub_skewness: float
    largest_count: int
    never_recommended: float
    map_work: float | None


def names_to_evaluate(names: Iterable[str]) -> list[str]:
    """Return the rankings to evaluate, without repetitions, and with the two floors last.

    Raises
    ------
    UnknownRanking
        If there is no ranking with one of the names.

    Examples
    --------
    >>> names_to_evaluate(["dtw", "gaussian"])
    ['dtw', 'gaussian', 'file', 'random']
    """
    expanded = [ranking for name in names for ranking in ([*RANKINGS, *UNCORRECTED] if name == ALL else [name])]
    rankings = list(dict.fromkeys(name for name in expanded if name not in FLOORS))
    known = (*RANKINGS, *UNCORRECTED)
    for name in rankings:
        if name not in known:
            remedy = f"Choose one of: {', '.join((ALL, *known))}"
            raise UnknownRanking("there is no such ranking to evaluate", subject=name, remedy=remedy)
    return [*rankings, *FLOORS]


def names_to_evaluate_in_draws(names: Iterable[str]) -> list[str]:
    """Return the rankings to evaluate in libraries that are drawn again and again, as `names_to_evaluate` does.

    The name of all rankings stands for the default ranking and its rivals, because others may take a minute each time.

    Examples
    --------
    >>> names_to_evaluate_in_draws(["all"])
    ['fused', 'timbre_uncorrected', 'gaussian_uncorrected', 'file', 'random']
    """
    few = (DEFAULT_RANKING, *RIVALS)
    return names_to_evaluate([ranking for name in names for ranking in (few if name == ALL else [name])])


def rank_tracks(
    tracks: Tracks,
    paths: Sequence[str],
    rankings: Iterable[str],
    properties: Mapping[str, FileProperties],
    for_each: ForEach = in_turn,
) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Rank all pairs of tracks by each ranking, without any search.

    Parameters
    ----------
    tracks
        The tracks of a library.
    paths
        Their paths.
    rankings
        Names from `names_to_evaluate`.
    properties
        Properties of the files by path. The ranking `file` needs them for all tracks, other rankings do not.
    for_each
        Function that applies another function to many items: `in_turn`, or `mfcc_assets.compute.local.on_all_cores`.

    Yields
    ------
    tuple
        Name of a ranking, and its ranked lists.
    """
    # OpenBLAS's threads wait for each other all the time. If the machine is busy, one is far faster than two.
    with threadpool_limits(1):
        comparison = Comparison(tracks, for_each)
    for ranking in rankings:
        if ranking == RANDOM:
            distances = random_distances(len(paths))
        elif ranking == FILE:
            distances = file_distances([properties[path] for path in paths])
        elif ranking in UNCORRECTED:
            distances = comparison.uncorrected(UNCORRECTED[ranking])
        else:
            distances = comparison.by_ranking(ranking_named(ranking))
        yield ranking, ranked_by(distances, paths)


def file_distances(files: Sequence[FileProperties]) -> NDArray[np.float64]:
    """Return distances (files, files) that depend on nothing but properties of the files.

    Each of codec, sample rate and number of channels adds 1 if it differs. The bit rates add the number of octaves
    between them.

    Examples
    --------
    >>> file_distances([FileProperties("mp3", 44_100, 2, 128_000), FileProperties("mp3", 48_000, 2, 256_000)])[0, 1]
    np.float64(2.0)
    """
    kinds = [np.array([getattr(file, name) for file in files]) for name in ("codec", "sample_rate", "channels")]
    octaves = np.log2([max(1.0, file.bit_rate) for file in files])
    distances: NDArray[np.float64] = np.abs(octaves[:, np.newaxis] - octaves)
    for kind in kinds:
        distances += kind[:, np.newaxis] != kind
    return distances


def scores_of(ranked: Mapping[str, RankedIds[str]], tracks: Sequence[LabelledTrack]) -> dict[str, Scores]:
    """Return the scores of rankings.

    Parameters
    ----------
    ranked
        The ranked lists of each ranking: for each track, all other tracks, best first. Tracks are named by their paths.
    tracks
        These tracks with their labels. Others are left out.
    """
    shares = {name: _shares(lists, tracks) for name, lists in ranked.items()}
    default = shares.get(DEFAULT_RANKING)
    return {name: _scores(lists, tracks, shares[name], default) for name, lists in ranked.items()}


def _shares(ranked: RankedIds[str], tracks: Sequence[LabelledTrack]) -> dict[str, list[float]]:
    labels = labels_of([track for track in tracks if track.path in ranked])
    return shares_by_label([hits(ranked, labels)], labels)


def _scores(
    ranked: RankedIds[str],
    tracks: Sequence[LabelledTrack],
    shares: Mapping[str, Sequence[float]],
    default: Mapping[str, Sequence[float]] | None,
) -> Scores:
    tracks = [track for track in tracks if track.path in ranked]
    by_label = precision(ranked, labels_of(tracks))
    interval = with_interval(shares)
    above = None if default is None else difference_with_interval(shares, default)
    hubs = hubness(ranked)
    return Scores(
        p_at_1=by_label.at_1 if by_label else None,
        p_at_5=by_label.at_5 if by_label else None,
        p_at_5_low=interval.low if interval else None,
        p_at_5_high=interval.high if interval else None,
        p_at_5_over_labels=mean_over_labels(shares),
        above_default=above.mean if above else None,
        above_default_low=above.low if above else None,
        above_default_high=above.high if above else None,
        hit_at_5=by_label.hit_at_5 if by_label else None,
        hub_skewness=hubs.skewness,
        largest_count=hubs.largest,
        never_recommended=hubs.never_recommended,
        map_work=mean_average_precision(ranked, {track.path: track.work for track in tracks if track.work}),
    )
