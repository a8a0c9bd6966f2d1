"""Slow twins of the kernels in the science packages, written to be obviously correct."""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import numpy as np
import python_speech_features
import scipy.stats
import soundfile
import soxr
from numpy.typing import NDArray

from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.similarity.dtw.distance import WarpedDistance
from mfcc_assets.similarity.dtw.kernels import dtw_distances

_Track = TypeVar("_Track", bound=str)


def in_band(i: int, j: int, n: int, m: int, band: float | None) -> bool:
    """True if a path between tracks of `n` and `m` frames may pass (i, j), as `dtw_distances` defines it."""
    if band is None or min(n, m) == 1:
        return True
    on_longer, on_shorter = (i, j) if n >= m else (j, i)
    longer, shorter = max(n, m), min(n, m)
    slope = Fraction(longer - 1, shorter - 1)
    return abs(on_longer - on_shorter * slope) <= max(Fraction(round(band * longer)), slope / 2)


def dtw(a: NDArray[np.float64], b: NDArray[np.float64], band: float | None = None) -> NDArray[np.float64]:
    """Accumulated cost (n, m) of the best path to every cell. It is infinite outside the band."""
    n, m = len(a), len(b)
    cost = np.full((n, m), np.inf)
    for i in range(n):
        for j in range(m):
            if in_band(i, j, n, m, band):
                step = abs(float(a[i]) - float(b[j]))
                before = [cost[p, q] for p, q in ((i - 1, j), (i, j - 1), (i - 1, j - 1)) if p >= 0 and q >= 0]
                cost[i, j] = step + min(before, default=0.0)
    return cost


def remaining_cost(a: NDArray[np.float64], b: NDArray[np.float64], band: float | None = None) -> NDArray[np.float64]:
    """Least cost (n, d) that all frames after each frame of `a` add to the DTW distance of each coefficient."""
    least = np.array(
        [
            np.abs(a[i] - [b[j] for j in range(len(b)) if in_band(i, j, len(a), len(b), band)]).min(axis=0)
            for i in range(len(a))
        ]
    )
    return np.array([least[i + 1 :].sum(axis=0) for i in range(len(a))])


def cells_in_band(n: int, m: int, band: float | None) -> int:
    """Count the cells in the band."""
    return sum(in_band(i, j, n, m, band) for i in range(n) for j in range(m))


def weighted_dtw(
    a: NDArray[np.float64], b: NDArray[np.float64], weights: NDArray[np.float64], band: float | None = None
) -> float:
    """Weighted sum of the DTW distances of all coefficients."""
    return float(sum(w * dtw(x, y, band)[-1, -1] for w, x, y in zip(weights, a.T, b.T, strict=True)))


def keogh(a: NDArray[np.floating], b: NDArray[np.floating], band: float | None = None) -> NDArray[np.float64]:
    """Terms (n, d) of LB_Keogh: how far each frame of `a` lies outside the values of `b` within the band."""
    terms = np.zeros(a.shape)
    for i in range(len(a)):
        for k in range(a.shape[1]):
            values = [b[j, k] for j in range(len(b)) if in_band(i, j, len(a), len(b), band)]
            terms[i, k] = max(a[i, k] - max(values), min(values) - a[i, k], 0)
    return terms


def coarser(frames: NDArray[np.float64], factor: int) -> NDArray[np.float64]:
    """Means of every `factor` frames. The last mean is of the frames that are left."""
    return np.array([frames[first : first + factor].mean(axis=0) for first in range(0, len(frames), factor)])


def levelled_signal(path: Path, parameters: CepstraParameters) -> NDArray[np.float64]:
    """The signal of the article: a whole file mixed down, resampled, trimmed and levelled to its absolute peak."""
    # soundfile.read would seek to the start first, and the MP3 decoder then rounds differently.
    with soundfile.SoundFile(path) as file:
        signal = file.read(dtype="float32", always_2d=True).mean(axis=1)
        if file.samplerate != parameters.sample_rate:
            signal = soxr.resample(signal, file.samplerate, parameters.sample_rate)
    signal = signal[parameters.trimmed_samples : len(signal) - parameters.trimmed_samples].astype(np.float64)
    return signal / np.abs(signal).max()


def cepstra(signal: NDArray[np.float64], parameters: CepstraParameters) -> NDArray[np.float64]:
    """The cepstra of the article, but with an FFT over the whole frame unless the parameters give its size."""
    window = parameters.window_seconds * parameters.sample_rate
    return python_speech_features.mfcc(
        signal,
        samplerate=parameters.sample_rate,
        winlen=parameters.window_seconds,
        winstep=parameters.step_seconds,
        numcep=parameters.coefficients,
        nfilt=parameters.filters,
        nfft=parameters.fft_size or 2 ** math.ceil(math.log2(round(window))),
        preemph=parameters.preemphasis,
        ceplifter=parameters.lifter,
        appendEnergy=True,
    )


