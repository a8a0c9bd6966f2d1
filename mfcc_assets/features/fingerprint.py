"""The fingerprint of a track, which recognition compares: how the shape of its spectrum changes over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy  # loads its submodules when they are first used, which keeps imports short
from numpy.typing import NDArray

from mfcc_assets.features.filters import filters_below, filters_of_cepstra
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.ids import AudioId

_NARROWEST_BANDWIDTH = 4000.0
"""Bandwidth in Hz of audio at a sample rate of 8 kHz. Filters above it would hold only leakage."""

FINGERPRINT_WIDTH = 6
"""Number of cosines that describe the spectral shape, and of columns of a fingerprint.

Eight are no better; four tell recordings apart less surely."""

_LARGEST_CHANGE = 3.0
"""Longer changes are shortened to this length, so that one loud entry does not outweigh seconds of music."""


@dataclass(frozen=True)
class Resolution:
    """The resolution with which the changes of a track are measured.

    Attributes
    ----------
    seconds
        Length of a frame of changes.
    span
        Number of frames from the earlier to the later shape of a change.
    noise
        Length of the changes that steady noise reaches, too. Shorter changes tell no recordings apart.
    """

    seconds: float
    span: int
    noise: float


COARSE = Resolution(seconds=0.5, span=1, noise=0.8)
FINE = Resolution(seconds=0.1, span=8, noise=1.5)


@dataclass(frozen=True)
class Fingerprints:
    """The fingerprints of a library, one after the other in one array.

    Attributes
    ----------
    frames : (n, 6) float32
        Frames of all tracks. The array may be memory-mapped, since a search reads it once and in order.
    starts : (tracks + 1,) int64
        Row of `frames` where each track begins; the last number is `n`.
    audio_ids : (tracks,)
        Audio id of each track.

    Raises
    ------
    ValueError
        If the three do not fit each other, or a track has no frame.
    """

    frames: NDArray[np.float32]
    starts: NDArray[np.int64]
    audio_ids: Sequence[AudioId]

    def __post_init__(self) -> None:
        if self.frames.ndim != 2 or self.frames.shape[1] != FINGERPRINT_WIDTH:
            raise ValueError(f"fingerprints are frames x {FINGERPRINT_WIDTH}, not {self.frames.shape}")
        if len(self.starts) != len(self.audio_ids) + 1:
            raise ValueError(
                f"{len(self.audio_ids)} tracks need {len(self.audio_ids) + 1} starts, not {len(self.starts)}"
            )
        if self.starts[0] != 0 or self.starts[-1] != len(self.frames) or (np.diff(self.starts) < 1).any():
            raise ValueError("every track needs at least one frame, and the last track must end where the frames end")

    @classmethod
    def of(cls, fingerprints: Sequence[tuple[AudioId, NDArray[np.float32]]]) -> "Fingerprints":
        """Join the pairs (audio id, `fingerprint`) of all tracks."""
        frames = [frames for _, frames in fingerprints] or [np.zeros((0, FINGERPRINT_WIDTH), np.float32)]
        starts = np.cumsum([0, *(len(frames) for _, frames in fingerprints)], dtype=np.int64)
        return cls(np.concatenate(frames), starts, tuple(audio_id for audio_id, _ in fingerprints))

    def rows(self, rows: NDArray[np.intp]) -> "Fingerprints":
        """Select tracks by their rows, in the order of `rows`."""
        chosen = rows.tolist()
        return Fingerprints.of([(self.audio_ids[row], self[row]) for row in chosen])

    def __len__(self) -> int:
        return len(self.audio_ids)

    def __getitem__(self, row: int) -> NDArray[np.float32]:
        """Return the fingerprint (k, 6) of one track as a view."""
        return self.frames[self.starts[row] : self.starts[row + 1]]


def fingerprint(cepstra: NDArray[np.float32], parameters: CepstraParameters) -> NDArray[np.float32]:
    """Compute the fingerprint of a track, which `mfcc_assets.recognition.shortlist.shortlist` searches.

    Parameters
    ----------
    cepstra : (frames, d) float32
        Cepstra of the track.
    parameters
        Parameters of these cepstra.

    Returns
    -------
    (k, 6) float32
        Changes of the spectral shape, two frames a second. Less than a second of audio gives one frame of zeros, which
        is similar to nothing.

    Raises
    ------
    ValueError
        If `cepstra` does not fit the parameters or is not finite.

    Examples
    --------
    Ten seconds have 20 means of half a second each, and so 19 changes.

    >>> cepstra = np.random.default_rng(0).normal(size=(1_000, 13)).astype(np.float32)
    >>> fingerprint(cepstra, CepstraParameters()).shape
    (19, 6)
    """
    changes = spectral_changes(checked_cepstra(cepstra, parameters), parameters, COARSE)
    return changes if len(changes) else np.zeros((1, FINGERPRINT_WIDTH), np.float32)


def is_distinctive(changes: NDArray[np.float32], resolution: Resolution) -> NDArray[np.bool_]:
    """Return which frames (k,) of spectral changes (k, 6) tell recordings apart.

    Silence, steady tones and steady noise have almost no such frames.

    Examples
    --------
    >>> is_distinctive(np.array([[0.1, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0]], np.float32), COARSE).tolist()
    [False, True]
    """
    distinctive: NDArray[np.bool_] = np.linalg.norm(changes, axis=1) >= resolution.noise
    return distinctive


def checked_cepstra(cepstra: NDArray[np.float32], parameters: CepstraParameters) -> NDArray[np.float32]:
    """Return `cepstra` (frames, d) if they are finite and fit the parameters.

    Raises
    ------
    ValueError
        If they do not.
    """
    if cepstra.ndim != 2 or cepstra.shape[1] != parameters.coefficients:
        raise ValueError(f"cepstra are frames x {parameters.coefficients}, not {cepstra.shape}")
    if not np.isfinite(cepstra).all():
        raise ValueError("cepstra must be finite")
    return cepstra


def spectral_changes(
    cepstra: NDArray[np.float32], parameters: CepstraParameters, resolution: Resolution
) -> NDArray[np.float32]:
    """Compute how the spectral shape of a track changes over time.

    Parameters
    ----------
    cepstra : (frames, d) float32
        Cepstra that passed `checked_cepstra`.
    parameters
        Parameters of these cepstra.
    resolution
        Length of the frames, and how many frames apart two shapes are compared.

    Returns
    -------
    (k, 6) float32
        Differences of the shapes, each at most `_LARGEST_CHANGE` long; k is 0 if the track is too short.
    """
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
    """Return the matrix (coefficients, 6) that turns cepstra into spectral shapes.

    It turns cepstra into the logarithms of the filters' energies, and those below 4 kHz into cosines over these filters
    alone. Cosine 0 is dropped, because it is the level and not a shape. The other cosines are weighted by the square
    root of their number, since their deviations fall about as fast.
    """
    narrow = filters_of_cepstra(parameters)[:, : filters_below(_NARROWEST_BANDWIDTH, parameters)]
    cosines = scipy.fft.dct(narrow, axis=1, norm="ortho")[:, 1 : FINGERPRINT_WIDTH + 1]
    weighted: NDArray[np.float64] = cosines * np.sqrt(np.arange(1, FINGERPRINT_WIDTH + 1))
    return weighted.astype(np.float32)
