"""Mixed libraries: some tracks are as they are, and the others went through a chain that encoded them again.

A real library was collected from many sources. There, a ranking that hears the codec recommends tracks of the query's
own coding state. This cannot be seen if all tracks are re-encoded alike.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.evaluation.chains import CLEAN
from mfcc_assets.evaluation.labelled import AnalysedTracks, Progress
from mfcc_assets.evaluation.manifest import LabelledTrack, labels_of
from mfcc_assets.evaluation.metrics import OfOwnClass, RankedIds, hits, of_own_class
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
class RankedDraw:
    """The ranked lists of a drawn library, and the coding state of each track, by path."""

    lists: RankedIds[str]
    states: Mapping[str, str]

    def of_reencoded(self) -> "RankedDraw":
        """Return the lists of the queries that are re-encoded."""
        return RankedDraw(
            {query: tracks for query, tracks in self.lists.items() if self.states[query] != CLEAN}, self.states
        )


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

    @classmethod
    def of(cls, draws: Sequence[RankedDraw], labels: Mapping[str, str]) -> Self:
        """Return the figures of a ranking in the drawn libraries of `rank_draws`, by the labels of their tracks."""
        return cls(_part(draws, labels), _part([draw.of_reencoded() for draw in draws], labels))


def drawn_rows(tracks: int, share: float, draw: int) -> list[bool]:
    """Return for each track whether it is re-encoded in one draw.

    At least one is, and their number is the same in every draw.

    Examples
    --------
    >>> sum(drawn_rows(30, 0.1, draw=0)), drawn_rows(30, 0.1, draw=0) == drawn_rows(30, 0.1, draw=1)
    (3, False)
    """
    drawn = np.random.default_rng([draw, round(1000 * share)]).permutation(tracks) < max(1, round(share * tracks))
    return [bool(row) for row in drawn]


def rows_of_both(clean: AnalysedTracks, reencoded: AnalysedTracks) -> NDArray[np.int64]:
    """Return rows (tracks, 2) of the tracks of mixed libraries: in the tracks as they are, and in the re-encoded ones.

    One file of each recording is used. Tracks that are in only one of the two are left out.
    """
    row_of = {track.path: row for row, track in enumerate(reencoded.tracks)}
    rows = [
        (row, row_of[track.path])
        for row, track in enumerate(clean.tracks)
        if track.path in row_of and clean.recordings.get(track.path, track.path) == track.path
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 2)


def rank_draws(
    tracks: Sequence[LabelledTrack],
    state_of: Callable[[LabelledTrack], str],
    share: float,
    rank: Callable[[NDArray[np.int64]], Iterable[tuple[str, RankedIds[str]]]],
) -> dict[str, list[RankedDraw]]:
    """Rank the tracks of every drawn library, by any number of rankings.

    Parameters
    ----------
    tracks : (n,)
        The tracks of every library.
    state_of
        Returns the coding state of a re-encoded track.
    share
        Share of the tracks that are re-encoded.
    rank
        Yields the name and the ranked lists of each ranking for a drawn library, which it gets as rows (n,): the number
        of a track that is as it is, and n more for a track that is re-encoded.
    """
    found = defaultdict(list)
    for draw in range(DRAWS):
        drawn = drawn_rows(len(tracks), share, draw)
        states = {
            track.path: state_of(track) if is_drawn else CLEAN for track, is_drawn in zip(tracks, drawn, strict=True)
        }
        for name, lists in rank(np.arange(len(tracks)) + len(tracks) * np.array(drawn, dtype=np.int64)):
            found[name].append(RankedDraw(lists, states))
    return dict(found)


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
    rows = rows_of_both(clean, reencoded)
    tracks = [clean.tracks[row] for row in rows[:, 0]]
    features = [
        *(clean.track_features[row] for row in rows[:, 0]),
        *(reencoded.track_features[row] for row in rows[:, 1]),
    ]
    both = Tracks.of(features, parameters)
    paths = [track.path for track in tracks]
    done = count(1)

    def rank(drawn: NDArray[np.int64]) -> Iterator[tuple[str, RankedIds[str]]]:
        for name, lists in rank_tracks(both.rows(drawn), paths, rankings, {}, for_each):
            yield name, lists
            on_progress(next(done), DRAWS * len(rankings))

    labels = labels_of(tracks)
    return {name: MixedScores.of(draws, labels) for name, draws in rank_draws(tracks, state_of, share, rank).items()}


def _part(draws: Sequence[RankedDraw], labels: Mapping[str, str]) -> MixedPart:
    own = [found for draw in draws if (found := of_own_class(draw.lists, draw.states))]
    return MixedPart(
        Part.of([hits(draw.lists, labels) for draw in draws], labels),
        same=_mean([found.same for found in own], own),
        same_by_chance=_mean([found.by_chance for found in own], own),
    )


def _mean(figures: Sequence[float], of: Sequence[OfOwnClass]) -> float | None:
    return float(np.average(figures, weights=[found.queries for found in of])) if figures else None
