"""Comparing the fingerprints of two tracks to find out whether they are one recording."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mfcc_assets.audio.reader import AudioReader
from mfcc_assets.features.fingerprint import fingerprint
from mfcc_assets.features.mfcc import compute_cepstra
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.recognition.duplicates import best_cosine, is_same_recording, may_be_same_recording
from mfcc_assets.recognition.match import align
from mfcc_assets_tests import naive_recognition

LIBRARY = Path(str(files("mfcc_assets.demo"))) / "library"
SONGS = sorted(LIBRARY.iterdir())[::6]


def fingerprint_of(path: Path, *, begin: float = 0.0):
    parameters = CepstraParameters()
    cepstra = compute_cepstra(
        AudioReader(path, parameters.sample_rate, parameters.trimmed_samples).blocks(), parameters
    )
    return fingerprint(cepstra[round(begin / parameters.step_seconds) :], parameters)


@pytest.mark.parametrize("target", ["again.mp3", "again.ogg"])
@pytest.mark.parametrize(("gain", "every"), [(1.0, 1), (0.3, 1), (1.0, 2)], ids=["as it is", "quieter", "at 11 kHz"])
def test_a_re_encoded_song_is_not_taken_for_another_recording(
    target: str, gain: float, every: int, tmp_path: Path
) -> None:
    samples, rate = soundfile.read(SONGS[0])
    soundfile.write(tmp_path / target, gain * samples[::every], rate // every)
    assert is_same_recording(fingerprint_of(SONGS[0]), fingerprint_of(tmp_path / target)) is not False


@pytest.mark.parametrize("begin", [0.13, 0.25, 0.5, 1.37])
@pytest.mark.parametrize("song", SONGS, ids=lambda song: song.stem)
def test_a_song_that_begins_a_little_later_is_not_taken_for_another_recording(song: Path, begin: float) -> None:
    whole, later = fingerprint_of(song), fingerprint_of(song, begin=begin)
    assert is_same_recording(whole, later) is not False
    assert is_same_recording(later, whole) == is_same_recording(whole, later)


def test_different_songs_of_the_same_length_are_different_recordings() -> None:
    fingerprints = [fingerprint_of(song) for song in SONGS]
    for position, one in enumerate(fingerprints):
        assert [is_same_recording(one, other) for other in fingerprints] == [
            other == position for other in range(len(fingerprints))
        ]


def test_tracks_of_different_lengths_need_no_comparison() -> None:
    assert may_be_same_recording(60, 64)
    assert not may_be_same_recording(60, 65)
    frames = np.random.default_rng(1).standard_normal((65, 6)).astype(np.float32)
    assert is_same_recording(frames[:60], frames) is False
    assert is_same_recording(frames[:61], frames) is True


def test_fingerprints_of_a_few_seconds_do_not_decide() -> None:
    frames = np.random.default_rng(1).standard_normal((19, 6)).astype(np.float32)
    assert is_same_recording(frames, frames) is None


@pytest.mark.parametrize("frames", [100, 350, 399, 410])
def test_tracks_that_are_too_short_to_align_are_never_compared(frames: int) -> None:
    parameters = CepstraParameters()
    steps = np.random.default_rng(1).normal(0, 10, (frames // 10 + 1, parameters.coefficients))
    steps[:, 0] = 0  # as loud everywhere
    cepstra = np.repeat(steps, 10, axis=0)[:frames].astype(np.float32)
    length = len(fingerprint(cepstra, parameters))
    assert may_be_same_recording(length, length) == align(cepstra, cepstra, parameters).same_recording


@pytest.mark.parametrize(("frames", "more"), [(6, 0), (6, 4), (40, 1), (40, 3)])
def test_the_best_cosine_equals_that_of_the_slow_twin(frames: int, more: int) -> None:
    rng = np.random.default_rng(frames + more)
    longer = rng.standard_normal((frames + more, 6)).astype(np.float32)
    for shorter in (longer[more:] + 1, rng.standard_normal((frames, 6)).astype(np.float32)):
        expected = naive_recognition.best_shifted_cosine(shorter.astype(np.float64), longer.astype(np.float64), apart=4)
        assert best_cosine(shorter, longer) == pytest.approx(expected, rel=1e-5)


def test_a_track_without_any_change_resembles_nothing() -> None:
    constant = np.zeros((60, 6), np.float32)
    assert is_same_recording(constant, constant) is False


def test_fingerprints_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match="fingerprints are frames x 6"):
        is_same_recording(np.zeros((9, 6), np.float32), np.zeros((9, 5), np.float32))
