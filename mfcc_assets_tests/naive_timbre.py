"""Slow twins of timbre and of the low band, written to be obviously correct. They hold for the default parameters."""

import math
import warnings

import numpy as np
import scipy.fft
import scipy.linalg
from numpy.typing import NDArray


def low_band_cepstra(cepstra: NDArray[np.floating], coefficients: int) -> NDArray[np.float64]:
    """The cepstra of the 20 lowest of 26 filters, given as many cepstra of all filters as are known."""
    described = []
    for frame in cepstra.astype(np.float64):
        logarithms = log_filters(frame)
        low = scipy.fft.dct(logarithms[:20], norm="ortho")[:coefficients]
        described.append([math.log(sum(map(math.exp, logarithms[:20]))), *(low * lifter(len(low)))[1:]])
    return np.array([np.pad(frame, (0, coefficients - len(frame))) for frame in described])


def log_filters(frame: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithms of the energies of the 26 filters of a frame. The energies add up to that of the frame."""
    shape = scipy.fft.idct(np.append(0, (frame / lifter(len(frame)))[1:]), n=26, norm="ortho")
    return np.array([level - math.log(sum(map(math.exp, shape))) + frame[0] for level in shape])


def lifter(coefficients: int) -> NDArray[np.float64]:
    """The factors by which the lifter of the default parameters scales coefficients."""
    return np.array([1 + 11 * math.sin(math.pi * k / 22) for k in range(coefficients)])


def timbre_vector(cepstra: NDArray[np.float32]) -> NDArray[np.float64]:
    """The vector of `mfcc_assets.features.timbre`, computed from a whole track at once."""
    repeated = np.array([cepstra[i % len(cepstra)] for i in range(max(256, len(cepstra)))], np.float64)
    whole, low = (2.4, 4.7, repeated[:, :20]), (2.0, 4.3, low_band_cepstra(repeated, 16))
    frames, low_frames = (scaled_frames(*band) for band in (whole, low))
    groups = (frames, texture(frames), movement(repeated[:, :20]), low_frames, texture(low_frames))
    return np.concatenate([gaussian_vector(points) for points in groups])


def scaled_frames(energy: float, second: float, c: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cepstra and deltas, given the usual deviations of the first and of the second coefficient."""
    count, width = c.shape
    scale = np.array([energy] + [second / k**0.75 * lifter(width)[k] for k in range(1, width)])
    before, after = (lambda i, n: c[max(i - n, 0)]), (lambda i, n: c[min(i + n, count - 1)])
    delta = np.array([sum(n * (after(i, n) - before(i, n)) for n in (1, 2)) / 10 for i in range(count)])
    return np.hstack([(c - [2.4 * -(k == 0) for k in range(width)]) / scale, delta / scale / 0.2])


def texture(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of the cepstra of each second, and deviations of both cepstra and deltas."""
    seconds = [np.hsplit(frames[first : first + 100], 2) for first in range(0, len(frames) - 99, 100)]
    described = []
    for of_second, of_delta in seconds:
        deviations = np.log(0.05 + of_second.std(axis=0)) + 0.3, np.log(0.05 + of_delta.std(axis=0))
        described.append([*(of_second.mean(axis=0) / 0.7), *(deviations[0] / 0.25), *(deviations[1] / 0.25)])
    return np.array(described)


def movement(c: NDArray[np.float64]) -> NDArray[np.float64]:
    """Levels of five bands, and how much they vary in six octaves of modulation, for each window."""
    logarithms = np.array([log_filters(frame) for frame in c])
    bands = [np.log(np.exp(logarithms[:, b : b + 4]) + 1e-6).mean(axis=1) for b in range(0, 20, 4)]
    hann = np.array([0.5 - 0.5 * math.cos(2 * math.pi * i / 255) for i in range(256)])
    described = []
    for first in range(0, len(c) - 255, 128):
        windows = [band[first : first + 256] for band in bands]
        spectra = [np.abs(np.fft.fft((window - window.mean()) * hann)) ** 2 for window in windows]
        octaves = [(1, 2), (2, 4), (4, 7), (7, 13), (13, 26), (26, 52)]
        variances = [
            sum(power[low:high]) * 2 / 256 / sum(h * h for h in hann) for power in spectra for low, high in octaves
        ]
        levels = [(window.mean() + 6.5) / 1.4 for window in windows]
        described.append(levels + [(math.log(1e-4 + variance) + 2.6) / 1.2 for variance in variances])
    return np.array(described)


def gaussian_vector(points: NDArray[np.float64]) -> list[float]:
    """The logarithm of the matrix of a Gaussian, as `mfcc_assets.features.timbre.timbre_vector` describes it."""
    mean, covariance = points.mean(axis=0), np.cov(points.T, bias=True) + 0.05 * np.eye(points.shape[1])
    second = covariance + np.outer(mean, mean)
    with warnings.catch_warnings():
        # logm warns about errors above 2e-13.
        warnings.simplefilter("ignore", RuntimeWarning)
        logarithm = scipy.linalg.logm(np.block([[second, mean[:, np.newaxis]], [mean, np.ones(1)]])).real
    return [
        logarithm[i, j] * (1 if i == j else math.sqrt(2)) for i in range(len(mean) + 1) for j in range(i, len(mean) + 1)
    ]
