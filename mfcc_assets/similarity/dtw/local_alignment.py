"""Where in one track it sounds like where in another: alignments of a part of both, wherever it lies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mfcc_assets.jit import compiled
from mfcc_assets.similarity.dtw.kernels import checked

_STEPS = np.array([(0, 0), (1, 1), (2, 1), (1, 2)])
"""Cells from one match of a stretch to the next, by number; 0 begins one. So neither track runs at more than twice the
pace of the other, where the path of DTW may stand still."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """Frames of one track that sound like frames of another.

    Attributes
    ----------
    cells : (k, 2)
        Which frame of the one goes with which of the other, first to last.
    difference
        Mean over these.
    """

    cells: NDArray[np.intp]
    difference: float

    @property
    def rows(self) -> NDArray[np.intp]:
        """First frame of the one track, and the frame after the last."""
        return self.cells[[0, -1], 0] + (0, 1)

    @property
    def columns(self) -> NDArray[np.intp]:
        """The same of the other track."""
        return self.cells[[0, -1], 1] + (0, 1)


def alike_stretches(differences: ArrayLike, *, close: float, shortest: Sequence[int], most: int) -> list[Stretch]:
    """The stretches in which two tracks differ least for longest, best first; none shares a frame with another.

    Parameters
    ----------
    differences : (n, m)
        Of each frame of the one track from each of the other.
    close
        What frames that sound alike differ by at most; a stretch stays below it on average, from its beginning to any
        of its matches, and from any to its end.
    shortest
        Frames that a stretch has at least, of the one track and of the other.
    most
        How many are wanted.

    Raises
    ------
    ValueError
        If the matrix is empty, not 2-D or not finite, or `close` is not positive.

    Notes
    -----
    The local alignment of Smith and Waterman (1981), "Identification of common molecular subsequences", with
    ``close - difference`` as the score of a match, and the steps of Müller (2015), *Fundamentals of Music Processing*,
    section 3.2.2.2. The best is taken, its frames are closed to all others, and the best of what is left is looked for.
    """
    matrix = checked(differences, ndim=2)
    if not close > 0:
        raise ValueError(f"what is close must be positive, got {close}")
    stretches = _best_first(matrix, np.float32(close) - matrix, shortest)
    return [stretch for stretch, _ in zip(stretches, range(most), strict=False)]


def _best_first(
    differences: NDArray[np.float32], gains: NDArray[np.float32], shortest: Sequence[int]
) -> Iterator[Stretch]:
    open_rows, open_columns = np.ones(len(gains), bool), np.ones(gains.shape[1], bool)
    while True:
        steps, row, column = _best_alignment(gains, open_rows, open_columns, shortest[0], shortest[1])
        if row < 0:
            return
        cells = _traced(steps, row, column)
        stretch = Stretch(cells, float(differences[cells[:, 0], cells[:, 1]].mean(dtype=np.float64)))
        yield stretch
        open_rows[slice(*stretch.rows)] = False
        open_columns[slice(*stretch.columns)] = False


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
    """The number of the last step to every cell, and the cell in which the best alignment ends, or (-1, -1).

    Of the alignment that ends in a cell its score, the highest on its way, and where it began are kept for three rows,
    behind two empty columns.
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
            # What a step passes over belongs to the stretch, too.
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
            # What ends below its highest score has frames at its end that are not close.
            if score > best and score == highest[here, j + 2]:
                rows, columns = i - first_rows[here, j + 2] + 1, j - first_columns[here, j + 2] + 1
                if rows >= shortest_rows and columns >= shortest_columns:
                    best, best_row, best_column = score, i, j
    return steps, best_row, best_column
