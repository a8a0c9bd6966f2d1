"""Why two tracks are near to each other: where they sound alike, in what, and how much more so than any two.

All of it is read off their contours, in units of each coefficient's deviation over the library, as the distance `DTW`
is. What that distance warps coefficient by coefficient is aligned here by one path for all of them, since a listener
hears them at once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.mel import hz_to_mel, mel_to_hz
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.statistics import segment_means
from mfcc_assets.similarity.dtw.distance import DTW, Frames
from mfcc_assets.similarity.dtw.kernels import dtw_distances
from mfcc_assets.similarity.dtw.local_alignment import alike_stretches
from mfcc_assets.similarity.dtw.path import cheapest_path

SHORTEST_SECONDS = 5.0
"""Of a stretch, in either track."""

MOST_STRETCHES = 5

CLOSE_SHARE = 0.02
"""Moments sound alike where so small a share of the library's random moments differs less. On the development corpus
87 % of the tracks have such a stretch in common with their nearest one, and 29 % of random pairs have one."""

_LEAST_CLOSE = 0.01
"""Of a deviation: less is heard by nobody. It matters in a library whose tracks are copies of one."""

_MOMENTS_A_PAIR = 20

_MOST_CELLS = 1_000_000
"""Of a matrix of two contours: two tracks of 8 minutes each. Longer contours are made coarser."""


@dataclass(frozen=True, eq=False)
class Control:
    """What is usual between tracks of a library, from random pairs of them.

    Attributes
    ----------
    contributions : (pairs, d)
        What each coefficient adds to the distance of a pair.
    moments : (k,)
        By how much a random frame of the one differs from one of the other.
    """

    contributions: NDArray[np.float64]
    moments: NDArray[np.float64]

    @classmethod
    def of(cls, pairs: Iterable[tuple[Frames, Frames]], scales: NDArray[np.floating]) -> "Control":
        """Measure pairs of contours, of which there is one at least.

        Which moments are compared depends on nothing but the pairs.
        """
        chance = np.random.default_rng(0)
        added, moments = [], []
        for a, b in pairs:
            added.append(contributions(a, b, scales))
            chosen = a[chance.integers(len(a), size=_MOMENTS_A_PAIR)] - b[chance.integers(len(b), size=_MOMENTS_A_PAIR)]
            moments.append(np.abs(chosen / scales).mean(axis=1))
        return cls(np.array(added, np.float64), np.concatenate(moments, dtype=np.float64))

    @property
    def distances(self) -> NDArray[np.float64]:
        """(pairs,)"""
        distances: NDArray[np.float64] = self.contributions.sum(axis=1)
        return distances

    @property
    def median_distance(self) -> float:
        """Median of the distances."""
        return float(np.median(self.distances))

    @property
    def close(self) -> float:
        """What moments that sound alike differ by at most."""
        return max(float(np.quantile(self.moments, CLOSE_SHARE)), _LEAST_CLOSE)


@dataclass(frozen=True)
class Percentile:
    """A pair's distance beside those of random pairs of the library.

    Attributes
    ----------
    random_pairs
        How many were looked at.
    closer_than
        The share of them that is farther apart, 0 to 1.
    ratio
        The pair's distance, divided by the median of theirs; None where that is 0.
    """

    random_pairs: int
    closer_than: float
    ratio: float | None


@dataclass(frozen=True)
class Coefficient:
    """What a coefficient adds to the distance of a pair.

    Attributes
    ----------
    name
        COE_1, COE_2, …
    stands_for
        In a word: level, brightness, broad shape, fine shape.
    description
        What exactly it measures.
    share
        Of the distance; the shares of all coefficients add up to 1, or are 0 where the distance is.
    closer_than
        The share of random pairs that this coefficient puts farther apart, 0 to 1.
    """

    name: str
    stands_for: str
    description: str
    share: float
    closer_than: float


@dataclass(frozen=True)
class AlikeStretch:
    """Where the one track, `a`, sounds like the other, `b`; all times in seconds from the beginning.

    Attributes
    ----------
    difference
        Mean over the stretch and all coefficients, in deviations of each over the library.
    closer_than
        The share of the library's random moments that differ more, 0 to 1.
    """

    a_start: float
    a_end: float
    b_start: float
    b_end: float
    difference: float
    closer_than: float


@dataclass(frozen=True)
class Explanation:
    """Why two tracks are near to each other, in numbers, strings, and sequences of them.

    Attributes
    ----------
    distance
        Of the contours, by `mfcc_assets.similarity.dtw.distance.DTW`: in deviations, not corrected for hubs.
    control
        How that stands beside random pairs.
    coefficients
        COE_1 first.
    stretches
        Where the tracks sound alike, best first; none where they nowhere do for `SHORTEST_SECONDS`.
    path
        The alignment of both tracks from end to end: seconds of `a`, and seconds of `b`.
    """

    distance: float
    control: Percentile
    coefficients: tuple[Coefficient, ...]
    stretches: tuple[AlikeStretch, ...]
    path: tuple[tuple[float, float], ...]


def explain(
    a: Frames,
    b: Frames,
    scales: NDArray[np.floating],
    control: Control,
    *,
    seconds: tuple[float, float],
    parameters: CepstraParameters,
) -> Explanation:
    """Explain the distance of two tracks.

    Parameters
    ----------
    a : (n, d)
        A contour.
    b : (m, d)
    scales : (d,)
        Each coefficient's standard deviation over the library.
    control
        What is usual in that library.
    seconds
        Length of both tracks.
    parameters
        How the cepstra were made.

    Raises
    ------
    ValueError
        If a contour is empty or not finite, the tracks differ in coefficients, or the scales are not positive.
    """
    added = contributions(a, b, scales)
    distance = float(added.sum())
    farther = (control.contributions > added).mean(axis=0)
    shares = added / distance if distance else np.zeros_like(added)

    differences = moment_differences(a, b, scales)
    frames = np.array(seconds) / differences.shape
    path = (cheapest_path(differences, band=DTW.band) + 0.5) * frames
    return Explanation(
        distance=distance,
        control=Percentile(
            random_pairs=len(control.distances),
            closer_than=float((control.distances > distance).mean()),
            ratio=distance / control.median_distance if control.median_distance else None,
        ),
        coefficients=tuple(
            Coefficient(f"COE_{number}", *meaning(number, parameters), float(share), float(closer_than))
            for number, (share, closer_than) in enumerate(zip(shares, farther, strict=True), start=1)
        ),
        stretches=tuple(_stretches(differences, control, frames)),
        path=tuple(zip(*path.T.tolist(), strict=True)),
    )


def contributions(a: Frames, b: Frames, scales: NDArray[np.floating]) -> NDArray[np.float64]:
    """What each coefficient (d,) adds to the distance `DTW` of two contours; errors as for `explain`."""
    return DTW.weights(scales, len(a) + len(b)) * dtw_distances(a, b, band=DTW.band)


def moment_differences(a: Frames, b: Frames, scales: NDArray[np.floating]) -> NDArray[np.float32]:
    """Difference of every moment of one track from every one of another.

    Parameters
    ----------
    a : (n, d)
    b : (m, d)
    scales : (d,)

    Returns
    -------
    (n, m)
        Mean over the coefficients of ``|a[i] - b[j]|``, in deviations. Both tracks by the same factor coarser where the
        matrix would have more than 1,000,000 cells: two of 4 hours would take gigabytes.
    """
    factor = max(1, ceil(sqrt(len(a) * len(b) / _MOST_CELLS)))
    x, y = (_coarser(track / scales, factor) for track in (a, b))
    differences, of_one = np.zeros((2, len(x), len(y)), np.float32)
    # In two arrays that stay: with new ones for every coefficient it took four times as long.
    for of_x, of_y in zip(x.T, y.T, strict=True):
        np.subtract.outer(of_x, of_y, out=of_one)
        differences += np.abs(of_one, out=of_one)
    differences /= len(scales)
    return differences


def _coarser(contour: Frames, factor: int) -> NDArray[np.float32]:
    return segment_means(contour.astype(np.float32), ceil(len(contour) / factor))


def _stretches(
    differences: NDArray[np.float32], control: Control, frames: NDArray[np.float64]
) -> Iterator[AlikeStretch]:
    # A jingle that is shorter than any stretch may be alike as a whole.
    shortest = [
        min(length, ceil(SHORTEST_SECONDS / frame)) for length, frame in zip(differences.shape, frames, strict=True)
    ]
    for stretch in alike_stretches(differences, close=control.close, shortest=shortest, most=MOST_STRETCHES):
        a_start, a_end = (stretch.rows * frames[0]).tolist()
        b_start, b_end = (stretch.columns * frames[1]).tolist()
        farther = float((control.moments > stretch.difference).mean())
        yield AlikeStretch(a_start, a_end, b_start, b_end, stretch.difference, farther)


def meaning(number: int, parameters: CepstraParameters) -> tuple[str, str]:
    """What a coefficient stands for: in a word, and exactly.

    Parameters
    ----------
    number
        1 for COE_1.
    parameters
        How the cepstra were made.

    Notes
    -----
    COE_1 is the logarithm of the energy. COE_n is the cosine transform of the logarithms of the filters' energies:
    their sum, weighted by a cosine of n - 1 half-waves over the mel scale, which begins at 1 with the lowest filter.
    """
    half_waves = number - 1
    if half_waves == 0:
        return "level", "energy, relative to the loudest sample of the track"
    if half_waves == 1:
        return "brightness", f"energy below {_crossing(1, 1, parameters)} against energy above"
    if half_waves == 2:
        low, high = _crossing(1, 2, parameters), _crossing(2, 2, parameters)
        return "broad shape", f"energy from {low} to {high} against energy below and above"
    shape = "broad shape" if half_waves <= _BROAD_HALF_WAVES else "fine shape"
    return shape, f"spectrum along a cosine of {half_waves} half-waves over the mel scale"


_BROAD_HALF_WAVES = 6
"""Half-waves of at least a sixth of the mel scale are called broad, narrower ones fine."""


def _crossing(number: int, half_waves: int, parameters: CepstraParameters) -> str:
    """Frequency at which a cosine over the filters changes its sign for the `number`-th time."""
    of_filters = (2 * number - 1) / (2 * half_waves) * parameters.filters + 0.5
    highest = hz_to_mel(parameters.sample_rate / 2)
    hertz = mel_to_hz(highest * of_filters / (parameters.filters + 1))
    return f"{hertz / 1000:.1f} kHz"
