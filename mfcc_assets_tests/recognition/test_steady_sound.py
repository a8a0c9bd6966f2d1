"""Recognition of queries and tracks with silence, steady tones and steady noise."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mfcc_assets.recognition.match import align
from mfcc_assets.recognition.shortlist import shortlist
from mfcc_assets_tests.recognition.test_match import (
    FRAMES_A_SECOND,
    PARAMETERS,
    Library,
    cut,
    fingerprints_of,
    library,
    recognised,
    track,
)

__all__ = ["library"]


def sound(log_energy: float, seconds: float, *, seed: int = 0, movement: float = 0.0) -> NDArray[np.float32]:
    """Return steady sound: every frame has the same spectrum, with random deviations of the size `movement`."""
    frames = np.random.default_rng(seed).normal(0, movement, (round(seconds * FRAMES_A_SECOND), 13))
    frames[:, 0] = log_energy
    return frames.astype(np.float32)


def silence(seconds: float) -> NDArray[np.float32]:
    return sound(-36, seconds)


def tone(seconds: float) -> NDArray[np.float32]:
    return sound(0, seconds, movement=0.1) + np.float32(3)


def hiss(seconds: float) -> NDArray[np.float32]:
    return sound(-3, seconds, movement=4)


STEADY = (silence, tone, hiss)


@settings(max_examples=20)
@given(before=st.floats(0, 300), behind=st.floats(0, 300))
def test_silence_at_either_end_changes_no_recognition(before: float, behind: float) -> None:
    library = {f"track {number}": track(40, seed=number) for number in range(4)}
    for query in (cut(library["track 2"], 5, 35), track(30, seed=99)):
        padded = np.concatenate([silence(before), query, silence(behind)])
        assert recognised(padded, library) == recognised(query, library)


def test_the_offset_is_that_of_the_file_with_its_silence(library: Library) -> None:
    padded = np.concatenate([silence(30), cut(library["track 7"], 20, 40)])
    late = np.concatenate([silence(10), library["track 7"]])
    assert align(padded, library["track 7"], PARAMETERS).offset_seconds == pytest.approx(-10, abs=0.1)
    assert align(padded, late, PARAMETERS).offset_seconds == pytest.approx(0, abs=0.1)


def test_a_pause_within_an_upload_hides_no_recording(library: Library) -> None:
    paused = np.concatenate([cut(library["track 7"], 10, 25), silence(60), cut(library["track 7"], 25, 40)])
    assert recognised(paused, library) == "track 7"


@pytest.mark.parametrize("steady", STEADY)
@pytest.mark.parametrize("order", [1, -1])
def test_steady_sound_never_decides_a_recognition(steady: Any, order: int, library: Library) -> None:
    """Every track of the library has the same steady sound before or behind its music, as the upload has."""
    with_sound = {name: np.concatenate([cepstra, steady(60)][::order]) for name, cepstra in library.items()}
    unknown = np.concatenate([track(20, seed=99), steady(60)][::order])
    assert recognised(unknown, with_sound) is None
    assert recognised(steady(60), with_sound) is None


@pytest.mark.parametrize("steady", STEADY)
def test_steady_sound_behind_an_upload_does_not_hide_its_track_from_the_shortlist(
    steady: Any, library: Library
) -> None:
    upload = np.concatenate([cut(library["track 7"], 20, 40), steady(120)])
    others = {f"{name} with sound": np.concatenate([cepstra, steady(30)]) for name, cepstra in library.items()}
    assert "track 7" in shortlist(upload, [fingerprints_of(library | others)], PARAMETERS, count=4)
