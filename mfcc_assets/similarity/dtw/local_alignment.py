"""Local alignments of two tracks: stretches of both that sound alike, wherever they lie."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mfcc_assets.jit import compiled
from mfcc_assets.similarity.dtw.kernels import checked

_STEPS = np.array([(0, 0), (1, 1), (2, 1), (1, 2)])
"""Rows and columns from one matched cell to the next, by the number of the step. Number 0 begins an alignment. Neither
track can run at more than twice the speed of the other, whereas a DTW path may stand still in one track."""


@dataclass(frozen=True, eq=False)
class LocalAlignment:
    """A stretch of one track that sounds like a stretch of another.

    Attributes
    ----------
    cells : (k, 2)
        Pairs of a frame of the first track and a frame of the second, in ascending order.
    difference
        Mean difference of these pairs.
    """

    cells: NDArray[np.intp]
    difference: float

    @property
    def rows(self) -> NDArray[np.intp]:
        """The first frame of the first track, and the frame after the last one."""
        return self.cells[[0, -1], 0] + (0, 1)

    @property
    def columns(self) -> NDArray[np.intp]:
        """The first frame of the second track, and the frame after the last one."""
        return self.cells[[0, -1], 1] + (0, 1)


def local_alignments(
    differences: ArrayLike, *, close: float, shortest: Sequence[int], count: int
) -> list[LocalAlignment]:
    """Return the best local alignments of two tracks, best first. No two of them share a frame.

    Parameters
    ----------
    differences : (n, m)
        Difference of each frame of the first track from each frame of the second.
    close
        Largest difference of frames that sound alike. The mean difference of an alignment is below this value. So is
        that of every part of it that begins with its first cell or ends with its last.
    shortest
        Least number of frames that an alignment covers, in the first track and in the second.
    count
        Largest number of alignments to return.

    Raises
    ------
    ValueError
        If the matrix is empty, not 2-D or not finite, or if `close` is not positive.

    Notes
    -----
    This is the local alignment of Smith and Waterman (1981), "Identification of common molecular subsequences", with
    ``close - difference`` as the score of a cell, and with the steps of Müller (2015), *Fundamentals of Music
    Processing*, section 3.2.2.2. After each alignment its frames are excluded, and the best alignment of the
    remaining frames is searched for.

    Examples
    --------
    The last two frames of the first track sound like the first two frames of the second:

    >>> differences = [[9, 9, 9], [0, 9, 9], [9, 0, 9]]
    >>> (found,) = local_alignments(differences, close=1, shortest=(2, 2), count=5)
    >>> found.rows.tolist(), found.columns.tolist()
    ([1, 3], [0, 2])
    """
    matrix = checked(differences, ndim=2)
    if not close > 0:
        raise ValueError(f"`close` must be positive, got {close}")
    return list(islice(_best_first(matrix, np.float32(close) - matrix, shortest), count))


def _best_first(
    differences: NDArray[np.float32], gains: NDArray[np.float32], shortest: Sequence[int]
) -> Iterator[LocalAlignment]:
    open_rows, open_columns = np.ones(len(gains), bool), np.ones(gains.shape[1], bool)
    while True:
        steps, row, column = _best_alignment(gains, open_rows, open_columns, shortest[0], shortest[1])
        if row < 0:
            return
        cells = _traced(steps, row, column)
        alignment = LocalAlignment(cells, float(differences[cells[:, 0], cells[:, 1]].mean(dtype=np.float64)))
        yield alignment
        open_rows[slice(*alignment.rows)] = False
        open_columns[slice(*alignment.columns)] = False


def _traced(steps: NDArray[np.int8], row: int, column: int) -> NDArray[np.intp]:
    cells = [(row, column)]
    while step := steps[row, column]:
        row, column = row - int(_STEPS[step, 0]), column - int(_STEPS[step, 1])
        cells.append((row, column))
    return np.array(cells[::-1], np.intp)


@compiled
def _best_alignment(
    gains: NDArray[np.float32],
    open_rows: NDArray[np.bool_],
    open_columns: NDArray[np.bool_],
    shortest_rows: int,
    shortest_columns: int,
) -> tuple[NDArray[np.int8], int, int]:
    """Return the number of the last step to every cell, and the cell where the best alignment ends, or (-1, -1).

    For the best alignment that ends in a cell, the arrays hold its score, its highest score so far, and its first cell.
    They hold three rows, behind two empty columns.
    """
    n, m = gains.shape
    steps = np.zeros((n, m), np.int8)
    scores = np.zeros((3, m + 2), np.float32)
    highest = np.zeros((3, m + 2), np.float32)
    first_rows = np.zeros((3, m + 2), np.int32)
    first_columns = np.zeros((3, m + 2), np.int32)
    best, best_row, best_column = np.float32(0), -1, -1
    for i in range(n):
        here, last, before_last = i % 3, (i + 2) % 3, (i + 1) % 3
        scores[here] = 0
        if not open_rows[i]:
            continue
        for j in range(m):
            if not open_columns[j]:
                continue
            score, step, row, column = scores[last, j + 1], 1, last, j + 1
            # A step that skips a frame covers it as well, so the frame must be open.
            if scores[before_last, j + 1] > score and open_rows[i - 1]:
                score, step, row, column = scores[before_last, j + 1], 2, before_last, j + 1
            if scores[last, j] > score and open_columns[j - 1]:
                score, step, row, column = scores[last, j], 3, last, j
            began = score == 0
            score += gains[i, j]
            if score <= 0:
                continue
            scores[here, j + 2] = score
            if began:
                steps[i, j], highest[here, j + 2] = 0, score
                first_rows[here, j + 2], first_columns[here, j + 2] = i, j
            else:
                steps[i, j], highest[here, j + 2] = step, max(score, highest[row, column])
                first_rows[here, j + 2], first_columns[here, j + 2] = (
                    first_rows[row, column],
                    first_columns[row, column],
                )
            # An alignment that ends below its highest score has frames at its end that are not close.
            if score > best and score == highest[here, j + 2]:
                rows, columns = i - first_rows[here, j + 2] + 1, j - first_columns[here, j + 2] + 1
                if rows >= shortest_rows and columns >= shortest_columns:
                    best, best_row, best_column = score, i, j
    return steps, best_row, best_column
