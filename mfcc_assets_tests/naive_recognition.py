"""Slow and obviously right twins of the functions of recognition."""

import math

import numpy as np
from numpy.typing import NDArray


def changes(cepstra: NDArray[np.float32], frames: int, span: int) -> NDArray[np.float64]:
    """Changes (k, 6) over `span` of the shapes in the low filters of means of `frames` cepstra.

    This is for the default parameters, which give 13 liftered cepstra of 26 filters, 13 of them below 4 kHz.
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
    """Cosine of two arrays, or 0 if one of them is zero."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / lengths if lengths else 0.0


def best_window_cosine(track: NDArray[np.float64], stretches: list[NDArray[np.float64]]) -> float:
    """Largest cosine of a stretch with a window of its length centred in the track, which is padded with zeros."""
    length = len(stretches[0])
    silence = np.zeros((length, track.shape[1]))
    padded = np.concatenate([silence, track, silence])
    first = length - length // 2
    windows = [padded[begin : begin + length] for begin in range(first, first + len(track))]
    return max(cosine(window, stretch) for window in windows for stretch in stretches)


def best_shifted_cosine(shorter: NDArray[np.float64], longer: NDArray[np.float64], apart: int) -> float:
    """Largest cosine with a window of the longer track. The window may reach `apart` frames beyond it."""
    silence = np.zeros((apart, longer.shape[1]))
    padded = np.concatenate([silence, longer, silence])
    return max(cosine(shorter, padded[begin : begin + len(shorter)]) for begin in range(len(padded) - len(shorter) + 1))


def distinctive(changes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fine changes (k, 6) with zeros for those that are shorter than the changes of steady noise."""
    return np.array([change if math.hypot(*change) >= 1.5 else [0.0] * 6 for change in changes]).reshape(-1, 6)


def best_overlap(query: NDArray[np.float64], track: NDArray[np.float64]) -> tuple[float, int, int]:
    """Cosine, offset and length of the best overlap, which holds at least four fifths of the shorter track."""
    found = []
    for offset in range(-len(query), len(track) + 1):
        begin, end = max(0, -offset), min(len(query), len(track) - offset)
        if end - begin >= 0.8 * min(len(query), len(track)):
            found.append((cosine(query[begin:end], track[begin + offset : end + offset]), offset, end - begin))
    return max(found)
