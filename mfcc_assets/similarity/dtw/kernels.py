"""Exact dynamic time warping distances of every coefficient of two tracks.

The kernels run along anti-diagonals, where no cell depends on another, and hold a few of them instead of the matrix.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mfcc_assets.jit import compiled


def dtw_distance(a: ArrayLike, b: ArrayLike, *, band: float | None = None) -> float:
    """Dynamic time warping distance of two curves.

    Parameters
    ----------
    a : (n,)
    b : (m,)
    band
        As in `dtw_distances`.

    Returns
    -------
    float
        The least sum of ``|a[i] - b[j]|`` over all warping paths.

    Raises
    ------
    ValueError
        If a curve is empty, not 1-D or not finite, or `band` is not in (0, 1].
    """
    x, y = checked(a, ndim=1), checked(b, ndim=1)
    return float(_distance(x, y, reach(x.size, y.size, band)))


def dtw_distances(a: ArrayLike, b: ArrayLike, *, band: float | None = None) -> NDArray[np.float64]:
    """Dynamic time warping distance of each coefficient of two tracks, every coefficient warped on its own.

    Parameters
    ----------
    a : (n, d)
    b : (m, d)
    band
        Half-width of the band that a path must stay in, as a share of the longer track, in (0, 1]. None and 1 leave
        every path open.

    Returns
    -------
    (d,)
        For each coefficient the least sum of ``|a[i] - b[j]|`` over all paths from (0, 0) to (n - 1, m - 1) that
        advance by (1, 0), (0, 1) or (1, 1).

    Raises
    ------
    ValueError
        If a track is empty, not 2-D or not finite, if the tracks differ in coefficients, or if `band` is not in (0, 1].

    Notes
    -----
    The recurrence is that of Sakoe and Chiba (1978), "Dynamic programming algorithm optimization for spoken word
    recognition", with steps of equal weight; Müller (2015), *Fundamentals of Music Processing*, section 3.2.

    The band is their adjustment window, slanted to join both corners where the lengths differ. With `i` on the longer
    track, of `L` frames, and `j` on the shorter, of `S`, a cell is in the band if ::

        |i - j (L - 1) / (S - 1)|  <=  max(round(band L), (L - 1) / (S - 1) / 2)

    and every cell is if `S` is 1. The second bound is half the slope: with less, the rows of two neighbouring `j` need
    not touch, and no path would lead through.

    Costs are added in float32. Relative to the same sums in float64, music's contours of 480 frames come out at most
    2e-6 apart, full cepstra of 24,000 frames 1e-5, and two constants of 24,000, where every rounding falls to the same
    side, 2e-4.
    """
    x, y = checked(a, ndim=2), checked(b, ndim=2)
    _check_coefficients(x, y)
    allowed = reach(len(x), len(y), band)
    if _widest_diagonal(len(x), len(y), allowed) >= _WIDE_DIAGONAL:
        pairs = zip(x.T.copy(), y.T.copy(), strict=True)
        return np.array([_distance(*curves, allowed) for curves in pairs], np.float64)
    unlimited = np.zeros(x.shape[1]), np.inf, np.zeros_like(x)
    return all_distances(x, y, allowed, *unlimited)[0].astype(np.float64)


@dataclass(frozen=True, eq=False)
class Curves:
    """Every coefficient's curve of a track, checked once so that many comparisons need not.

    Attributes
    ----------
    values : (n, d)

    Raises
    ------
    ValueError
        If there is no frame or no coefficient, `values` is not 2-D or not finite.
    """

    values: NDArray[np.float32]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", checked(self.values, ndim=2))


def bounded_distance(
    a: Curves,
    b: Curves,
    weights: ArrayLike,
    limit: float,
    *,
    band: float | None = None,
    remaining: ArrayLike | None = None,
) -> tuple[float, int]:
    """Weighted sum of `dtw_distances`, given up as soon as it is certain to exceed a limit.

    Parameters
    ----------
    a
        Of n frames.
    b
    weights : (d,)
        At least 0.
    limit
        What a distance must not exceed to be of interest.
    band
        As in `dtw_distances`.
    remaining : (n, d), optional
        For each frame `i` of `a`, and each coefficient, a lower bound on what all later frames of `a` add to its
        distance, such as the sum over ``a[i + 1:]`` of the least ``|a[k] - b[j]|`` inside the band. The closer it
        comes to the truth, the earlier a comparison is given up.

    Returns
    -------
    distance : float
        Infinite if given up; otherwise, to the last bit, the same for every `limit`.
    cells : int
        How many cells of the matrices were computed, those of every coefficient counted.

    Raises
    ------
    ValueError
        If the tracks differ in coefficients, `weights` or `remaining` do not fit them, a weight is negative or not
        finite, or `band` is not in (0, 1].

    Notes
    -----
    A path enters one of any two neighbouring anti-diagonals. So the weighted sum, over the coefficients, of the least
    cost (with what remains) on two of them is a lower bound of the whole. It is taken once in 24 diagonals, and
    lowered by all that float32 may round off until the end: a distance that comes out at most `limit` is never given
    up.
    """
    x, y = a.values, b.values
    _check_coefficients(x, y)
    weighting = np.array(weights, dtype=np.float64)
    least = np.zeros_like(x) if remaining is None else np.array(remaining, dtype=np.float32)
    if weighting.shape != x.shape[1:] or least.shape != x.shape:
        raise ValueError(f"for frames {x.shape}, got weights {weighting.shape} and remaining costs {least.shape}")
    if not 0 <= weighting.min() <= weighting.max() < np.inf:
        raise ValueError(f"weights must be finite and at least 0, got {weighting}")
    distances, cells = all_distances(x, y, reach(len(x), len(y), band), weighting, float(limit), least)
    return float(weighting @ distances) if distances[0] < np.inf else np.inf, cells


def warm_up() -> None:
    """Compile every kernel, or load it from Numba's cache, so that the first comparison need not."""
    curve = np.zeros(2)
    dtw_distance(curve, curve)
    dtw_distances(curve[:, np.newaxis], curve[:, np.newaxis])


