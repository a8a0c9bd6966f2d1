"""The search of a library's fingerprints for passages of an upload: each passage slides along each track.

This is most of the work of a recognition, so two things make it quick. First, one instruction of the processor
multiplies the numbers of several windows, which begin at frames that follow each other. For this, each column of the
frames is stored on its own. Second, three products take the place of four. A window and a passage consist of even
frames E and odd frames O, and their inner product is a sum of two shorter ones. With E' as the even frames from the
second one on, the windows that begin at an even frame and at the odd frame behind it have ::

    E·p + O·q  = O·(p + q) + (E - O)·p
    O·p + E'·q = O·(p + q) + (E' - O)·q

where p and q are the even and the odd frames of the passage. The product O·(p + q) is computed once for both.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.fingerprint import FINGERPRINT_WIDTH, Fingerprints
from mfcc_assets.jit import compiled_reordered

_TRACKS_PER_TASK = 100
"""Number of tracks that one thread searches at a time."""

_PASSAGES_AT_ONCE = 4
"""Number of passages for which each loaded number of a track is used. Their numbers fill the processor's registers."""

_PAIRS_AT_ONCE = 512
"""Number of pairs of windows that are compared at once. Their frames and sums fit into the processor's first cache."""

_TINY = 1e-9
"""Lower limit of the energy of a window and of the length of a passage. It makes the cosine of a passage without any
change 0 instead of undefined."""

_Frame: TypeAlias = tuple[np.float32, np.float32, np.float32, np.float32, np.float32, np.float32]


