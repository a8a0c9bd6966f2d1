"""Compiled kernels of dynamic time warping, without checks; see `mfcc_assets.similarity.dtw.kernels`.

The kernels go through a matrix by anti-diagonals. The cells of one anti-diagonal do not depend on each other, and only
a few anti-diagonals are held in memory at a time. The parameter `reach` is the band as a whole number; see
`mfcc_assets.similarity.dtw.kernels.reach`.
"""

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.jit import compiled

VECTOR = 16
"""Number of float32 costs in a vector of AVX-512. It is a multiple of the shorter vectors of other processors."""

_ALIGNED = 8
"""Number of float32 costs in 32 bytes. Numba aligns arrays to 32 bytes, and aligned vectors are loaded fastest."""

_DIAGONALS_PER_PROOF = 24
"""Number of diagonals after which a comparison checks again whether the limit is certain to be exceeded."""


@compiled
def _next_rows(diagonal: int, first: int, end: int, n: int, m: int, reach: int) -> tuple[int, int]:
    """Return the first row of the cells with ``i + j == diagonal`` in the band, and the row after the last one.

    `first` and `end` are those of the diagonal before. Each moves by at most one row, so a comparison is enough. It is
    much faster than a division.
    """
    slope, centre = n + m - 2, diagonal * (n - 1)
    first = max(first + (centre - first * slope > reach), diagonal - m + 1)
    end = min(end + (end * slope - centre <= reach), diagonal + 1, n)
    return first, end


@compiled
def relax_two(
    even: NDArray[np.float32],
    odd: NDArray[np.float32],
    rows: NDArray[np.float32],
    columns: NDArray[np.float32],
    first: np.uint64,
    end: np.uint64,
    shift: np.uint64,
) -> None:
    """Replace the costs of two diagonals by those of the next two, in the rows from `first` to `end`.

    The values that a cell needs from the row before stay in registers from one turn of the loop to the next. So a cell
    takes half of the loads that it would take with one diagonal at a time. The columns are loaded twice, because that
    is faster than to carry them. Four diagonals at a time are not faster: the arithmetic is then the limit.

    LLVM can use vector instructions because the indices are unsigned. Signed indices may count from the end of an
    array, and the check for that makes the loop many times slower.
    """
    before, earlier = first - np.uint64(1), shift - np.uint64(1)
    corner, upper = even[before], odd[before]
    even_before = np.float32(np.inf)
    for row in range(first, end):
        corner_below, left, frame = even[row], odd[row], rows[row]
        even_cost = min(left, upper, corner) + abs(frame - columns[shift + row])
        odd[row] = min(even_cost, even_before, upper) + abs(frame - columns[earlier + row])
        even[row] = even_cost
        corner, upper, even_before = corner_below, left, even_cost


@compiled
def curve_distance(a: NDArray[np.float32], b: NDArray[np.float32], reach: int) -> np.float32:
    """Return the distance of one coefficient.

    The rows lie between walls of infinite cost. The row before the first one holds the start, whose cost is 0.

    A diagonal is computed in whole vectors that begin at an aligned row, because that is faster than to begin at its
    own first row. The surplus cells at both ends are then overwritten by walls, and the cells beside the walls are
    computed again.
    """
    n, m = a.size, b.size
    rows = np.zeros(n + 2 * VECTOR, np.float32)
    rows[VECTOR : VECTOR + n] = a
    # Reversed, and behind `n` unused elements: so all cells of a diagonal have the same shift from row to column.
    columns = np.zeros(n + m + 2 * VECTOR, np.float32)
    columns[VECTOR + n : VECTOR + n + m] = b[::-1]
    even = np.full(n + 2 * VECTOR, np.float32(np.inf), np.float32)
    odd = even.copy()
    even[VECTOR - 1] = 0

    row = row_end = 0
    for s in range(0, n + m - 1, 2):
        row, row_end = _next_rows(s, row, row_end, n, m, reach)
        first, end, shift = row + VECTOR, row_end + VECTOR, n + m - 1 - s
        aligned = first - first % _ALIGNED
        vectors = (end - aligned + VECTOR - 1) // VECTOR
        corner_of_first, corner_of_last = odd[first - 1], odd[end - 1]
        relax_two(even, odd, rows, columns, np.uint64(aligned), np.uint64(aligned + vectors * VECTOR), np.uint64(shift))
        # From one pair of diagonals to the next, the band leaves at most two rows and enters at most two.
        even[first - 2] = even[first - 1] = even[end] = np.inf
        odd[first] = min(even[first], corner_of_first) + abs(rows[first] - columns[shift + first - 1])

        row, row_end = _next_rows(s + 1, row, row_end, n, m, reach)
        odd_first, odd_end = row + VECTOR, row_end + VECTOR
        if odd_end > end:
            odd[end] = min(even[end - 1], corner_of_last) + abs(rows[end] - columns[shift + end - 1])
        odd[odd_first - 2] = odd[odd_first - 1] = odd[odd_end] = np.inf
    last = VECTOR + n - 1
    return odd[last] if (n + m) % 2 else even[last]  # type: ignore[no-any-return]