def segment_means(cepstra: NDArray[np.float32], segments: int) -> NDArray[np.float64]:
    """Means (segments, d) of segments of equal length. An empty segment takes the frame at its start."""
    means = []
    for segment in range(segments):
        first, end = (math.floor(Fraction(edge * len(cepstra), segments)) for edge in (segment, segment + 1))
        means.append(np.mean([frame.astype(np.float64) for frame in cepstra[first : max(end, first + 1)]], axis=0))
    return np.array(means)


def nearest(embeddings: NDArray[np.float32], query: NDArray[np.float32]) -> list[tuple[float, int]]:
    """Distance and row of every embedding, with the nearest first."""
    return sorted((math.dist(row, query), number) for number, row in enumerate(embeddings))


def share_with_label(
    ranked: Mapping[_Track, Sequence[_Track]], labels: Mapping[_Track, str], count: int
) -> list[float]:
    """Share of the first `count` tracks that have the label of the query, for labels of at least three tracks."""
    shares = []
    for query, tracks in ranked.items():
        label = labels.get(query)
        if label is not None and list(labels.values()).count(label) >= 3:
            shares.append(sum(labels.get(track) == label for track in tracks[:count]) / count)
    return shares


def of_own_class(
    ranked: Mapping[_Track, Sequence[_Track]], classes: Mapping[_Track, str], count: int
) -> list[tuple[float, float]]:
    """Share of the first `count` tracks that are of the query's class, and the share among all others, by query."""
    found = []
    for query, tracks in ranked.items():
        shown = [track for track in tracks if track in classes][:count]
        others = [track for track in classes if track != query]
        if query in classes and shown:
            same = [sum(classes[track] == classes[query] for track in some) / len(some) for some in (shown, others)]
            found.append((same[0], same[1]))
    return found


def share_found(exhaustive: dict[str, list[str]], found: dict[str, list[str]], count: int) -> list[float]:
    """Share of the best `count` tracks that were found, for each query with a ranking."""
    shares = []
    for query, best in exhaustive.items():
        wanted = best[:count]
        if wanted:
            shares.append(sum(track in found.get(query, []) for track in wanted) / len(wanted))
    return shares


