"""The tracks of a library that may contain a query."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfcc_assets.features.fingerprint import Fingerprints, fingerprint
from mfcc_assets.ids import AudioId
from mfcc_assets.recognition.shortlist import shortlist
from mfcc_assets_tests import naive_recognition
from mfcc_assets_tests.recognition.test_match import PARAMETERS, Library, cut, fingerprints_of, track


@pytest.fixture(scope="module")
def library() -> Library:
    return {f"track {seed}": track(60, seed) for seed in range(30)}


@settings(max_examples=25)
@given(
    query_seconds=st.floats(1.6, 12),
    tracks=st.lists(st.floats(0.5, 15), min_size=1, max_size=8),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_shortlist_equals_that_of_the_slow_twin(query_seconds: float, tracks: list[float], seed: int) -> None:
    query = track(query_seconds, seed)
    library = {str(number): track(seconds, seed + number + 1) for number, seconds in enumerate(tracks)}
    passages = [naive_recognition.changes(query[later:], 50, 1) for later in (0, 25)]
    shortest = min(map(len, passages))
    slow = {
        audio_id: naive_recognition.best_window_cosine(
            naive_recognition.changes(cepstra, 50, 1) if len(cepstra) >= 100 else np.zeros((1, 6)),
            [passage[:shortest] for passage in passages],
        )
        for audio_id, cepstra in library.items()
    }
    order = shortlist(query, [fingerprints_of(library)], PARAMETERS, count=len(tracks))
    assert all(slow[first] >= slow[second] - 1e-4 for first, second in pairwise(order))
    assert len(set(order)) == len(order) >= min(5, len(library))
    assert all(slow[left_out] <= min(0.45, slow[order[4]]) + 1e-4 for left_out in library.keys() - set(order))


def test_a_library_that_is_searched_in_several_tasks_is_searched_to_its_end() -> None:
    few = {f"track {seed}": track(3, seed) for seed in range(40)}
    many = [
        (AudioId(f"{copy} of {audio_id}"), fingerprint(few[audio_id], PARAMETERS))
        for copy in range(30)
        for audio_id in few
    ]
    fingerprints = Fingerprints.of([*many, (AudioId("wanted"), fingerprint(track(3, 99), PARAMETERS))])
    assert shortlist(track(3, 99), [fingerprints], PARAMETERS, count=1) == ["wanted"]


def test_a_part_of_a_track_is_found_in_a_large_library_although_it_begins_between_two_frames() -> None:
    # A second framing is compared with the likely tracks alone.
    many = [(AudioId(f"other {seed}"), fingerprint(track(3, seed), PARAMETERS)) for seed in range(1_500)]
    wanted = track(60, 9_999)
    parts = [
        Fingerprints.of(many[:700]),
        Fingerprints.of([*many[700:], (AudioId("wanted"), fingerprint(wanted, PARAMETERS))]),
    ]
    for begin in (10.25, 20.125, 30.375):
        assert shortlist(cut(wanted, begin, begin + 20), parts, PARAMETERS, count=1) == ["wanted"]


def test_memory_mapped_fingerprints_give_the_same_shortlist(library: Library, tmp_path: Path) -> None:
    fingerprints = fingerprints_of(library)
    np.save(tmp_path / "frames.npy", fingerprints.frames)
    mapped = Fingerprints(np.load(tmp_path / "frames.npy", mmap_mode="r"), fingerprints.starts, fingerprints.audio_ids)
    query = cut(library["track 7"], 20, 40)
    assert shortlist(query, [mapped], PARAMETERS) == shortlist(query, [fingerprints], PARAMETERS)


def test_a_shortlist_of_no_tracks_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        shortlist(track(5, 0), [Fingerprints.of([])], PARAMETERS, count=0)
