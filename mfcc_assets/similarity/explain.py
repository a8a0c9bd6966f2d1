"""Explanations of a distance: where two tracks sound alike, in which coefficients, and compared with random pairs.

An explanation is computed from the contours, in units of each coefficient's standard deviation over the library, as the
distance `DTW` is. `DTW` warps each coefficient independently. An explanation aligns all coefficients by one path, since
a listener hears them together.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.contour import ContourTimes
from mfcc_assets.features.low_band import LOW_BAND, low_filters
from mfcc_assets.features.mel import hz_to_mel, mel_to_hz
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.statistics import segment_means
from mfcc_assets.sentence import Sentence
from mfcc_assets.similarity.dtw.distance import DTW, Frames
from mfcc_assets.similarity.dtw.kernels import dtw_distances
from mfcc_assets.similarity.dtw.local_alignment import local_alignments
from mfcc_assets.similarity.dtw.path import cheapest_path

SHORTEST_SECONDS = 5.0
"""Least length of a similar stretch in either track."""

MOST_STRETCHES = 5
"""Largest number of similar stretches in an explanation."""

CLOSE_SHARE = 0.02
"""Share of random pairs of moments that count as alike: two moments sound alike if their difference is among the
smallest 2 % of the differences of random moments of the library. On the development corpus 87 % of the tracks have a
similar stretch in common with their nearest track, and 29 % of random pairs have one."""

_LEAST_CLOSE = 0.01
"""A smaller difference, in standard deviations, cannot be heard. It matters in a library of copies of one track."""

_MOMENTS_PER_PAIR = 20

_BROAD_HALF_WAVES = 6
"""Half-waves are called broad if they are at least a sixth of the low band, and fine otherwise."""

_MOST_CELLS = 1_000_000
"""Largest matrix of two contours, enough for two tracks of 8 minutes. Longer contours are made coarser."""


@dataclass(frozen=True, eq=False)
class RandomPairs:
    """Differences between the tracks of random pairs. The difference of any other pair is compared with them.

    Attributes
    ----------
    contributions : (pairs, d)
        Amount that each coefficient adds to the distance of each pair.
    moments : (k,)
        Differences between a random frame of one track and a random frame of the other track of a pair.
    """

    contributions: NDArray[np.float64]
    moments: NDArray[np.float64]

    @classmethod
    def of(cls, pairs: Iterable[tuple[Frames, Frames]], scales: NDArray[np.floating]) -> "RandomPairs":
        """Measure pairs of contours, at least one. The same pairs always give the same result."""
        chance = np.random.default_rng(0)
        added, moments = [], []
        for a, b in pairs:
            added.append(contributions(a, b, scales))
            chosen = (
                a[chance.integers(len(a), size=_MOMENTS_PER_PAIR)] - b[chance.integers(len(b), size=_MOMENTS_PER_PAIR)]
            )
            moments.append(np.abs(chosen / scales).mean(axis=1))
        return cls(np.array(added, np.float64), np.concatenate(moments, dtype=np.float64))

    @property
    def distances(self) -> NDArray[np.float64]:
        """Distances of the pairs, of shape (pairs,)."""
        distances: NDArray[np.float64] = self.contributions.sum(axis=1)
        return distances

    @property
    def median_distance(self) -> float:
        """The median of the distances."""
        return float(np.median(self.distances))

    @property
    def close(self) -> float:
        """The largest difference of moments that sound alike."""
        return max(float(np.quantile(self.moments, CLOSE_SHARE)), _LEAST_CLOSE)


@dataclass(frozen=True)
class Percentile:
    """The distance of a pair compared with the distances of random pairs of the library.

    Attributes
    ----------
    random_pairs
        Number of random pairs.
    closer_than
        Share of the random pairs that are farther apart, 0 to 1.
    ratio
        The pair's distance divided by the median distance of the random pairs; None if the median is 0.
    """

    random_pairs: int
    closer_than: float
    ratio: float | None


@dataclass(frozen=True)
class Coefficient:
    """The part of one coefficient in the distance of a pair.

    Attributes
    ----------
    name
        COE_1, COE_2, …
    stands_for
        Short meaning: level, brightness, broad shape, or fine shape.
    description
        Exact meaning.
    share
        Share of the distance. The shares of all coefficients add up to 1; they are 0 if the distance is 0.
    closer_than
        Share of the random pairs that are farther apart in this coefficient, 0 to 1.
    """

    name: str
    stands_for: Sentence
    description: Sentence
    share: float
    closer_than: float


@dataclass(frozen=True)
class SimilarStretch:
    """A stretch of track `a` that sounds like a stretch of track `b`.

    Attributes
    ----------
    a_start, a_end, b_start, b_end
        Times in seconds from the beginning of the file.
    difference
        Mean difference over the stretch and all coefficients, in standard deviations over the library.
    closer_than
        Share of the random moments of the library that differ more, 0 to 1.
    """

    a_start: float
    a_end: float
    b_start: float
    b_end: float
    difference: float
    closer_than: float


@dataclass(frozen=True)
class Explanation:
    """Why two tracks are near to each other. It consists of numbers, strings, and sequences of them, as JSON does.

    Attributes
    ----------
    distance
        Distance of the contours by `mfcc_assets.similarity.dtw.distance.DTW`, in standard deviations. It is not
        corrected for hubs.
    control
        Comparison of this distance with random pairs.
    coefficients
        Parts of the coefficients in the distance, COE_1 first.
    stretches
        Stretches that sound alike, best first. There is none if the tracks never sound alike for `SHORTEST_SECONDS`.
    path
        Alignment of both tracks from beginning to end: seconds of the file of `a` and of the file of `b`.
    """

    distance: float
    control: Percentile
    coefficients: tuple[Coefficient, ...]
    stretches: tuple[SimilarStretch, ...]
    path: tuple[tuple[float, float], ...]


def explain(
    a: Frames,
    b: Frames,
    scales: NDArray[np.floating],
    random_pairs: RandomPairs,
    *,
    times: tuple[ContourTimes, ContourTimes],
    parameters: CepstraParameters,
) -> Explanation:
    """Explain the distance of two tracks.

    Parameters
    ----------
    a : (n, d)
        Contour of the first track.
    b : (m, d)
        Contour of the second track.
    scales : (d,)
        Standard deviation of each coefficient over the library.
    random_pairs
        Random pairs of that library.
    times
        Times of both contours in their files.
    parameters
        Parameters of the cepstra.

    Raises
    ------
    ValueError
        If a contour is empty or not finite, if the tracks differ in coefficients, or if a scale is not positive.

    Examples
    --------
    The tracks differ only in the second coefficient, and less than the random pair does:

    >>> a, scales = np.zeros((40, 10)), np.ones(10)
    >>> b = a + [0, 1, *[0] * 8]
    >>> random_pairs = RandomPairs.of([(a, a + 2)], scales)
    >>> times = ContourTimes.even(frames=40, seconds=20.0)
    >>> why = explain(a, b, scales, random_pairs, times=(times, times), parameters=CepstraParameters())
    >>> why.distance, why.coefficients[1].share, why.coefficients[1].stands_for
    (0.5, 1.0, 'brightness')
    >>> why.control.closer_than
    1.0
    """
    added = contributions(a, b, scales)
    distance = float(added.sum())
    farther = (random_pairs.contributions > added).mean(axis=0)
    shares = added / distance if distance else np.zeros_like(added)

    differences = moment_differences(a, b, scales)
    # Long contours were made coarser.
    rows, columns = (len(a) / differences.shape[0], len(b) / differences.shape[1])
    path = cheapest_path(differences, band=DTW.band) + 0.5
    return Explanation(
        distance=distance,
        control=Percentile(
            random_pairs=len(random_pairs.distances),
            closer_than=float((random_pairs.distances > distance).mean()),
            ratio=distance / random_pairs.median_distance if random_pairs.median_distance else None,
        ),
        coefficients=tuple(
            Coefficient(f"COE_{number}", *meaning(number, parameters), float(share), float(closer_than))
            for number, (share, closer_than) in enumerate(zip(shares, farther, strict=True), start=1)
        ),
        stretches=tuple(_similar_stretches(differences, random_pairs, times)),
        path=tuple(
            zip(
                times[0].begin_at(path[:, 0] * rows).tolist(),
                times[1].begin_at(path[:, 1] * columns).tolist(),
                strict=True,
            )
        ),
    )


def contributions(a: Frames, b: Frames, scales: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the amount (d,) that each coefficient adds to the distance `DTW` of two contours.

    Raises
    ------
    ValueError
        As for `explain`.
    """
    return DTW.weights(scales, len(a) + len(b)) * dtw_distances(a, b, band=DTW.band)


