"""The search of a library's fingerprints for passages of an upload: each passage slides along each track."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.fingerprint import FINGERPRINT_WIDTH, Fingerprints
from mfcc_assets.jit import compiled_reordered

_TRACKS_PER_TASK = 500
"""Number of tracks that one thread searches at a time."""

_TINY = 1e-9
"""Lower limit of the energy of a window and of the length of a passage. It makes the cosine of a passage without any
change 0 instead of undefined."""


def best_cosines(fingerprints: Fingerprints, passages: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the largest cosine of any passage with any window of each track.

    Up to half of a window may extend beyond either end of its track.

    Parameters
    ----------
    fingerprints
        Fingerprints of the tracks.
    passages : (q, length, 6)
        Passages of a fingerprint.

    Returns
    -------
    (tracks,)
        The largest cosine of each track.
    """
    lengths = np.linalg.norm(passages, axis=(1, 2), keepdims=True)
    rows = (passages / np.maximum(lengths, _TINY)).reshape(len(passages), -1)
    frames = np.asarray(fingerprints.frames).ravel()
    cosines = np.empty(len(fingerprints), np.float32)

    def search(first: int) -> None:
        last = first + _TRACKS_PER_TASK
        _slide(frames, fingerprints.starts[first : last + 1], rows, cosines[first:last])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(search, range(0, len(cosines), _TRACKS_PER_TASK)))
    return cosines


@compiled_reordered
def _slide(
    frames: NDArray[np.float32], starts: NDArray[np.int64], passages: NDArray[np.float32], cosines: NDArray[np.float32]
) -> None:
    """Slide every passage along every track and write the largest cosine of each track to `cosines`.

    `frames` and each row of `passages` are flat. Two windows that lie inside the track are compared at once.
    """
    length = passages.shape[1] // FINGERPRINT_WIDTH
    for track in range(len(cosines)):
        first, last = starts[track], starts[track + 1]
        energies = np.zeros(last - first + 1)
        for frame in range(first, last):
            energy = np.float32(0.0)
            for i in range(frame * FINGERPRINT_WIDTH, (frame + 1) * FINGERPRINT_WIDTH):
                energy += frames[i] * frames[i]
            energies[frame - first + 1] = energies[frame - first] + energy
        best = -1.0
        begin, end = first - length // 2, last - length // 2
        while begin < end:
            if first <= begin and begin + 1 + length <= last and begin + 1 < end:
                here = frames[begin * FINGERPRINT_WIDTH : (begin + length) * FINGERPRINT_WIDTH]
                after = frames[(begin + 1) * FINGERPRINT_WIDTH : (begin + 1 + length) * FINGERPRINT_WIDTH]
                product, product_after = _products_of_two(here, after, passages)
                norm = np.sqrt(max(energies[begin + length - first] - energies[begin - first], _TINY))
                norm_after = np.sqrt(max(energies[begin + 1 + length - first] - energies[begin + 1 - first], _TINY))
                best = max(best, product / norm, product_after / norm_after)
                begin += 2
                continue
            lower, upper = max(begin, first), min(begin + length, last)
            window = frames[lower * FINGERPRINT_WIDTH : upper * FINGERPRINT_WIDTH]
            norm = np.sqrt(max(energies[upper - first] - energies[lower - first], _TINY))
            best = max(best, _product(window, passages, (lower - begin) * FINGERPRINT_WIDTH) / norm)
            begin += 1
        cosines[track] = best


@compiled_reordered
def _product(window: NDArray[np.float32], passages: NDArray[np.float32], skipped: int) -> np.float32:
    """Return the largest inner product of a window with a passage, whose first numbers are skipped."""
    largest = np.float32(-np.inf)
    for q in range(len(passages)):
        passage = passages[q, skipped : skipped + len(window)]
        product = np.float32(0.0)
        for i in range(len(window)):
            product += window[i] * passage[i]
        largest = max(largest, product)
    return largest


@compiled_reordered
def _products_of_two(
    here: NDArray[np.float32], after: NDArray[np.float32], passages: NDArray[np.float32]
) -> tuple[np.float32, np.float32]:
    """Return the largest inner product of each of two windows with a passage.

    Each number that is loaded is used for several products, which takes half of the time: four passages and two windows
    at once fill the processor's registers.
    """
    largest, largest_after = np.float32(-np.inf), np.float32(-np.inf)
    q = 0
    while q + 4 <= len(passages):
        a, b, c, d = passages[q], passages[q + 1], passages[q + 2], passages[q + 3]
        p_a, p_b, p_c, p_d = np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0)
        r_a, r_b, r_c, r_d = np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0)
        for i in range(len(here)):
            x, y = here[i], after[i]
            p_a += x * a[i]
            p_b += x * b[i]
            p_c += x * c[i]
            p_d += x * d[i]
            r_a += y * a[i]
            r_b += y * b[i]
            r_c += y * c[i]
            r_d += y * d[i]
        largest = max(largest, p_a, p_b, p_c, p_d)
        largest_after = max(largest_after, r_a, r_b, r_c, r_d)
        q += 4
    if q < len(passages):
        largest = max(largest, _product(here, passages[q:], 0))
        largest_after = max(largest_after, _product(after, passages[q:], 0))
    return largest, largest_after
