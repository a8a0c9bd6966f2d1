"""What recognition compares: how the shape of the spectrum changes from one moment of a track to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy  # its FFT, 0.25 s of imports, comes when it is first used
from numpy.typing import NDArray

from mfcc_assets.features.parameters import CepstraParameters

_NARROWEST_BANDWIDTH = 4000.0
"""Hz. Audio at 8 kHz has nothing above; the filters up there hold whatever leaks into them."""

SHAPES = 6
"""Cosines that describe the spectral shape. Two more change nothing; four tell recordings apart less surely."""

_LARGEST_CHANGE = 3.0
"""Longer changes are cut to this length, or a pause before a loud entry outweighs ten seconds of music."""


@dataclass(frozen=True)
class Resolution:
    """How cepstra become changes: seconds a frame, and the frames between which a change is taken."""

    seconds: float
    span: int


COARSE = Resolution(seconds=0.5, span=1)
FINE = Resolution(seconds=0.1, span=8)


@dataclass(frozen=True)
class Fingerprints:
    """The sketches of a library, one after the other.

    Attributes
    ----------
    frames : (n, 6) float32
        May be memory-mapped: they are read once a search, in order.
    starts : (tracks + 1,) int64
        Where each track's frames begin; the last is `n`.
    audio_ids : (tracks,)
    """

    frames: NDArray[np.float32]
    starts: NDArray[np.int64]
    audio_ids: Sequence[str]

    def __post_init__(self) -> None:
        if self.frames.ndim != 2 or self.frames.shape[1] != SHAPES:
            raise ValueError(f"sketches are frames x {SHAPES}, not {self.frames.shape}")
        if len(self.starts) != len(self.audio_ids) + 1:
            raise ValueError(f"{len(self.audio_ids)} tracks have {len(self.starts)} starts, not one more")
        if self.starts[0] != 0 or self.starts[-1] != len(self.frames) or (np.diff(self.starts) < 1).any():
            raise ValueError("every track has a frame at least, and the last ends where the frames end")

    @classmethod
    def of(cls, fingerprints: Sequence[tuple[str, NDArray[np.float32]]]) -> "Fingerprints":
        """Put (audio id, `fingerprint`) of every track together."""
        frames = [frames for _, frames in fingerprints] or [np.zeros((0, SHAPES), np.float32)]
        starts = np.cumsum([0, *(len(frames) for _, frames in fingerprints)], dtype=np.int64)
        return cls(np.concatenate(frames), starts, tuple(audio_id for audio_id, _ in fingerprints))

    def __len__(self) -> int:
        return len(self.audio_ids)

    def __getitem__(self, row: int) -> NDArray[np.float32]:
        """The sketch of one track, without a copy."""
        return self.frames[self.starts[row] : self.starts[row + 1]]


def fingerprint(cepstra: NDArray[np.float32], parameters: CepstraParameters) -> NDArray[np.float32]:
    """Reduce a track to what `shortlist` searches.

    Parameters
    ----------
    cepstra : (frames, d) float
    parameters
        What the cepstra were made with.

    Returns
    -------
    (k, 6) float32
        Two frames a second. Less than a second of audio makes one frame of zeros, which resembles nothing.

    Raises
    ------
    ValueError
        `cepstra` does not fit the parameters, or is not finite.
    """
    changes = spectral_changes(checked_cepstra(cepstra, parameters), parameters, COARSE)
    return changes if len(changes) else np.zeros((1, SHAPES), np.float32)


def checked_cepstra(cepstra: NDArray[np.float32], parameters: CepstraParameters) -> NDArray[np.float32]:
    if cepstra.ndim != 2 or cepstra.shape[1] != parameters.coefficients:
        raise ValueError(f"cepstra are frames x {parameters.coefficients}, not {cepstra.shape}")
    if not np.isfinite(cepstra).all():
        raise ValueError("cepstra must be finite")
    return cepstra


def spectral_changes(
    cepstra: NDArray[np.float32], parameters: CepstraParameters, resolution: Resolution
) -> NDArray[np.float32]:
    step = round(resolution.seconds / parameters.step_seconds)
    count = len(cepstra) // step
    means = cepstra[: count * step].reshape(count, step, parameters.coefficients).mean(axis=1)
    shapes = means @ _shapes_of_cepstra(parameters)
    changes = shapes[resolution.span :] - shapes[: -resolution.span]
    lengths = np.linalg.norm(changes, axis=1, keepdims=True)
    limited: NDArray[np.float32] = changes * (_LARGEST_CHANGE / np.maximum(lengths, _LARGEST_CHANGE))
    return limited


@cache
def _shapes_of_cepstra(parameters: CepstraParameters) -> NDArray[np.float32]:
    """Matrix (coefficients, 6): cepstra to their log filter bank, and that below 4 kHz to cosines of its own.

    Cosine number 0 is the level, which is no shape; the first cepstrum raises all filters alike and goes with it.
    The others are weighted by the square root of their number, since their deviation falls about as fast.
    """
    number = np.arange(parameters.coefficients)
    lifter = 1 + parameters.lifter / 2 * np.sin(np.pi * number / max(parameters.lifter, 1))
    log_filter_bank = scipy.fft.idct(np.diag(1 / lifter), n=parameters.filters, axis=1, norm="ortho")
    narrow = log_filter_bank[:, : _filters_below(_NARROWEST_BANDWIDTH, parameters)]
    cosines = scipy.fft.dct(narrow, axis=1, norm="ortho")[:, 1 : SHAPES + 1]
    weighted: NDArray[np.float64] = cosines * np.sqrt(np.arange(1, SHAPES + 1))
    return weighted.astype(np.float32)


def _filters_below(frequency: float, parameters: CepstraParameters) -> int:
    mel = 2595 * np.log10(1 + np.array([frequency, parameters.sample_rate / 2]) / 700)
    upper_edges = np.arange(2, parameters.filters + 2) * mel[1] / (parameters.filters + 1)
    return int((upper_edges <= mel[0]).sum())
