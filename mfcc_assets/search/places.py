"""Where the rows of an index are: each row of the index is a row of one of its segments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.search.id_arrays import IdArray


@dataclass(frozen=True, eq=False)
class Places:
    """The places of the rows of an index. The rows of all segments are numbered one segment after the other.

    Attributes
    ----------
    starts : (segments + 1,)
        Number of the first row of each segment, and the number of all rows.
    of_rows : (rows of the index,)
        Number of the segment's row that is each row of the index.
    """

    starts: NDArray[np.int64]
    of_rows: NDArray[np.int64]

    @classmethod
    def of(cls, audio_ids: IdArray[Any], segments: Sequence[IdArray[Any]]) -> "Places":
        """Find the rows of an index in its segments.

        Parameters
        ----------
        audio_ids
            Audio ids of the index, ascending.
        segments
            Audio ids of each segment, ascending. They may have audio ids that the index has not.

        Raises
        ------
        ValueError
            If an audio id of the index is in no segment.
        """
        starts = np.cumsum([0, *map(len, segments)])
        of_rows = np.full(len(audio_ids), -1, np.int64)
        for start, segment in zip(starts.tolist(), segments, strict=False):
            rows = np.searchsorted(audio_ids.array, segment.array)
            found = rows < len(audio_ids)
            found[found] = audio_ids.array[rows[found]] == segment.array[found]
            of_rows[rows[found]] = start + np.flatnonzero(found)
        if (of_rows < 0).any():
            raise ValueError("a track of the index is in none of its segments")
        return cls(starts, of_rows)

    def __len__(self) -> int:
        return len(self.of_rows)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Row of the index that is each row of the segments, or -1 if the index does not have it."""
        rows = np.full(int(self.starts[-1]), -1, np.int64)
        rows[self.of_rows] = np.arange(len(self.of_rows))
        return rows

    def rows_of_segment(self, segment: int) -> NDArray[np.int64]:
        """Return the row of the index that is each row of one segment, or -1 if the index does not have it."""
        return self.rows[self.starts[segment] : self.starts[segment + 1]]

    def in_segment(self, segment: int, among: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        """Return whether each row of one segment is in the index, and among some of its rows if they are given.

        Parameters
        ----------
        segment
            Number of the segment.
        among : (rows of the index,), optional
            Whether each row of the index is wanted. By default, all are.
        """
        if among is not None and len(self.starts) == 2 and len(self) == self.starts[1]:
            return among  # The segment is the index.
        rows = self.rows_of_segment(segment)
        found: NDArray[np.bool_] = rows >= 0
        if among is not None:
            found[found] = among[rows[found]]
        return found

    def split(self, rows: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.int64]]]:
        """Split rows of the index by their segments.

        Yields
        ------
        segment, positions, rows
            Number of a segment, the positions of its rows in the given rows, and their rows in the segment.
        """
        places = self.of_rows[rows]
        segments = np.searchsorted(self.starts, places, side="right") - 1
        for segment in range(len(self.starts) - 1):
            positions = np.flatnonzero(segments == segment)
            if len(positions):
                yield segment, positions, places[positions] - self.starts[segment]

    def gather(self, arrays: Sequence[NDArray[Any]], rows: NDArray[np.int64]) -> NDArray[Any]:
        """Return rows of the index from arrays with the rows of each segment."""
        if len(arrays) == 1:
            gathered: NDArray[Any] = arrays[0][self.of_rows[rows]]
            return gathered
        gathered = np.empty((len(rows), *arrays[0].shape[1:]), arrays[0].dtype)
        for segment, positions, within in self.split(rows):
            gathered[positions] = arrays[segment][within]
        return gathered