def every_stretch(n: int, m: int) -> Iterator[list[tuple[int, int]]]:
    """All ways to match frames of two tracks such that neither runs at more than twice the pace of the other."""

    def beginning_with(cells: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
        yield cells
        i, j = cells[-1]
        for p, q in ((i + 1, j + 1), (i + 2, j + 1), (i + 1, j + 2)):
            if p < n and q < m:
                yield from beginning_with([*cells, (p, q)])

    for i in range(n):
        for j in range(m):
            yield from beginning_with([(i, j)])


def scores(distances: NDArray[np.float64], labels: list[str], works: list[str]) -> dict[str, float | None]:
    """The figures of `mfcc evaluate`, counted one by one. A track without label or work has an empty string."""
    tracks = range(len(distances))
    lists = [
        sorted((other for other in tracks if other != query), key=lambda other: (distances[query, other], other))
        for query in tracks
    ]
    of_label = [query for query in tracks if labels[query] and labels.count(labels[query]) >= 3]
    hits = [[labels[other] == labels[query] for other in lists[query][:5]] for query in of_label]
    named = [sum(track in lists[query][:5] for query in tracks) for track in tracks]
    of_work = [query for query in tracks if works[query] and works.count(works[query]) >= 2]
    return {
        "p_at_1": statistics.fmean(found[0] for found in hits) if hits else None,
        "p_at_5": statistics.fmean(sum(found) / 5 for found in hits) if hits else None,
        "hit_at_5": statistics.fmean(True in found for found in hits) if hits else None,
        "hub_skewness": float(scipy.stats.skew(named)) if len(set(named)) > 1 else 0.0,
        "largest_count": max(named),
        "never_recommended": named.count(0) / len(named),
        "map_work": statistics.fmean(average_precision(lists[query], works, works[query]) for query in of_work)
        if of_work
        else None,
    }


def average_precision(ranked: list[int], works: list[str], work: str) -> float:
    """Mean precision at the ranks of all tracks of the work."""
    ranks = [rank for rank, track in enumerate(ranked, start=1) if works[track] == work]
    return statistics.fmean(sum(earlier <= rank for earlier in ranks) / rank for rank in ranks)


def shares_beyond_album(
    ranked: Mapping[_Track, Sequence[_Track]], labels: Mapping[_Track, str], albums: Mapping[_Track, str], count: int
) -> list[float]:
    """The same as `share_with_label`, but without the other tracks of each query's album."""
    shares = []
    for query in ranked:
        if query in labels and query in albums:
            there = [track for track in {*labels, *albums} if track == query or albums.get(track) != albums[query]]
            same = [track for track in there if labels.get(track) == labels[query]]
            found = [track for track in ranked[query] if albums.get(track) != albums[query]][:count]
            if len(same) >= 3:
                shares.append(sum(track in same for track in found) / count)
    return shares


def divergence(
    mean: NDArray[np.float64],
    covariance: NDArray[np.float64],
    other_mean: NDArray[np.float64],
    other_covariance: NDArray[np.float64],
) -> float:
    """Root of the Jensen-Shannon divergence of two Gaussians, with a Gaussian of equal moments as their mixture."""
    between = (mean + other_mean) / 2
    mixed = sum(
        (np.array(of_one) + np.outer(at - between, at - between)) / 2
        for at, of_one in ((mean, covariance), (other_mean, other_covariance))
    )
    entropies = [
        float(scipy.stats.multivariate_normal(cov=matrix).entropy()) for matrix in (mixed, covariance, other_covariance)
    ]
    return math.sqrt(max(0.0, entropies[0] - statistics.fmean(entropies[1:])))


def corrected_distances(
    distances: NDArray[np.float64], sample: list[int], weights: NDArray[np.float64], rounds: int
) -> NDArray[np.float64]:
    """Sum of distances (tracks, tracks, parts), corrected for hubs by the distances to a sample of tracks.

    Each pair of tracks has weights of its own, of the same shape as the distances.
    """
    tracks = range(len(distances))
    equal = np.ones(distances.shape[:2])

    def mean_and_deviation(values: NDArray[np.float64], counts: NDArray[np.float64], track: int) -> tuple[float, float]:
        """Mean and deviation of the values of a track and the others in the sample, each of which counts so much."""
        others = [other for other in sample if other != track]
        if not others:
            return 0.0, 0.0
        to_sample, of_pairs = ([float(each[track, other]) for other in others] for each in (values, counts))
        mean = statistics.fmean(to_sample, of_pairs)
        return mean, math.sqrt(statistics.fmean([(value - mean) ** 2 for value in to_sample], of_pairs))

    def unusual(
        values: NDArray[np.float64],
        smallest: float,
        counts: NDArray[np.float64] = equal,
        largest_mean: float = math.inf,
    ) -> list[list[tuple[float, float]]]:
        """For each value, the deviations above the mean of one track and above that of the other."""
        of_tracks = []
        for track in tracks:
            mean, deviation = mean_and_deviation(values, counts, track)
            of_tracks.append((min(mean, largest_mean), max(deviation, 0.05 * abs(mean), smallest)))
        return [
            [
                tuple((values[i, j] - mean) / deviation for mean, deviation in (of_tracks[i], of_tracks[j]))
                for j in tracks
            ]
            for i in tracks
        ]

    def standardised(values: NDArray[np.float64], smallest: float) -> NDArray[np.float64]:
        return np.array([[statistics.fmean(pair) for pair in row] for row in unusual(values, smallest)])

    def largest_usual(values: NDArray[np.float64], counts: NDArray[np.float64]) -> float:
        """Four robust deviations above the median of the mean distances within the sample."""
        means = [mean_and_deviation(values, counts, track)[0] for track in sample]
        median = statistics.median(means)
        deviation = 1.48 * statistics.median([abs(mean - median) for mean in means])
        return median + 4 * max(deviation, 0.05 * median)

    by_part, sums = [], np.zeros(distances.shape[:2])
    for part in range(distances.shape[2]):
        values, of_pairs = distances[:, :, part], weights[:, :, part]
        counts = of_pairs + 0.001
        by_part.append(unusual(values, 1e-6, counts, largest_usual(values, counts)))
        sums += of_pairs * np.array([[statistics.fmean(pair) for pair in row] for row in by_part[-1]])
    for _ in range(rounds):
        sums = standardised(sums, 0.05)
    shares = weights / weights.sum(axis=2, keepdims=True)
    for_query = sum(
        shares[:, :, part] * np.array([[query for query, _ in row] for row in unusual_by])
        for part, unusual_by in enumerate(by_part)
    )
    not_near = 0.25 * np.maximum(for_query + 1, 0)
    chances = [
        [sum(scipy.stats.norm.logsf(z + not_near[i, j]) for z in pair) for j, pair in enumerate(row)]
        for i, row in enumerate(unusual(sums, 0.05))
    ]
    far_for_query = [[max(0.0, query - 0.5) for query, _ in row] for row in by_part[-1]]
    return np.array(far_for_query) - np.array(chances)


def second_moments(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Sum of x x' over the columns x."""
    total = np.zeros((len(points), len(points)))
    for point in points.T.astype(np.float64):
        total += np.outer(point, point)
    return total


def warped_distance(
    warped: WarpedDistance, query: NDArray[np.floating], candidate: NDArray[np.floating], scales: NDArray[np.floating]
) -> float:
    """Distance of two contours (n, d) and (m, d)."""
    distances = dtw_distances(query, candidate, band=warped.band)
    return float(warped.weights(scales, len(query) + len(candidate)) @ distances)
