"""Candidates to an ordered list: the rankings to choose from, and the scales they share.

A new ranking is a function of two contours and the library's scales, and a line in `RANKINGS`. One that compares
something else than contours widens `Ranking`, which is all that callers know of it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import isnan
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.core.dtw import dtw_distances
from mfcc_assets.core.errors import UnknownRanking

Frames: TypeAlias = NDArray[np.floating]
"""(n, d): a contour, or full cepstra."""

Ranking: TypeAlias = Callable[[Frames, Frames, NDArray[np.floating]], float]
"""Distance of a query's contour (n, d) and a candidate's (m, d), given the library's scales (d,)."""

BAND = 0.1
"""How far apart in time `normalised_distance` may match, as a share of the longer track."""

SMALLEST_SCALE = 1e-3
"""Music's cepstra have scales of 1 to 20. Below this one a coefficient stands still in the whole library, and dividing
by less would let the faintest noise in it decide every comparison."""


@dataclass(frozen=True)
class Ranked:
    audio_id: str
    distance: float


def rank(distances: Iterable[tuple[str, float]]) -> list[Ranked]:
    """Nearest first; equal distances by audio id, so that the order never depends on that of the candidates.

    A candidate whose distance is NaN cannot be placed, and is left out.
    """
    comparable = [Ranked(audio_id, distance) for audio_id, distance in distances if not isnan(distance)]
    return sorted(comparable, key=lambda ranked: (ranked.distance, ranked.audio_id))


def article_distance(query: Frames, candidate: Frames) -> float:
    """The article's distance, computed exactly: raw sum of the unbanded DTW distances of all coefficients.

    It grows with the length of the tracks, and COE_2, which varies most, weighs most.

    Parameters
    ----------
    query : (n, d)
    candidate : (m, d)

    Raises
    ------
    ValueError
        As `dtw_distances` does.
    """
    return float(dtw_distances(query, candidate).sum())


def normalised_distance(query: Frames, candidate: Frames, scales: NDArray[np.floating]) -> float:
    """DTW distance in which every coefficient weighs the same and length none.

    Parameters
    ----------
    query : (n, d)
    candidate : (m, d)
    scales : (d,)
        Each coefficient's standard deviation over the library; see `pooled_scales`.

    Returns
    -------
    float
        Sum over the coefficients of their DTW distances in a band of `BAND`, each in units of its scale, divided by
        ``n + m``, as Sakoe and Chiba (1978) normalise for length.

    Raises
    ------
    ValueError
        As `dtw_distances` does, and if `scales` are not `d` positive, finite numbers.
    """
    distances = dtw_distances(query, candidate, band=BAND)
    if scales.shape != distances.shape or not (np.isfinite(scales) & (scales > 0)).all():
        raise ValueError(f"expected {distances.size} positive, finite scales, got {scales}")
    # DTW is proportional to its input: scaling distances is scaling coefficients.
    return float((distances / scales).sum() / (len(query) + len(candidate)))


def fastdtw_distance(query: Frames, candidate: Frames) -> float:
    """The article's distance as published: fastdtw of every coefficient, radius 1, for tests and benchmarks.

    Approximate, never below `article_distance`, and slower by orders of magnitude. Builds of fastdtw with and without
    Cython differ slightly.

    Parameters
    ----------
    query : (n, d)
    candidate : (m, d)

    Raises
    ------
    ValueError
        If the tracks differ in coefficients.
    """
    from fastdtw import fastdtw

    return float(sum(fastdtw(x, y, radius=1)[0] for x, y in zip(query.T, candidate.T, strict=True)))


RANKINGS: Mapping[str, Ranking] = MappingProxyType(
    {
        "article": lambda query, candidate, _: article_distance(query, candidate),
        "dtw": normalised_distance,
    }
)

DEFAULT_RANKING = "dtw"


def ranking_named(name: str) -> Ranking:
    """The ranking of that name.

    Raises
    ------
    UnknownRanking
        If there is none.
    """
    try:
        return RANKINGS[name]
    except KeyError:
        known = ", ".join(sorted(RANKINGS))
        raise UnknownRanking("there is no such ranking", subject=name, remedy=f"Choose one of: {known}") from None


def pooled_scales(means: Frames, variances: Frames) -> NDArray[np.float64]:
    """Standard deviation of each coefficient over the library, every track weighing the same.

    Parameters
    ----------
    means : (tracks, d)
    variances : (tracks, d)
        Of each track's frames, divided by their number.

    Returns
    -------
    (d,)
        At least `SMALLEST_SCALE`.

    Raises
    ------
    ValueError
        If there is no track, the shapes differ, a number is not finite or a variance is negative.

    Notes
    -----
    Draw a track T with equal chances, then one of its frames X. By the law of total variance ::

        Var(X) = E[Var(X | T)] + Var(E[X | T])

    the mean of the tracks' variances plus the variance of their means: no frame is needed again, and a long track
    counts no more than a short one.
    """
    means, variances = np.asarray(means, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if means.ndim != 2 or means.shape != variances.shape or means.size == 0:
        raise ValueError(f"expected means and variances of the same tracks, got {means.shape} and {variances.shape}")
    if not (np.isfinite(means) & np.isfinite(variances) & (variances >= 0)).all():
        raise ValueError("expected finite means and finite variances of at least 0")
    scales: NDArray[np.float64] = np.sqrt(variances.mean(axis=0) + means.var(axis=0))
    return np.maximum(scales, SMALLEST_SCALE)