def checked(values: ArrayLike, *, ndim: int) -> NDArray[np.float32]:
    """A copy that kernels take: float32, contiguous, of so many dimensions, with frames, finite; or ValueError."""
    # Always a copy: for a read-only array, such as Arrow's, Numba would compile every kernel once more.
    with np.errstate(over="ignore"):
        frames = np.array(values, dtype=np.float32, order="C")
    if frames.ndim != ndim:
        raise ValueError(f"expected {ndim} dimension(s), got shape {frames.shape}")
    if frames.size == 0:
        raise ValueError(f"expected at least one frame and one coefficient, got shape {frames.shape}")
    if not np.isfinite(frames).all():
        raise ValueError("expected finite values that float32 can hold")
    return frames


def _check_coefficients(a: NDArray[np.float32], b: NDArray[np.float32]) -> None:
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"tracks of {a.shape[1]} and {b.shape[1]} coefficients cannot be compared")


def reach(n: int, m: int, band: float | None) -> int:
    """The band in whole numbers: cell (i, j) is in it if ``|i (m - 1) - j (n - 1)|`` is at most this."""
    if band is None:
        return (n - 1) * (m - 1)
    if not 0 < band <= 1:
        raise ValueError(f"band must be in (0, 1], got {band}")
    shorter, longer = sorted((n, m))
    return max(round(band * longer) * (shorter - 1), (longer - 1) // 2)


def _widest_diagonal(n: int, m: int, reach: int) -> int:
    return min(n, m, 2 * reach // max(1, n + m - 2) + 1)


_WIDE_DIAGONAL = 128
"""Cells of a diagonal from which one coefficient after another is faster than all at once."""

_VECTOR = 16
"""Costs in a vector of AVX-512. Two or four of the vectors that other processors have do as well."""

_ALIGNED = 8
"""Costs in 32 bytes, at multiples of which Numba's arrays begin, and vectors are loaded and stored fastest."""

_DIAGONALS_A_PROOF = 24
"""How often `bounded_distance` looks whether the limit is certain to be exceeded: costs some 5 % of its time."""


@compiled
def _next_rows(diagonal: int, first: int, end: int, n: int, m: int, reach: int) -> tuple[int, int]:
    """First row of the cells with ``i + j == diagonal`` in the band, and the row after the last, given the last such.

    Either moves by a row at most, which a comparison finds: divisions took a seventh of the time at 60 frames.
    """
    slope, centre = n + m - 2, diagonal * (n - 1)
    first = max(first + (centre - first * slope > reach), diagonal - m + 1)
    end = min(end + (end * slope - centre <= reach), diagonal + 1, n)
    return first, end


@compiled
def _relax_two(
    even: NDArray[np.float32],
    odd: NDArray[np.float32],
    rows: NDArray[np.float32],
    columns: NDArray[np.float32],
    first: np.uint64,
    end: np.uint64,
    shift: np.uint64,
) -> None:
    """Replace the costs of two diagonals by those of the next two, in the rows from `first` to `end`.

    What a cell needs of the row before is carried from one turn of the loop to the next, in a register: 2.5 loads and 1
    store a cell where a diagonal at a time takes 5 and 1. Columns are loaded twice: carrying them would take a tenth
    longer. Four diagonals at a time are no faster: by then, arithmetic is what takes the time.

    LLVM makes vector instructions of it because indices are unsigned. Signed ones may count from an array's end, and
    asking for each whether it does leaves a ninth of the speed.
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
def _distance(a: NDArray[np.float32], b: NDArray[np.float32], reach: int) -> np.float32:
    """One coefficient. Rows lie between walls; in the one before them is the start, whose cost is nothing.

    A diagonal is filled by whole vectors from an aligned one on, which takes a tenth to a sixth less time than from its
    own first row. What is too much at either end is walled off afterwards, and the cell beside it computed once more.
    """
    n, m = a.size, b.size
    rows = np.zeros(n + 2 * _VECTOR, np.float32)
    rows[_VECTOR : _VECTOR + n] = a
    # In reverse and behind `n` places that no cell needs: all of a diagonal's columns are as far from its rows.
    columns = np.zeros(n + m + 2 * _VECTOR, np.float32)
    columns[_VECTOR + n : _VECTOR + n + m] = b[::-1]
    even = np.full(n + 2 * _VECTOR, np.float32(np.inf), np.float32)
    odd = even.copy()
    even[_VECTOR - 1] = 0

    row = row_end = 0
    for s in range(0, n + m - 1, 2):
        row, row_end = _next_rows(s, row, row_end, n, m, reach)
        first, end, shift = row + _VECTOR, row_end + _VECTOR, n + m - 1 - s
        aligned = first - first % _ALIGNED
        vectors = (end - aligned + _VECTOR - 1) // _VECTOR
        corner_of_first, corner_of_last = odd[first - 1], odd[end - 1]
        _relax_two(
            even, odd, rows, columns, np.uint64(aligned), np.uint64(aligned + vectors * _VECTOR), np.uint64(shift)
        )
        # From one pair of diagonals to the next, the band leaves two rows at most, and enters two.
        even[first - 2] = even[first - 1] = even[end] = np.inf
        odd[first] = min(even[first], corner_of_first) + abs(rows[first] - columns[shift + first - 1])

        row, row_end = _next_rows(s + 1, row, row_end, n, m, reach)
        odd_first, odd_end = row + _VECTOR, row_end + _VECTOR
        if odd_end > end:
            odd[end] = min(even[end - 1], corner_of_last) + abs(rows[end] - columns[shift + end - 1])
        odd[odd_first - 2] = odd[odd_first - 1] = odd[odd_end] = np.inf
    last = _VECTOR + n - 1
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
    """Put the least cost, with what remains, on two diagonals, one a coefficient, into the first `d` of `sums`."""
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
    """All coefficients at once: frames lie end to end, so one slice of a diagonal holds `d` costs a cell.

    On narrow diagonals this is what fills vectors: at 300 frames, 13 coefficients and a band of 10 % it is three times
    as fast as one coefficient after another.
    """
    n, m, d = len(a), len(b), a.shape[1]
    remaining = remaining.ravel()
    rows = np.zeros((n + 1) * d, np.float32)
    rows[d:] = a.ravel()
    columns = np.zeros((n + m + 1) * d, np.float32)
    columns[(n + 1) * d :] = b[::-1].copy().ravel()
    # As in `_distance`, rows count from one, and walls lie before and after them.
    diagonals = np.full((3, (n + 2) * d), np.float32(np.inf), np.float32)
    before, current, last = diagonals[0], diagonals[1], diagonals[2]
    before[:d] = 0
    sums = np.empty((min(n, m) + 1) * d, np.float32)
    # Each of the at most n + m additions to come may lose 2**-24 of its sum; three more round the bound itself.
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

        if limit < np.inf and s % _DIAGONALS_A_PROOF == _DIAGONALS_A_PROOF - 1:
            both = (last_row + 1) * d
            _least(current[both:end], last[both:end], remaining[both - d : end - d], sums, d)
            bound = 0.0
            for k in range(d):
                bound += weights[k] * sums[k]
            if bound * certain > limit:
                return np.full(d, np.float32(np.inf), np.float32), cells
        before, current, last = last, before, current

    return last[n * d : (n + 1) * d].copy(), cells
