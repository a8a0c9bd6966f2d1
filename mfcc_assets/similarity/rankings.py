"""Candidates to an ordered list: the rankings to choose from.

A ranking adds up how far two tracks are apart in several parts, each in units of what is usual, and corrects the sum
for hubs (`mfcc_assets.similarity.hubness`). To add one is a line in `RANKINGS`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isnan
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import UnknownRanking
from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.similarity.dtw.distance import ARTICLE, DTW, WarpedDistance
from mfcc_assets.similarity.gaussian import jensen_shannon
from mfcc_assets.similarity.ranking_names import FORMER_NAMES

GAUSSIAN = "gaussian"
"""The part that compares mean and covariance of the cepstra."""

TIMBRE = "timbre"
"""The part that compares timbre, in the space that is fitted to the library."""

WARPED: Mapping[str, WarpedDistance] = MappingProxyType({"article": ARTICLE, "dtw": DTW})
"""Parts that warp contours onto each other."""


@dataclass(frozen=True)
class RankedTrack:
    audio_id: str
    distance: float


def rank(distances: Iterable[tuple[str, float]]) -> list[RankedTrack]:
    """Nearest first; equal distances by audio id, so that the order never depends on that of the candidates.

    A candidate whose distance is NaN cannot be placed, and is left out.
    """
    comparable = [RankedTrack(audio_id, distance) for audio_id, distance in distances if not isnan(distance)]
    return sorted(comparable, key=lambda ranked: (ranked.distance, ranked.audio_id))


@dataclass(frozen=True)
class Ranking:
    """What tracks are compared by.

    Attributes
    ----------
    weights_by_part
        Weight of each part: `GAUSSIAN`, `TIMBRE`, or, as the last and only once, one of `WARPED`.

    Raises
    ------
    ValueError
        There is no such part, or a part that is warped is not the last.
    """

    weights_by_part: Mapping[str, float]

    def __post_init__(self) -> None:
        unknown = set(self.parts) - {GAUSSIAN, TIMBRE, *WARPED}
        if unknown or not self.parts or any(part in WARPED for part in self.parts[:-1]):
            raise ValueError(f"these parts make no ranking: {self.parts}")

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.weights_by_part)

    @property
    def summary_parts(self) -> tuple[str, ...]:
        """Parts that summaries alone tell."""
        return tuple(part for part in self.parts if part not in WARPED)

    @property
    def warped(self) -> WarpedDistance | None:
        """How contours are warped onto each other; None where they are not compared."""
        return WARPED.get(self.parts[-1])

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weight (parts,) of each part."""
        return np.array(list(self.weights_by_part.values()))

    def summary_distances(self, query: FeatureTable, others: FeatureTable) -> NDArray[np.float64]:
        """Distances (others, still parts) of one track, the only one of `query`, by parts that summaries tell."""
        columns = [summary_distances(part, query, others) for part in self.summary_parts]
        return np.column_stack(columns) if columns else np.empty((len(others), 0))


def summary_distances(part: str, query: FeatureTable, others: FeatureTable) -> NDArray[np.float64]:
    """Distances (others,) of one track, the only one of `query`, to others by a part that summaries tell."""
    if part == GAUSSIAN:
        return jensen_shannon(query.means[0], query.covariances[0], others.means, others.covariances)
    apart = others.timbre - query.timbre[0]
    distances: NDArray[np.float64] = np.sqrt(np.einsum("ij,ij->i", apart, apart, dtype=np.float64))
    return distances


RANKINGS: Mapping[str, Ranking] = MappingProxyType(
    {
        "article": Ranking({"article": 1.0}),
        "dtw": Ranking({"dtw": 1.0}),
        "gaussian": Ranking({GAUSSIAN: 1.0}),
        "fused": Ranking({TIMBRE: 1.0, "dtw": 0.25}),
    }
)


def ranking_named(name: str) -> Ranking:
    """The ranking of that name.

    Raises
    ------
    UnknownRanking
        If there is none.
    """
    try:
        return RANKINGS[FORMER_NAMES.get(name, name)]
    except KeyError:
        known = ", ".join(sorted(RANKINGS))
        raise UnknownRanking("there is no such ranking", subject=name, remedy=f"Choose one of: {known}") from None
