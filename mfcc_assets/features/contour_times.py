"""The times in a file at which the frames of its contour sound, since a contour leaves out silence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.silence import sounding_frames


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
    def without_silence(cls, frames: int, seconds: float) -> "ContourTimes":
        """Return the times of a file of which nothing was left out.

        Examples
        --------
        >>> ContourTimes.without_silence(frames=4, seconds=2.0).begins.tolist()
        [0.0, 0.5, 1.0, 1.5]
        """
        edges = np.linspace(0.0, seconds, frames + 1)
        return cls(edges[:-1], edges[1:], seconds)

    @classmethod
    def of(
        cls, cepstra: NDArray[np.float32], frames: int, parameters: CepstraParameters, *, seconds: float
    ) -> "ContourTimes":
        """Return the times of the contour that was made of some cepstra.

        Parameters
        ----------
        cepstra : (m, d) float32
            Cepstra of the whole file.
        frames
            Number of frames of the contour.
        parameters
            Parameters of the cepstra.
        seconds
            Length of the file.
        """
        kept = sounding_frames(cepstra)
        if len(kept) == len(cepstra):
            return cls.without_silence(frames, seconds)
        # The segments of `segment_means`. The samples that are trimmed off a file are less than two frames, so they
        # need no correction.
        edges = np.arange(frames + 1) * len(kept) // frames
        firsts, lasts = edges[:-1], np.maximum(edges[1:] - 1, edges[:-1])
        begins, ends, lengths = kept[firsts], kept[lasts] + 1, lasts + 1 - firsts
        # A frame with silence in its midst takes the times of its larger part.
        middles = (firsts + lasts) // 2
        begins_before = kept[middles] - begins == middles - firsts
        ends = np.where(begins_before, begins + lengths, ends)
        step = np.float64(parameters.step_seconds)
        return cls((ends - lengths) * step, ends * step, seconds)

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
