"""The published method, computed with the libraries of the article, to check ours.

The article is "Build a MFCC-based music recommendation engine on cloud". It reads files with ``librosa.load``, computes
cepstra with ``python_speech_features.mfcc``, and compares each coefficient of two tracks with ``fastdtw``.

These libraries are imported when they are first used, because their import is slow and most processes never use them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import UnreadableAudio
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.similarity.dtw.distance import Frames
from mfcc_assets.similarity.dtw.kernels import dtw_distance

LARGEST_DIFFERENCE = 1e-3
"""Largest difference at which our cepstra count as those of the article."""


def published_cepstra(
    path: Path,
    parameters: CepstraParameters,
    *,
    skipped: slice = slice(0),
    frames_at_once: int = 6_000,
) -> NDArray[np.float64]:
    """Compute the cepstra of a file with the article's libraries.

    Parameters
    ----------
    path
        A file in a format that librosa reads.
    parameters
        Definition of the cepstra, as for `mfcc_assets.features.mfcc.compute_cepstra`.
    skipped
        Samples that are left out before the signal is trimmed: see `mfcc_assets.audio.reader.Audio.skipped`.
    frames_at_once
        Number of frames for which ``python_speech_features`` is called at once. It holds every frame and its spectrum
        in float64, 200 MB for the default.

    Returns
    -------
    (frames, coefficients) float64

    Raises
    ------
    UnreadableAudio
        If librosa cannot read the file, or decodes it with another decoder than we do.
    ValueError
        If only zeros are left after trimming.

    Notes
    -----
    As in the article, the file is mixed down, resampled, trimmed at both ends, and divided by its largest absolute
    sample. `CepstraParameters` says by how much it is trimmed, and how long the FFT is.
    """
    signal = _levelled(np.delete(_load(path, parameters.sample_rate), skipped), parameters.trimmed_samples)
    return _mfcc(signal, parameters, frames_at_once)


def largest_difference(ours: Frames, published: Frames) -> float:
    """Return the largest absolute difference between two versions of the same cepstra.

    The last frame does not count. It is padded with zeros, and librosa may add a sample to a resampled signal, so that
    it may even be a frame longer.

    Parameters
    ----------
    ours : (n, coefficients)
        Cepstra that we computed.
    published : (m, coefficients)
        Cepstra that the article's libraries computed.

    Returns
    -------
    float
        Infinity if the two differ by more than one frame, or in the number of coefficients.

    Raises
    ------
    ValueError
        If one of the two has fewer than two frames.

    Examples
    --------
    >>> largest_difference(np.zeros((3, 13)), np.full((3, 13), -0.5))
    0.5
    """
    frames = min(len(ours), len(published))
    if frames < 2:
        raise ValueError(f"expected two frames or more, not {len(ours)} and {len(published)}")
    if abs(len(ours) - len(published)) > 1 or ours.shape[1] != published.shape[1]:
        return math.inf
    return float(np.abs(ours[: frames - 1] - published[: frames - 1]).max())


@dataclass(frozen=True)
class FastdtwExcess:
    """The distance of one coefficient, or the sum over several, as fastdtw finds it and as it exactly is.

    Attributes
    ----------
    fastdtw
        The distance that fastdtw finds with radius 1: never below the exact one, except for rounding.
    exact
        The distance of the best warping path.
    """

    fastdtw: float
    exact: float

    @property
    def percent(self) -> float:
        """Excess of fastdtw's distance over the exact one, in percent; 0 if the exact one is 0."""
        return 100 * (self.fastdtw / self.exact - 1) if self.exact else 0.0


def fastdtw_excess(a: Frames, b: Frames, coefficient: int) -> FastdtwExcess:
    """Compare fastdtw's distance of one coefficient with the exact one, at full length and without a band.

    Parameters
    ----------
    a : (n, d)
        Cepstra of a track.
    b : (m, d)
        Cepstra of another track.
    coefficient
        Number of the coefficient: 1 for COE_1.

    Raises
    ------
    ValueError
        If there is no such coefficient, or if `dtw_distance` refuses the curves.
    """
    if not 1 <= coefficient <= min(a.shape[1], b.shape[1]):
        raise ValueError(f"expected a coefficient from 1 to {min(a.shape[1], b.shape[1])}, not {coefficient}")
    from fastdtw import fastdtw

    x, y = a[:, coefficient - 1], b[:, coefficient - 1]
    exact = dtw_distance(x, y)
    return FastdtwExcess(float(fastdtw(x, y, radius=1)[0]), exact)


