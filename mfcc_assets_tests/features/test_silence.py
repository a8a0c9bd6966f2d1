"""The frames of a track that sound."""

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.ndimage import grey_opening

from mfcc_assets.features.mfcc import compute_cepstra
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.silence import sounding_frames, without_silence
from mfcc_assets.features.track_features import analyse, track_features_of
from mfcc_assets_tests.audio_samples import music

SILENT = -36.0
"""Logarithm of the energy of a frame of zeros."""

PARAMETERS = FeaturesParameters()


def cepstra_of(*energies_and_frames: tuple[float, int]) -> NDArray[np.float32]:
    """Return cepstra (frames, 2) of stretches whose energies are about the same, but not steady."""
    energies = np.concatenate([np.full(frames, float(energy)) for energy, frames in energies_and_frames])
    energies += 0.4 * (-1.0) ** (np.arange(len(energies)) // 10)
    return np.column_stack([energies, np.arange(len(energies))]).astype(np.float32)


def test_silence_at_both_ends_is_left_out() -> None:
    kept = sounding_frames(cepstra_of((SILENT, 50), (-2, 300), (SILENT, 1_000)))
    np.testing.assert_array_equal(kept, np.arange(53, 347))


def test_long_silence_within_the_music_is_left_out() -> None:
    kept = sounding_frames(cepstra_of((-2, 300), (SILENT, 200), (-2, 300)))
    np.testing.assert_array_equal(kept, [*range(297), *range(503, 800)])


def test_a_short_pause_belongs_to_the_music() -> None:
    pause = cepstra_of((-2, 300), (SILENT, 199), (-2, 300))
    assert len(sounding_frames(pause)) == len(pause)


def test_a_quiet_passage_is_no_silence() -> None:
    quiet = cepstra_of((-2, 300), (-11, 500))
    assert len(sounding_frames(quiet)) == len(quiet)


def test_the_hiss_of_an_empty_16_bit_recording_is_silence() -> None:
    hiss = np.random.default_rng(0).integers(-1, 2, 10 * 44_100) / 2**15
    signal = np.concatenate([music(5, seed=1), hiss]).astype(np.float32)
    kept = sounding_frames(compute_cepstra([signal], PARAMETERS.cepstra))
    assert kept[-1] == pytest.approx(500, abs=5)


@pytest.mark.parametrize("decibels", [-90, -75])
def test_the_hiss_before_and_behind_a_recording_is_silence(decibels: float) -> None:
    hiss = 10 ** (decibels / 20) * np.random.default_rng(0).standard_normal(5 * 44_100)
    signal = np.concatenate([hiss, music(5, seed=1), hiss]).astype(np.float32)
    kept = sounding_frames(compute_cepstra([signal], PARAMETERS.cepstra))
    assert (kept[0], kept[-1]) == (pytest.approx(500, abs=5), pytest.approx(1_000, abs=5))


def test_a_constant_offset_is_silence() -> None:
    constant = np.full(5 * 44_100, 0.01)
    signal = np.concatenate([constant, music(5, seed=1), constant]).astype(np.float32)
    kept = sounding_frames(compute_cepstra([signal], PARAMETERS.cepstra))
    assert (kept[0], kept[-1]) == (pytest.approx(500, abs=5), pytest.approx(1_000, abs=5))


@pytest.mark.parametrize("frequency", [0, 60, 440, 1_000])
def test_a_track_that_is_one_tone_is_kept(frequency: float) -> None:
    one_tone = 0.5 * np.cos(2 * np.pi * frequency * np.arange(5 * 44_100) / 44_100)
    cepstra = compute_cepstra([one_tone.astype(np.float32)], PARAMETERS.cepstra)
    assert len(sounding_frames(cepstra)) == len(cepstra)


def test_a_track_of_clicks_alone_is_kept() -> None:
    clicks = np.zeros(5 * 44_100, np.float32)
    clicks[::11_025] = 0.9
    cepstra = compute_cepstra([clicks], PARAMETERS.cepstra)
    assert len(sounding_frames(cepstra)) == len(cepstra)


def test_the_crackle_of_a_record_before_the_music_is_silence() -> None:
    rng = np.random.default_rng(0)
    crackle = 0.0003 * rng.standard_normal(5 * 44_100)
    for click in range(4_000, len(crackle), 15_000):
        crackle[click : click + 100] += 0.05 * rng.standard_normal(100)
    signal = np.concatenate([crackle, music(5, seed=1), crackle]).astype(np.float32)
    kept = sounding_frames(compute_cepstra([signal], PARAMETERS.cepstra))
    assert (kept[0], kept[-1]) == (pytest.approx(500, abs=5), pytest.approx(1_000, abs=5))


def test_a_click_does_not_make_the_music_silent() -> None:
    kept = sounding_frames(cepstra_of((-2, 300), (15, 2), (-2, 300)))
    assert len(kept) == 602


def test_the_loudest_frame_of_a_very_short_track_is_kept() -> None:
    assert sounding_frames(cepstra_of((SILENT, 1))).tolist() == [0]
    assert len(sounding_frames(np.empty((0, 13), np.float32))) == 0


def test_cepstra_of_one_dimension_are_refused() -> None:
    with pytest.raises(ValueError, match="frames x coefficients"):
        sounding_frames(np.zeros(5, np.float32))


@given(arrays(np.float32, st.integers(1, 900), elements=st.sampled_from([SILENT, -20, -14, -2])))
def test_the_kept_frames_equal_those_of_the_slow_twin(energies: NDArray[np.float32]) -> None:
    cepstra = energies[:, np.newaxis]
    opened = grey_opening(energies, 6).tolist()
    level = sorted(opened, reverse=True)[min(100, len(opened)) - 1]
    threshold = min(level - 3 * np.log(10), max(level - 5.5 * np.log(10), -11.5))

    steady = {
        frame + offset
        for frame in range(len(opened) - 99)
        if np.std(opened[frame : frame + 100]) < 0.065 * np.log(10)
        for offset in range(100)
    }
    audible = [
        energy >= threshold and not (frame in steady and energy < level - 2 * np.log(10))
        for frame, energy in enumerate(opened)
    ]
    runs = [
        (is_audible, [frame for frame, _ in run]) for is_audible, run in groupby(enumerate(audible), lambda it: it[1])
    ]
    silence = [
        run for is_audible, run in runs if not is_audible and (len(run) >= 200 or {0, len(audible) - 1} & {*run})
    ]
    left_out = {frame + near for run in silence for frame in run for near in range(-3, 4)}
    slow = [frame for frame in range(len(audible)) if frame not in left_out] or np.flatnonzero(audible)
    np.testing.assert_array_equal(sounding_frames(cepstra), slow)


@given(st.integers(0, 30_000), st.integers(0, 30_000))
def test_silence_at_either_end_changes_no_kept_frame(before: int, behind: int) -> None:
    music_alone = cepstra_of((SILENT, 1), (-2, 300), (-10, 250), (SILENT, 400), (-3, 120), (SILENT, 1))
    silence = np.full((before + behind, 2), SILENT, np.float32)
    longer = np.concatenate([silence[:before], music_alone, silence[before:]])
    np.testing.assert_array_equal(without_silence(longer), without_silence(music_alone))


def test_features_of_a_track_with_silence_around_it_equal_those_of_the_track() -> None:
    parameters = PARAMETERS.cepstra
    signal = music(20, seed=3).astype(np.float32)[: parameters.window_samples + 1_990 * parameters.step_samples]
    # Pre-emphasis subtracts the sample before from each one, and the trimmed track has none before its first.
    signal[parameters.step_samples - 1] = 0
    silence = np.zeros(parameters.step_samples * 1_000, np.float32)
    padded = np.concatenate([silence, signal, silence])
    # The first and the last frame of the music are left out with silence. Without silence, trimming does the same.
    trimmed = signal[parameters.step_samples : -parameters.step_samples]
    alone, longer = (track_features_of(analyse([each], parameters), PARAMETERS) for each in (trimmed, padded))
    for name, value in vars(alone).items():
        np.testing.assert_allclose(vars(longer)[name], value, atol=1e-5 * np.abs(value).max(), err_msg=name)