def best_cosines(fingerprints: Fingerprints, passages: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the largest cosine of any passage with any window of each track.

    Up to half of a window may extend beyond either end of its track.

    Parameters
    ----------
    fingerprints
        Fingerprints of the tracks.
    passages : (q, length, 6)
        Passages of a fingerprint, at least one.

    Returns
    -------
    (tracks,)
        The largest cosine of each track.
    """
    length = passages.shape[1]
    factors = _factors(passages)
    frames = np.asarray(fingerprints.frames)
    cosines = np.empty(len(fingerprints), np.float32)

    def search(first: int) -> None:
        last = first + _TRACKS_PER_TASK
        _slide(frames, fingerprints.starts[first : last + 1], factors, length, cosines[first:last])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(search, range(0, len(cosines), _TRACKS_PER_TASK)))
    return cosines


def _factors(passages: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return p + q, p and q of passages (n, length, 6) of length 1, as (3, m, half, 6).

    Passages are repeated until m is a multiple of `_PASSAGES_AT_ONCE`, which changes no maximum.
    """
    count, length, _ = passages.shape
    lengths = np.linalg.norm(passages, axis=(1, 2), keepdims=True)
    repeated = np.arange(count + -count % _PASSAGES_AT_ONCE) % count
    frames = np.zeros((len(repeated), length + length % 2, FINGERPRINT_WIDTH), np.float32)
    frames[:, :length] = (passages / np.maximum(lengths, _TINY))[repeated]
    even, odd = frames[:, ::2], frames[:, 1::2]
    return np.stack([even + odd, even, odd])


@compiled_reordered
def _slide(
    frames: NDArray[np.float32],
    starts: NDArray[np.int64],
    factors: NDArray[np.float32],
    length: int,
    cosines: NDArray[np.float32],
) -> None:
    """Slide every passage along every track and write the largest cosine of each track to `cosines`."""
    gap = length // 2
    tracks, half = len(cosines), factors.shape[2]
    # The tracks with a gap of zeros before each, so that one window begins at each frame and each zero.
    windows = starts[tracks] - starts[0] + tracks * gap
    padded = np.zeros((windows + 2 * (_PAIRS_AT_ONCE + half), FINGERPRINT_WIDTH), np.float32)
    for track in range(tracks):
        begin = starts[track] - starts[0] + (track + 1) * gap
        for i in range(starts[track + 1] - starts[track]):
            for column in range(FINGERPRINT_WIDTH):
                padded[begin + i, column] = frames[starts[track] + i, column]
    energies = np.zeros(windows + length + 1)
    for i in range(windows + length):
        energy = np.float32(0)
        for column in range(FINGERPRINT_WIDTH):
            energy += padded[i, column] * padded[i, column]
        energies[i + 1] = energies[i] + energy
    largest = np.empty((-(-windows // (2 * _PAIRS_AT_ONCE)), 2, _PAIRS_AT_ONCE), np.float32)
    columns = np.empty((3, FINGERPRINT_WIDTH, _PAIRS_AT_ONCE + half), np.float32)
    sums = np.empty((3, _PASSAGES_AT_ONCE, _PAIRS_AT_ONCE), np.float32)
    for block in range(len(largest)):
        _split(padded[2 * block * _PAIRS_AT_ONCE :], columns)
        _largest_products(columns, factors, sums, largest[block])
    for track in range(tracks):
        begin = starts[track] - starts[0] + track * gap
        best = -1.0
        for window in range(begin, begin + starts[track + 1] - starts[track]):
            block, place = window // (2 * _PAIRS_AT_ONCE), window % (2 * _PAIRS_AT_ONCE)
            in_window = max(energies[window + length] - energies[window], _TINY)
            best = max(best, largest[block, place % 2, place // 2] / np.sqrt(in_window))
        cosines[track] = best


@compiled_reordered
def _split(frames: NDArray[np.float32], columns: NDArray[np.float32]) -> None:
    """Fill `columns` (3, 6, n) with O, E - O and E' - O of frames, of which there are more than 2 n."""
    for i in range(columns.shape[2]):
        for column in range(FINGERPRINT_WIDTH):
            odd = frames[2 * i + 1, column]
            columns[0, column, i] = odd
            columns[1, column, i] = frames[2 * i, column] - odd
            columns[2, column, i] = frames[2 * i + 2, column] - odd


@compiled_reordered
def _largest_products(
    columns: NDArray[np.float32], factors: NDArray[np.float32], sums: NDArray[np.float32], largest: NDArray[np.float32]
) -> None:
    """Fill `largest` (2, windows) with the largest inner product of each window with a passage.

    The first row is of the windows that begin at an even frame, the second of those at the odd frame behind it.
    """
    largest[:] = -np.inf
    for first in range(0, factors.shape[1], _PASSAGES_AT_ONCE):
        for part in range(3):
            sums[part] = 0
            for place in range(factors.shape[2]):
                _add_products(
                    columns[part],
                    place,
                    _frame(factors, part, first, place),
                    _frame(factors, part, first + 1, place),
                    _frame(factors, part, first + 2, place),
                    _frame(factors, part, first + 3, place),
                    sums[part],
                )
        for passage in range(_PASSAGES_AT_ONCE):
            for parity in range(2):
                _raise_to(largest[parity], sums[0, passage], sums[1 + parity, passage])


@compiled_reordered
def _frame(factors: NDArray[np.float32], part: int, passage: int, place: int) -> _Frame:
    frame = factors[part, passage, place]
    return frame[0], frame[1], frame[2], frame[3], frame[4], frame[5]


@compiled_reordered
def _raise_to(largest: NDArray[np.float32], first: NDArray[np.float32], second: NDArray[np.float32]) -> None:
    """Raise each number to the sum of two others if that is larger."""
    for i in range(len(largest)):
        total = first[i] + second[i]
        largest[i] = total if total > largest[i] else largest[i]


@compiled_reordered
def _add_products(
    columns: NDArray[np.float32], place: int, a: _Frame, b: _Frame, c: _Frame, d: _Frame, sums: NDArray[np.float32]
) -> None:
    """Add to `sums` (4, windows) the products of one frame of four passages with the frame at its place of each window.

    The frames are tuples and the columns are slices, since otherwise the compiler does not find out that it may keep
    the numbers of the frames in registers, and that no two of the numbers are in the same place.
    """
    u, v, w, x, y, z = (
        columns[0, place:],
        columns[1, place:],
        columns[2, place:],
        columns[3, place:],
        columns[4, place:],
        columns[5, place:],
    )
    for i in range(sums.shape[1]):
        sums[0, i] += u[i] * a[0] + v[i] * a[1] + w[i] * a[2] + x[i] * a[3] + y[i] * a[4] + z[i] * a[5]
        sums[1, i] += u[i] * b[0] + v[i] * b[1] + w[i] * b[2] + x[i] * b[3] + y[i] * b[4] + z[i] * b[5]
        sums[2, i] += u[i] * c[0] + v[i] * c[1] + w[i] * c[2] + x[i] * c[3] + y[i] * c[4] + z[i] * c[5]
        sums[3, i] += u[i] * d[0] + v[i] * d[1] + w[i] * d[2] + x[i] * d[3] + y[i] * d[4] + z[i] * d[5]
