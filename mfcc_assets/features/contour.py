"""The contour of a track, which DTW compares, and the times in the file at which its frames sound.

A contour is the mean of the cepstra over each half second by default. It leaves out silence, so its times are not those
of the file.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.silence import sounding_frames


def contour_of(cepstra: NDArray[np.float32], parameters: FeaturesParameters) -> NDArray[np.float32]:
    """Average the cepstra of a track, without silence, to its contour.

    Parameters
    ----------
    cepstra : (frames, d) float32
        Cepstra of at least one frame, without silence.
    parameters
        Contour rate, and the parameters of the cepstra.

    Returns
    -------
    (n, d) float32
        Mean of the cepstra in each frame of the contour. All frames have the same length but the last one, which is at
        least half as long and at most half as long again. So a little more or less at the end changes no other frame.

    Raises
    ------
    ValueError
        If there is no frame.

    Examples
    --------
    >>> contour_of(np.ones((1_020, 13), np.float32), FeaturesParameters()).shape
    (20, 13)
    """
    if cepstra.ndim != 2 or not len(cepstra):
        raise ValueError(f"a contour is made of at least one frame of cepstra, not of {cepstra.shape}")
    edges = _edges(len(cepstra), parameters)
    means = [cepstra[begin:end].mean(axis=0, dtype=np.float64) for begin, end in pairwise(edges.tolist())]
    return np.array(means, np.float32)


def rounded(contour: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return a contour (n, d) in half precision, which is enough for distances and half as much to read.

    An index keeps contours in half precision. Every other contour is rounded before it is compared, so that a track has
    the same distances before and after it enters an index.
    """
    return contour.astype(np.float16).astype(np.float32)


def _edges(frames: int, parameters: FeaturesParameters) -> NDArray[np.intp]:
    """Return the number of the first cepstrum of each frame of a contour, and the end of the last one."""
    length = 1 / (parameters.contour_rate * parameters.cepstra.step_seconds)
    # A contour that is as fine as the cepstra, or finer, has one frame for each.
    count = min(frames, max(1, round(frames / length)))
    # Without the summand a rounding error could make the edge 99.999… out of 100.
    edges = (np.arange(count + 1) * max(1.0, length) + 1e-6).astype(np.intp)
    edges[-1] = frames
    return edges


@dataclass(frozen=True, eq=False)
class ContourTimes:
    """Begin and end of each frame of a contour, in seconds from the beginning of the file.

    Positions in the contour are numbers of frames. They need not be whole: 2.5 is the middle of the third frame.

    Attributes
    ----------
    begins, ends : (n,) float64
        Times of each frame. A frame ends where the next one begins, unless silence was left out between them.
    seconds
        Length of the file.

    Raises
    ------
    ValueError
        If there is no frame, or there are not as many begins as ends.
    """

    begins: NDArray[np.float64]
    ends: NDArray[np.float64]
    seconds: float

    def __post_init__(self) -> None:
        if not len(self.begins) or len(self.begins) != len(self.ends):
            raise ValueError(f"a contour has as many begins as ends, not {len(self.begins)} and {len(self.ends)}")

    @classmethod
    def even(cls, frames: int, seconds: float) -> "ContourTimes":
        """Return the times of a file of which nothing was left out.

        Examples
        --------
        >>> ContourTimes.even(frames=4, seconds=2.0).begins.tolist()
        [0.0, 0.5, 1.0, 1.5]
        """
        edges = np.linspace(0.0, seconds, frames + 1)
        return cls(edges[:-1], edges[1:], seconds)

    @classmethod
    def of(cls, cepstra: NDArray[np.float32], parameters: FeaturesParameters, *, seconds: float) -> "ContourTimes":
        """Return the times of the contour of a file.

        Parameters
        ----------
        cepstra : (m, d) float32
            Cepstra of the whole file, at least one frame.
        parameters
            Contour rate, and the parameters of the cepstra.
        seconds
            Length of the file.
        """
        kept = sounding_frames(cepstra)
        # The samples that are trimmed off a file are less than two frames, so they need no correction.
        edges = _edges(len(kept), parameters)
        firsts, lasts = edges[:-1], edges[1:] - 1
        begins, ends, lengths = kept[firsts], kept[lasts] + 1, lasts + 1 - firsts
        # A frame with silence in its midst takes the times of its larger part.
        middles = (firsts + lasts) // 2
        begins_before = kept[middles] - begins == middles - firsts
        ends = np.where(begins_before, begins + lengths, ends)
        step = np.float64(parameters.cepstra.step_seconds)
        return cls((ends - lengths) * step, ends * step, seconds)

    @property
    def frame_seconds(self) -> float:
        """Length of one frame. Only the last one may differ from it."""
        return float(np.median(self.ends - self.begins))

    @property
    def sounding_seconds(self) -> float:
        """Length of all frames together."""
        return float((self.ends - self.begins).sum())

    def begin_at(self, positions: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the times at which something begins that begins at these positions, 0 to n."""
        return self._at(positions, np.floor(positions))

    def end_at(self, positions: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the times at which something ends that ends at these positions, 0 to n."""
        return self._at(positions, np.ceil(positions) - 1)

    def spread(self, values: NDArray[np.floating], rows: int) -> NDArray[np.float64]:
        """Spread rows over the whole file, such that equal numbers of rows are equal times.

        Parameters
        ----------
        values : (k, d)
            Rows that divide the contour evenly.
        rows
            Number of rows of the result.

        Returns
        -------
        (rows, d)
            The value at each time; NaN where the file is silent.
        """
        times = (np.arange(rows) + 0.5) * self.seconds / rows
        frames = np.searchsorted(self.begins, times, side="right") - 1
        found: NDArray[np.float64] = values[np.maximum(frames, 0) * len(values) // len(self.begins)].astype(np.float64)
        found[(frames < 0) | (times >= self.ends[np.maximum(frames, 0)])] = np.nan
        return found

    def _at(self, positions: NDArray[np.floating], frames: NDArray[np.floating]) -> NDArray[np.float64]:
        inside = np.clip(frames, 0, len(self.begins) - 1).astype(np.intp)
        times: NDArray[np.float64] = self.begins[inside] + (positions - inside) * (self.ends - self.begins)[inside]
        return times
