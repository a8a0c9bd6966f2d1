"""Slow, obviously right twins of the kernels of `mfcc_assets.core`."""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import python_speech_features
import soundfile
import soxr
from numpy.typing import NDArray

from mfcc_assets.core.parameters import CepstraParameters


def in_band(i: int, j: int, n: int, m: int, band: float | None) -> bool:
    """Whether a path between tracks of `n` and `m` frames may lead through (i, j), as `dtw_distances` defines it."""
    if band is None or min(n, m) == 1:
        return True
    on_longer, on_shorter = (i, j) if n >= m else (j, i)
    longer, shorter = max(n, m), min(n, m)
    slope = Fraction(longer - 1, shorter - 1)
    return abs(on_longer - on_shorter * slope) <= max(round(band * longer), slope / 2)


def dtw(a: NDArray[np.float64], b: NDArray[np.float64], band: float | None = None) -> NDArray[np.float64]:
    """Accumulated cost (n, m) of the best path to every cell; infinite outside the band."""
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
    """For each frame of `a` and each coefficient: what all later frames add to their DTW distance at least (n, d)."""
    least = np.array(
        [
            np.abs(a[i] - [b[j] for j in range(len(b)) if in_band(i, j, len(a), len(b), band)]).min(axis=0)
            for i in range(len(a))
        ]
    )
    return np.array([least[i + 1 :].sum(axis=0) for i in range(len(a))])


def cells_in_band(n: int, m: int, band: float | None) -> int:
    return sum(in_band(i, j, n, m, band) for i in range(n) for j in range(m))


def weighted_dtw(
    a: NDArray[np.float64], b: NDArray[np.float64], weights: NDArray[np.float64], band: float | None = None
) -> float:
    """Weighted sum of every coefficient's own DTW distance."""
    return float(sum(w * dtw(x, y, band)[-1, -1] for w, x, y in zip(weights, a.T, b.T, strict=True)))


def keogh(a: NDArray[np.float64], b: NDArray[np.float64], band: float | None = None) -> NDArray[np.float64]:
    """Terms of LB_Keogh (n, d): how far each frame of `a` lies outside what `b` takes in its part of the band."""
    terms = np.zeros(a.shape)
    for i in range(len(a)):
        for k in range(a.shape[1]):
            values = [b[j, k] for j in range(len(b)) if in_band(i, j, len(a), len(b), band)]
            terms[i, k] = max(a[i, k] - max(values), min(values) - a[i, k], 0)
    return terms


def coarser(frames: NDArray[np.float64], factor: int) -> NDArray[np.float64]:
    """Means of `factor` frames, the last of as many as are left."""
    return np.array([frames[first : first + factor].mean(axis=0) for first in range(0, len(frames), factor)])


def levelled_signal(path: Path, parameters: CepstraParameters) -> NDArray[np.float64]:
    """The article's signal of the whole file: mixed down, resampled, trimmed, levelled to its absolute peak."""
    # soundfile.read would seek to the start first, after which the MP3 decoder rounds differently.
    with soundfile.SoundFile(path) as file:
        signal = file.read(dtype="float32", always_2d=True).mean(axis=1)
        if file.samplerate != parameters.sample_rate:
            signal = soxr.resample(signal, file.samplerate, parameters.sample_rate)
    signal = signal[parameters.trimmed_samples : len(signal) - parameters.trimmed_samples].astype(np.float64)
    return signal / np.abs(signal).max()


def cepstra(signal: NDArray[np.float64], parameters: CepstraParameters) -> NDArray[np.float64]:
    """What the article computes, with an FFT that sees the whole frame unless the parameters say otherwise."""
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


def changes(cepstra: NDArray[np.float32], frames: int, span: int) -> NDArray[np.float64]:
    """What `matching` compares, (k, 6): mean of `frames` cepstra, its shape in 13 low filters, the change over `span`.

    For the default parameters: 13 liftered cepstra of 26 filters, of which 13 lie below 4 kHz.
    """
    shapes = []
    for first in range(0, len(cepstra) - frames + 1, frames):
        mean = cepstra[first : first + frames].mean(axis=0, dtype=np.float64)
        log_filters = [
            sum(
                mean[n] / (1 + 11 * math.sin(math.pi * n / 22)) * math.cos(math.pi * n * (2 * b + 1) / 52) / 13**0.5
                for n in range(1, 13)
            )
            for b in range(13)
        ]
        shapes.append(
            [
                math.sqrt(k * 2 / 13)
                * sum(log_filters[b] * math.cos(math.pi * k * (2 * b + 1) / 26) for b in range(13))
                for k in range(1, 7)
            ]
        )
    differences = [np.subtract(later, earlier) for earlier, later in zip(shapes, shapes[span:], strict=False)]
    return np.array([d * min(1.0, 3 / max(float(np.linalg.norm(d)), 1e-30)) for d in differences]).reshape(-1, 6)


def cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / lengths if lengths else 0.0


def best_window_cosine(track: NDArray[np.float64], stretches: list[NDArray[np.float64]]) -> float:
    """The largest cosine of a stretch with a window of its length centred in the track, beyond which lies nothing."""
    length = len(stretches[0])
    silence = np.zeros((length, track.shape[1]))
    padded = np.concatenate([silence, track, silence])
    first = length - length // 2
    windows = [padded[begin : begin + length] for begin in range(first, first + len(track))]
    return max(cosine(window, stretch) for window in windows for stretch in stretches)


def best_overlap(query: NDArray[np.float64], track: NDArray[np.float64]) -> tuple[float, int, int]:
    """Cosine, offset and length in frames where they agree best, with four fifths of the shorter inside the longer."""
    found = []
    for offset in range(-len(query), len(track) + 1):
        begin, end = max(0, -offset), min(len(query), len(track) - offset)
        if end - begin >= 0.8 * min(len(query), len(track)):
            found.append((cosine(query[begin:end], track[begin + offset : end + offset]), offset, end - begin))
    return max(found)


def segment_means(cepstra: NDArray[np.float32], segments: int) -> NDArray[np.float64]:
    """Mean (segments, d) of stretches as even as they can be; an empty one is the frame at its start."""
    means = []
    for segment in range(segments):
        first, end = (math.floor(Fraction(edge * len(cepstra), segments)) for edge in (segment, segment + 1))
        means.append(np.mean([frame.astype(np.float64) for frame in cepstra[first : max(end, first + 1)]], axis=0))
    return np.array(means)


def nearest(
    embeddings: NDArray[np.float32], query: NDArray[np.float32], scales: NDArray[np.float64]
) -> list[tuple[float, int]]:
    """Distance and row of every embedding, nearest first, with every coefficient divided by its scale."""
    every = np.tile(scales, len(query) // len(scales))
    return sorted((math.dist(row / every, query / every), number) for number, row in enumerate(embeddings))


def share_with_label(ranked: dict[str, list[str]], labels: dict[str, str], places: int) -> list[float]:
    """For every query whose label three tracks or more carry: the share of its first places with the same label."""
    shares = []
    for query, tracks in ranked.items():
        label = labels.get(query)
        if label is not None and list(labels.values()).count(label) >= 3:
            shares.append(sum(labels.get(track) == label for track in tracks[:places]) / places)
    return shares


def share_found(exhaustive: dict[str, list[str]], found: dict[str, list[str]], places: int) -> list[float]:
    """For every query with a ranking: the share of its first places that were found."""
    shares = []
    for query, best in exhaustive.items():
        wanted = best[:places]
        if wanted:
            shares.append(sum(track in found.get(query, []) for track in wanted) / len(wanted))
    return shares