@compiled
def _relax(
    diagonal: NDArray[np.float32],
    last: NDArray[np.float32],
    before: NDArray[np.float32],
    rows: NDArray[np.float32],
    columns: NDArray[np.float32],
    first: np.uint64,
    end: np.uint64,
    shift: np.uint64,
    d: np.uint64,
) -> None:
    for k in range(first, end):
        diagonal[k] = min(last[k], last[k - d], before[k - d]) + abs(rows[k] - columns[shift + k])


@compiled
def _least(
    diagonal: NDArray[np.float32],
    last: NDArray[np.float32],
    remaining: NDArray[np.float32],
    sums: NDArray[np.float32],
    d: int,
) -> None:
    """Write the least sum of cost and remaining cost on two diagonals to the first `d` elements of `sums`."""
    for k in range(diagonal.size):
        sums[k] = min(diagonal[k], last[k]) + remaining[k]
    cells = diagonal.size // d
    while cells > 1:
        kept = (cells + 1) // 2
        folded = sums[kept * d : cells * d]
        for k in range(folded.size):
            sums[k] = min(sums[k], folded[k])
        cells = kept


@compiled
def all_distances(
    a: NDArray[np.float32],
    b: NDArray[np.float32],
    reach: int,
    weights: NDArray[np.float64],
    limit: float,
    remaining: NDArray[np.float32],
) -> tuple[NDArray[np.float32], int]:
    """Return the distances of all coefficients, computed at once, and the number of computed cells.

    The frames lie end to end, so a slice of a diagonal holds `d` costs for each cell. This fills the processor's
    vectors even on narrow diagonals, where it is faster than to compute one coefficient after another.
    """
    n, m, d = len(a), len(b), a.shape[1]
    remaining = remaining.ravel()
    rows = np.zeros((n + 1) * d, np.float32)
    rows[d:] = a.ravel()
    columns = np.zeros((n + m + 1) * d, np.float32)
    columns[(n + 1) * d :] = b[::-1].copy().ravel()
    # As in `curve_distance`, rows are counted from one, with walls before and after them.
    diagonals = np.full((3, (n + 2) * d), np.float32(np.inf), np.float32)
    before, current, last = diagonals[0], diagonals[1], diagonals[2]
    before[:d] = 0
    sums = np.empty((min(n, m) + 1) * d, np.float32)
    # Each of the at most n + m later additions may lose 2**-24 of its sum. The bound itself has three more roundings.
    certain = 1 - (n + m + 3) * 2.0**-24

    cells = row = row_end = 0
    for s in range(n + m - 1):
        last_row = row
        row, row_end = _next_rows(s, row, row_end, n, m, reach)
        first, end, shift = (row + 1) * d, (row_end + 1) * d, (n + m - 1 - s) * d
        cells += end - first
        _relax(current, last, before, rows, columns, np.uint64(first), np.uint64(end), np.uint64(shift), np.uint64(d))
        current[first - d : first] = np.inf
        current[end : end + d] = np.inf

        if limit < np.inf and s % _DIAGONALS_PER_PROOF == _DIAGONALS_PER_PROOF - 1:
            both = (last_row + 1) * d
            _least(current[both:end], last[both:end], remaining[both - d : end - d], sums, d)
            bound = 0.0
            for k in range(d):
                bound += weights[k] * sums[k]
            if bound * certain > limit:
                return np.full(d, np.float32(np.inf), np.float32), cells
        before, current, last = last, before, current

    return last[n * d : (n + 1) * d].copy(), cells
