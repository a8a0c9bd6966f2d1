"""Mixed libraries: some tracks are as they are, and the others went through a chain that encoded them again.

A real library was collected from many sources. There, a ranking that hears the codec recommends tracks of the query's
own coding state. This cannot be seen if all tracks are re-encoded alike.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mfcc_assets.evaluation.chains import CLEAN
from mfcc_assets.evaluation.labelled import AnalysedTracks, Progress
from mfcc_assets.evaluation.manifest import LabelledTrack, labels_of
from mfcc_assets.evaluation.metrics import OfOwnClass, hits, of_own_class
from mfcc_assets.evaluation.other_sources import Part
from mfcc_assets.evaluation.scores import FILE, rank_tracks
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.for_each import ForEach, in_turn
from mfcc_assets.similarity.pairwise import Tracks

SHARES: Mapping[str, float] = {"half": 0.5, "tenth": 0.1}
"""Shares of the tracks that are re-encoded, by name."""

DRAWS = 4
"""Number of times that the re-encoded tracks are drawn."""


@dataclass(frozen=True)
class MixedPart:
    """Figures of some of the queries in mixed libraries.

    Attributes
    ----------
    precision
        Precision at five over the queries of all draws.
    same
        Share of the five answers in the query's own coding state; None if there is no query.
    same_by_chance
        Share of all other tracks in that state.
    """

    precision: Part
    same: float | None
    same_by_chance: float | None


@dataclass(frozen=True)
class MixedScores:
    """Figures of a ranking in mixed libraries, for all queries and for those that are re-encoded."""

    all_queries: MixedPart
    reencoded_queries: MixedPart


def drawn_rows(tracks: int, share: float, draw: int) -> list[bool]:
    """Return for each track whether it is re-encoded in one draw. At least one is, and always as many.

    Examples
    --------
    >>> sum(drawn_rows(30, 0.1, draw=0)), drawn_rows(30, 0.1, draw=0) == drawn_rows(30, 0.1, draw=1)
    (3, False)
    """
    drawn = np.random.default_rng([draw, round(1000 * share)]).permutation(tracks) < max(1, round(share * tracks))
    return [bool(row) for row in drawn]


def score_mixed(
    clean: AnalysedTracks,
    reencoded: AnalysedTracks,
    state_of: Callable[[LabelledTrack], str],
    share: float,
    rankings: Iterable[str],
    parameters: FeaturesParameters,
    on_progress: Progress,
    for_each: ForEach = in_turn,
) -> dict[str, MixedScores]:
    """Score rankings in libraries in which a share of the tracks is re-encoded. One file of each recording is used.

    Every drawn library is a library of its own: whatever a ranking learns from a library, it learns from the tracks
    that are in the draw.

    Parameters
    ----------
    clean, reencoded
        The tracks of a labelled set as they are, and re-encoded. Tracks that are in only one of them are left out.
    state_of
        Returns the coding state of a re-encoded track.
    share
        Share of the tracks that are re-encoded.
    rankings
        Names from `mfcc_assets.evaluation.scores.names_to_evaluate`. The ranking by file properties is left out.
    parameters
        Parameters of the features.
    on_progress
        Called after each ranking of each draw.
    for_each
        Function that applies another function to many items: `in_turn`, or `mfcc_assets.compute.local.on_all_cores`.
    """
    rankings = [name for name in rankings if name != FILE]
    features = dict(zip((track.path for track in reencoded.tracks), reencoded.track_features, strict=True))
    pairs = [
        (track, features_as_is, features[track.path])
        for track, features_as_is in zip(clean.tracks, clean.track_features, strict=True)
        if track.path in features and clean.recordings.get(track.path, track.path) == track.path
    ]
    tracks = [track for track, _, _ in pairs]
    both = Tracks.of([*(one for _, one, _ in pairs), *(two for _, _, two in pairs)], parameters)
    paths = [track.path for track in tracks]
    labels = labels_of(tracks)
    found: dict[str, list[_Draw]] = {name: [] for name in rankings}
    for draw in range(DRAWS):
        drawn = drawn_rows(len(tracks), share, draw)
        states = {
            track.path: state_of(track) if is_drawn else CLEAN for track, is_drawn in zip(tracks, drawn, strict=True)
        }
        library = both.rows(np.arange(len(tracks)) + len(tracks) * np.array(drawn, dtype=np.int64))
        ranked = rank_tracks(library, paths, rankings, {}, for_each)
        for done, (name, lists) in enumerate(ranked, start=1):
            found[name].append(_Draw(lists, states))
            on_progress(draw * len(rankings) + done, DRAWS * len(rankings))
    return {
        name: MixedScores(
            _part([draw.of_queries(lambda _: True) for draw in draws], labels),
            _part([draw.of_queries(lambda state: state != CLEAN) for draw in draws], labels),
        )
        for name, draws in found.items()
    }


@dataclass(frozen=True)
class _Draw:
    """The ranked lists of a drawn library, and the coding state of each track."""

    lists: Mapping[str, Sequence[str]]
    states: Mapping[str, str]

    def of_queries(self, has_state: Callable[[str], bool]) -> "_Draw":
        return _Draw(
            {query: tracks for query, tracks in self.lists.items() if has_state(self.states[query])}, self.states
        )


def _part(draws: Sequence[_Draw], labels: Mapping[str, str]) -> MixedPart:
    own = [found for draw in draws if (found := of_own_class(draw.lists, draw.states))]
    return MixedPart(
        Part.of([hits(draw.lists, labels) for draw in draws], labels),
        same=_mean([found.same for found in own], own),
        same_by_chance=_mean([found.by_chance for found in own], own),
    )


def _mean(figures: Sequence[float], of: Sequence[OfOwnClass]) -> float | None:
    return float(np.average(figures, weights=[found.queries for found in of])) if figures else None
