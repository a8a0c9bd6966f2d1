"""Finds the tracks of a library that are one recording, so that each recording takes one place in a list."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

COMPARED_NEAREST = 50
"""Number of nearest tracks that each track is compared with. Other encodings of a recording are its nearest tracks."""

Nearest = Callable[[Sequence[int], int], Sequence[Sequence[int]]]
"""Returns the rows of the nearest tracks of each row; the second argument is how many."""


def group_copies(
    count: int,
    rows: Iterable[int],
    nearest: Nearest,
    is_same: Callable[[int, int], bool],
    known: Iterable[Sequence[int]] = (),
    *,
    rows_at_once: int = 1_000,
) -> NDArray[np.int64]:
    """Return the row of the track that represents the recording of each track: the first row of the recording.

    Copies of one copy are copies of each other.

    Parameters
    ----------
    count
        Number of tracks.
    rows
        Tracks that are compared with their nearest ones. All others are only in the groups that are known.
    nearest
        Finds the nearest tracks. A track may be among its own nearest.
    is_same
        Returns True if two tracks are one recording.
    known
        Groups of tracks that are known to be one recording.
    rows_at_once
        Number of tracks whose nearest ones are in memory at a time.

    Returns
    -------
    (count,) int64

    Examples
    --------
    >>> names = ["Ocean", "Palace", "Ocean", "Ocean"]
    >>> every = lambda rows, count: [range(4)] * len(rows)
    >>> group_copies(4, range(4), every, lambda row, other: names[row] == names[other]).tolist()
    [0, 1, 0, 0]
    """
    first = list(range(count))

    def first_of(row: int) -> int:
        while first[row] != row:
            first[row] = first[first[row]]
            row = first[row]
        return row

    def join(row: int, other: int) -> None:
        one, two = sorted((first_of(row), first_of(other)))
        first[two] = one

    for group in known:
        for other in group[1:]:
            join(group[0], other)
    wanted = list(rows)
    for start in range(0, len(wanted), rows_at_once):
        block = wanted[start : start + rows_at_once]
        for row, first_found in zip(block, nearest(block, COMPARED_NEAREST), strict=True):
            found, compared, size = first_found, 0, COMPARED_NEAREST
            while compared < len(found):
                for other in found[compared:]:
                    if first_of(other) != first_of(row) and is_same(row, other):
                        join(row, other)
                if any(first_of(other) != first_of(row) for other in found):
                    break
                # All of the nearest are copies. So there may be more of them.
                compared, size = len(found), 2 * size
                (found,) = nearest([row], size)
    return np.array([first_of(row) for row in range(count)], np.int64)


def represented_by(first: NDArray[np.int64], preferred: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row that represents the recording of each track: a preferred row where the recording has one.

    Parameters
    ----------
    first : (count,) int64
        The first row of the recording of each track, from `group_copies`.
    preferred : (preferred,) int64
        Rows, the most preferred ones first. The first one of a recording is taken.

    Returns
    -------
    (count,) int64

    Examples
    --------
    >>> represented_by(np.array([0, 1, 0, 0]), np.array([2, 3, 0])).tolist()
    [2, 1, 2, 2]
    """
    representing = np.arange(len(first))
    recordings, places = np.unique(first[preferred], return_index=True)
    representing[recordings] = preferred[places]
    return representing[first]