def summed_excess(a: Frames, b: Frames, on_progress: Callable[[int, int], None] = lambda *_: None) -> FastdtwExcess:
    """Compare the article's distance, the sum over all coefficients, by fastdtw with the exact one.

    Parameters
    ----------
    a : (n, d)
        Cepstra of a track.
    b : (m, d)
        Cepstra of another track.
    on_progress
        Called after each coefficient with the number of coefficients that are done and of all.

    Raises
    ------
    ValueError
        As `fastdtw_excess`, or if the tracks have different numbers of coefficients.
    """
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"the tracks have {a.shape[1]} and {b.shape[1]} coefficients")
    found = []
    for number in range(1, a.shape[1] + 1):
        found.append(fastdtw_excess(a, b, number))
        on_progress(number, a.shape[1])
    return FastdtwExcess(sum(excess.fastdtw for excess in found), sum(excess.exact for excess in found))


def _load(path: Path, sample_rate: int) -> NDArray[np.float32]:
    import librosa
    import soundfile

    from mfcc_assets.audio.mixing import mixed_down

    try:
        # If librosa opens the file, and soundfile cannot read it, librosa tries programs that may be installed.
        with soundfile.SoundFile(path) as file:
            if file.subtype == "OPUS":
                # Our decoder is FFmpeg's. Decoders of Opus need not agree, and in quiet frames they clearly differ.
                raise UnreadableAudio("librosa decodes Opus differently", subject=path.name)
            channels, native_rate = librosa.load(file, sr=None, mono=False)
    # soundfile raises a TypeError for a name that ends in .raw, because it wants a sample rate then. Where the length
    # of a stream is unknown, as in chained Ogg files, NumPy cannot make the array.
    except (soundfile.LibsndfileError, TypeError, ValueError, MemoryError) as error:
        raise UnreadableAudio("librosa cannot read the file", subject=path.name) from error
    # librosa's own mix is the same, but it is silent where the channels cancel each other out.
    mono = mixed_down(np.ascontiguousarray(np.atleast_2d(channels).T))
    signal: NDArray[np.float32] = librosa.resample(mono, orig_sr=native_rate, target_sr=sample_rate)
    return signal


def _levelled(signal: NDArray[np.float32], trimmed_samples: int) -> NDArray[np.float64]:
    trimmed = signal[trimmed_samples : len(signal) - trimmed_samples].astype(np.float64)
    peak = np.abs(trimmed).max(initial=0.0)
    if not peak > 0:
        raise ValueError("a signal of only zeros has no level")
    levelled: NDArray[np.float64] = trimmed / peak
    return levelled


def _mfcc(signal: NDArray[np.float64], parameters: CepstraParameters, frames_at_once: int) -> NDArray[np.float64]:
    """Call ``python_speech_features.mfcc`` on a few frames at a time.

    The result is that of one call. Only the pre-emphasis looks beyond a frame, so it is applied to the whole signal.
    """
    import python_speech_features

    window, step = parameters.window_samples, parameters.step_samples
    options: dict[str, Any] = {
        "samplerate": parameters.sample_rate,
        "winlen": parameters.window_seconds,
        "winstep": parameters.step_seconds,
        "numcep": parameters.coefficients,
        "nfilt": parameters.filters,
        "nfft": parameters.fft_points,
        "preemph": 0.0,
        "ceplifter": parameters.lifter,
        "appendEnergy": True,
    }
    emphasised = python_speech_features.sigproc.preemphasis(signal, parameters.preemphasis)
    frames = max(1, 1 + math.ceil((len(signal) - window) / step))
    parts = [
        python_speech_features.mfcc(
            emphasised[first * step : (min(first + frames_at_once, frames) - 1) * step + window], **options
        )
        for first in range(0, frames, frames_at_once)
    ]
    return np.concatenate(parts)