def moment_differences(a: Frames, b: Frames, scales: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the difference of every moment of one track from every moment of another.

    Parameters
    ----------
    a : (n, d)
        Contour of the first track.
    b : (m, d)
        Contour of the second track.
    scales : (d,)
        Standard deviation of each coefficient over the library.

    Returns
    -------
    (n, m)
        Mean over the coefficients of ``|a[i] - b[j]|``, in standard deviations. If the matrix would have more than
        1,000,000 cells, both tracks are made coarser by the same factor, because two tracks of 4 hours would take
        gigabytes.
    """
    factor = max(1, ceil(sqrt(len(a) * len(b) / _MOST_CELLS)))
    x, y = (_coarser(track / scales, factor) for track in (a, b))
    # The two arrays are used for all coefficients, which is much faster than new arrays for each.
    differences, difference = np.zeros((2, len(x), len(y)), np.float32)
    for x_curve, y_curve in zip(x.T, y.T, strict=True):
        np.subtract.outer(x_curve, y_curve, out=difference)
        differences += np.abs(difference, out=difference)
    differences /= len(scales)
    return differences


def _coarser(contour: Frames, factor: int) -> NDArray[np.float32]:
    return segment_means(contour.astype(np.float32), ceil(len(contour) / factor))


def _similar_stretches(
    differences: NDArray[np.float32], random_pairs: RandomPairs, times: tuple[ContourTimes, ContourTimes]
) -> Iterator[SimilarStretch]:
    # Long contours were made coarser.
    of_a, of_b = times
    frames = [len(each.begins) / length for each, length in zip(times, differences.shape, strict=True)]
    # A track that is shorter than the least length, such as a jingle, may be similar as a whole. The subtrahend is
    # larger than any rounding error.
    shortest = [
        min(length, ceil(SHORTEST_SECONDS / (each.frame_seconds * factor) - 1e-6))
        for each, length, factor in zip(times, differences.shape, frames, strict=True)
    ]
    for found in local_alignments(differences, close=random_pairs.close, shortest=shortest, count=MOST_STRETCHES):
        in_a, in_b = found.rows * frames[0], found.columns * frames[1]
        closer_than = float((random_pairs.moments > found.difference).mean())
        yield SimilarStretch(
            float(of_a.begin_at(in_a)[0]),
            float(of_a.end_at(in_a)[1]),
            float(of_b.begin_at(in_b)[0]),
            float(of_b.end_at(in_b)[1]),
            found.difference,
            closer_than,
        )


def meaning(number: int, parameters: CepstraParameters) -> tuple[Sentence, Sentence]:
    """Return the short and the exact meaning of a coefficient of a contour.

    Parameters
    ----------
    number
        Number of the coefficient, 1 for COE_1.
    parameters
        Parameters of the cepstra.

    Notes
    -----
    COE_1 is the logarithm of the energy of the low band. Every other COE_n is a term of the cosine transform of the
    logarithms of the energies of its filters. It is their sum, weighted by a cosine with n - 1 half-waves over the low
    band's part of the mel scale, which begins at 1 with the lowest filter.

    Examples
    --------
    >>> meaning(2, CepstraParameters())
    ('brightness', 'energy below 2.0 kHz against energy above')
    """
    half_waves = number - 1
    if half_waves == 0:
        frequency = f"{LOW_BAND / 1000:.1f} kHz"
        return Sentence("level"), Sentence(
            "energy below %(frequency)s, relative to the loudest sample of the track", frequency=frequency
        )
    if half_waves == 1:
        frequency = _crossing(1, 1, parameters)
        return Sentence("brightness"), Sentence("energy below %(frequency)s against energy above", frequency=frequency)
    if half_waves == 2:
        low, high = _crossing(1, 2, parameters), _crossing(2, 2, parameters)
        between = Sentence("energy from %(low)s to %(high)s against energy below and above", low=low, high=high)
        return Sentence("broad shape"), between
    shape = Sentence("broad shape") if half_waves <= _BROAD_HALF_WAVES else Sentence("fine shape")
    return shape, Sentence("spectrum along a cosine of %(number)s half-waves over the low band", number=str(half_waves))


def _crossing(number: int, half_waves: int, parameters: CepstraParameters) -> str:
    """Return the frequency at which a cosine over the filters changes its sign for the `number`-th time."""
    of_filters = (2 * number - 1) / (2 * half_waves) * low_filters(parameters) + 0.5
    highest = hz_to_mel(parameters.sample_rate / 2)
    hertz = mel_to_hz(highest * of_filters / (parameters.filters + 1))
    return f"{hertz / 1000:.1f} kHz"
