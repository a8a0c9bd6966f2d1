"""Passages that slide along fingerprints."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mfcc_assets.features.fingerprint import FINGERPRINT_WIDTH, Fingerprints
from mfcc_assets.ids import AudioId
from mfcc_assets.recognition.sliding import best_cosines


def largest_cosine(track: NDArray[np.float32], passages: NDArray[np.float32]) -> float:
    """Compare every passage with every window, one after the other: obviously right, and slow."""
    length = passages.shape[1]
    best = -1.0
    for begin in range(-(length // 2), len(track) - length // 2):
        lower, upper = max(begin, 0), min(begin + length, len(track))
        window = track[lower:upper].astype(np.float64)
        for passage in passages.astype(np.float64):
            part = passage[lower - begin : upper - begin]
            best = max(best, float((window * part).sum() / np.linalg.norm(window) / np.linalg.norm(passage)))
    return best


@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=5),
    passages=st.integers(1, 9),
    length=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_largest_cosines_equal_those_of_the_slow_twin(
    lengths: list[int], passages: int, length: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    tracks = [rng.standard_normal((frames, FINGERPRINT_WIDTH)).astype(np.float32) for frames in lengths]
    searched = rng.standard_normal((passages, length, FINGERPRINT_WIDTH)).astype(np.float32)
    fingerprints = Fingerprints.of([(AudioId(f"{number:032x}"), track) for number, track in enumerate(tracks)])

    found = best_cosines(fingerprints, searched)

    assert found.tolist() == pytest.approx([largest_cosine(track, searched) for track in tracks], abs=1e-5)


def test_the_largest_cosines_of_many_tracks_equal_those_of_the_slow_twin() -> None:
    rng = np.random.default_rng(1)
    tracks = [
        rng.standard_normal((frames, FINGERPRINT_WIDTH)).astype(np.float32) for frames in rng.integers(1, 50, 130)
    ]
    searched = rng.standard_normal((3, 11, FINGERPRINT_WIDTH)).astype(np.float32)
    fingerprints = Fingerprints.of([(AudioId(f"{number:032x}"), track) for number, track in enumerate(tracks)])

    found = best_cosines(fingerprints, searched)

    assert found.tolist() == pytest.approx([largest_cosine(track, searched) for track in tracks], abs=1e-5)


def test_a_passage_of_a_track_is_found_wherever_it_begins() -> None:
    rng = np.random.default_rng(0)
    track = rng.standard_normal((50, FINGERPRINT_WIDTH)).astype(np.float32)
    fingerprints = Fingerprints.of([(AudioId("a"), track)])
    for begin in range(50 - 20):
        assert best_cosines(fingerprints, track[np.newaxis, begin : begin + 20])[0] == pytest.approx(1, abs=1e-5)


def test_silence_is_like_nothing() -> None:
    nothing = np.zeros((30, FINGERPRINT_WIDTH), np.float32)
    fingerprints = Fingerprints.of([(AudioId("a"), nothing)])
    assert best_cosines(fingerprints, np.ones((1, 10, FINGERPRINT_WIDTH), np.float32)).tolist() == [0]
    assert best_cosines(fingerprints, np.zeros((1, 10, FINGERPRINT_WIDTH), np.float32)).tolist() == [0]
