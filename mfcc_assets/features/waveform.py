"""The waveform of a track in few numbers, as a player draws it: peaks, and the levels of three bands of frequencies."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.filters import filters_below, filters_of_cepstra
from mfcc_assets.features.parameters import CepstraParameters

WAVEFORM_VERSION = "1"
"""Name of this definition. Another definition needs another name, so that the two are never mixed."""

MOST_BINS = 1_000
"""Largest number of bins. A wide window of a browser has about two columns of pixels for each."""

BANDS = ("low", "mid", "high")

BAND_EDGES = (500.0, 4_000.0)
"""Frequencies in Hz at which the low and the middle band end. The filters of cepstra that end below belong to a band,
so that with the default filters the low band ends at 470 Hz, and the middle one at 3.6 kHz."""

_FRAMES_AT_ONCE = 10_000


@dataclass(frozen=True, eq=False)
class Waveform:
    """The waveform of a track. The bins have equal lengths, and together they are the whole track.

    Attributes
    ----------
    peaks : (bins,) uint8
        Largest absolute sample of each bin. The loudest bin of the track has 255, and silence has 0.
    bands : (bins, 3) uint8
        Level of the low, the middle and the high band in each bin: the root of the mean energy. The loudest band of the
        loudest bin has 255, so levels of different bands can be compared.
    """

    peaks: NDArray[np.uint8]
    bands: NDArray[np.uint8]


class PeakMeter:
    """Measures the peaks of a signal while somebody else reads it.

    Parameters
    ----------
    step_samples
        Number of samples of which one peak is measured.

    Examples
    --------
    >>> meter = PeakMeter(step_samples=2)
    >>> blocks = [np.array([1, -3, 2], np.float32), np.array([0, 0.5], np.float32)]
    >>> sum(len(block) for block in meter.listen(blocks)), meter.peaks.tolist()
    (5, [3.0, 2.0, 0.5])
    """

    def __init__(self, step_samples: int) -> None:
        self._step = step_samples
        self._measured: list[NDArray[np.float32]] = []
        self._rest = np.empty(0, np.float32)

    def listen(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Yield the blocks of a signal as they are, each (samples,) float32, and measure their peaks."""
        for block in blocks:
            joined = np.concatenate([self._rest, block])
            whole = len(joined) // self._step * self._step
            self._measured.append(_peaks(joined[:whole].reshape(-1, self._step)))
            self._rest = joined[whole:].copy()
            yield block

    @property
    def peaks(self) -> NDArray[np.float32]:
        """Largest absolute samples (steps,) float32 of what was read. The last step may be shorter."""
        rest = [_peaks(self._rest[np.newaxis])] if len(self._rest) else []
        return np.concatenate([np.empty(0, np.float32), *self._measured, *rest])


def waveform_of(
    step_peaks: NDArray[np.float32], cepstra: NDArray[np.float32], parameters: CepstraParameters
) -> Waveform:
    """Reduce a track to at most 1,000 bins.

    Parameters
    ----------
    step_peaks : (steps,) float32
        Largest absolute sample of each step of the cepstra: see `PeakMeter`.
    cepstra : (frames, d) float32
        Cepstra of the track. Frame i begins with step i, and the last frame covers the steps after it.
    parameters
        Parameters of these cepstra.

    Returns
    -------
    Waveform
        As many bins as steps, but at most 1,000. Neither the level of the signal nor the bins of silence around it
        change how loud a bin is compared with another.

    Raises
    ------
    ValueError
        If there is no step or no frame, or the cepstra do not fit the parameters.

    Notes
    -----
    The cosine transform of the cepstra is inverted, as `mfcc_assets.features.low_band` does, which tells how the energy
    of a frame is spread over the filters. Cepstra are computed from the signal with pre-emphasis. It raises high
    frequencies as much as they are weaker in usual music, so all three bands can be seen.

    Examples
    --------
    >>> silent_then_loud = np.array([0, 0, 0.5, 0.25], np.float32)
    >>> waveform = waveform_of(silent_then_loud, np.zeros((2, 13), np.float32), CepstraParameters())
    >>> waveform.peaks.tolist(), waveform.bands[0].tolist(), waveform.bands.shape
    ([0, 0, 255, 128], [0, 0, 0], (4, 3))
    """
    steps, frames = len(step_peaks), len(cepstra)
    if not steps or not frames:
        raise ValueError("a signal of no samples has no waveform")
    if cepstra.ndim != 2 or cepstra.shape[1] != parameters.coefficients:
        raise ValueError(f"cepstra are frames x {parameters.coefficients}, not {cepstra.shape}")
    bins = min(MOST_BINS, steps)
    starts = np.arange(bins) * steps // bins
    peaks = np.maximum.reduceat(step_peaks, starts)
    energies = _band_energies(cepstra, parameters)[np.minimum(np.arange(steps), frames - 1)]
    lengths = np.diff(starts, append=steps)
    levels = np.sqrt(np.add.reduceat(energies, starts, axis=0) / lengths[:, np.newaxis])
    levels[peaks == 0] = 0  # a frame that is longer than a step reaches into the silence before it
    return Waveform(_scaled(peaks), _scaled(levels))


def _peaks(steps: NDArray[np.float32]) -> NDArray[np.float32]:
    peaks: NDArray[np.float32] = np.abs(steps).max(axis=1)
    return peaks


def _band_energies(cepstra: NDArray[np.float32], parameters: CepstraParameters) -> NDArray[np.float64]:
    """Return the energy (frames, 3) of each frame in each band. Together they are the energy of the frame."""
    filters = filters_of_cepstra(parameters)
    low, middle = (filters_below(edge, parameters) for edge in BAND_EDGES)
    energies = np.empty((len(cepstra), len(BANDS)))
    # A few frames at a time, because the filters of hours of frames need much memory.
    for start in range(0, len(cepstra), _FRAMES_AT_ONCE):
        frames = cepstra[start : start + _FRAMES_AT_ONCE].astype(np.float64)
        of_filters = np.exp((levels := frames @ filters) - levels.max(axis=1, keepdims=True))
        of_bands = [of_filters[:, :low], of_filters[:, low:middle], of_filters[:, middle:]]
        shares = np.column_stack([band.sum(axis=1) for band in of_bands]) / of_filters.sum(axis=1, keepdims=True)
        energies[start : start + len(frames)] = shares * np.exp(frames[:, :1])
    return energies


def _scaled(levels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return levels as whole numbers, of which the largest is 255 unless all are 0."""
    largest = levels.max()
    scaled = np.rint(levels * (255 / largest)) if largest > 0 else np.zeros(levels.shape)
    return scaled.astype(np.uint8)
