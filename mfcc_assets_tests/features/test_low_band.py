"""The low band, which every coding of a track keeps, and the treble above it."""

from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mfcc_assets.audio.reader import AudioReader
from mfcc_assets.features.low_band import low_band_cepstra, low_filters, treble
from mfcc_assets.features.mfcc import compute_cepstra
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets_tests import naive_timbre

PARAMETERS = CepstraParameters()
ALL = replace(PARAMETERS, coefficients=PARAMETERS.filters)

LIBRARY = Path(str(files("mfcc_assets.demo"))) / "library"
TRACKS = ["Derek_JoJo_Stegall_track_05", "Maxstack_Awakening", "Muldjord_chaos_god", "Will_Savino_Ocean"]


@cache
def music(name: str) -> NDArray[np.float32]:
    """Thirty seconds of a track of the starter library, played twice as fast.

    The starter library is stored at 22.05 kHz, so it has no treble otherwise.
    """
    reader = AudioReader(LIBRARY / f"{name}.ogg", PARAMETERS.sample_rate // 2, PARAMETERS.trimmed_samples)
    signal = np.concatenate(list(reader.blocks()))
    return signal[: 30 * PARAMETERS.sample_rate]


def low_passed(signal: NDArray[np.float32], hertz: float) -> NDArray[np.float32]:
    """The signal without frequencies above a limit, as codings with loss leave them out."""
    sections = scipy.signal.butter(10, hertz, fs=PARAMETERS.sample_rate, output="sos")
    return scipy.signal.sosfiltfilt(sections, signal).astype(np.float32)


def cepstra(signal: NDArray[np.float32], parameters: CepstraParameters = ALL) -> NDArray[np.float32]:
    return compute_cepstra([signal], parameters)


def random_cepstra(frames: int, coefficients: int, seed: int = 0) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    energies = random.uniform(-5, 0, (frames, 1))
    return np.hstack([energies, random.normal(0, 10, (frames, coefficients - 1))]).astype(np.float32)


def change(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Mean squared difference of two descriptions of a track, as a share of the variance over time.

    The energy is left out, because it depends on the loudest sample, which a low-pass changes.
    """
    return float(np.mean(np.square(one - other)[:, 1:].mean(axis=0) / one[:, 1:].var(axis=0)))


@settings(max_examples=30)
@given(st.sampled_from([2, 13, 20, 26]), st.sampled_from([None, 1, 13, 16, 20, 26]), st.integers(0, 2**32 - 1))
def test_the_low_band_agrees_with_the_slow_twin(known, kept, seed):
    given_cepstra = random_cepstra(40, known, seed)
    found = low_band_cepstra(given_cepstra, replace(PARAMETERS, coefficients=known), kept)
    expected = naive_timbre.low_band_cepstra(given_cepstra, kept or max(1, known * 20 // 26))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_the_number_of_frames_does_not_change_the_description_of_a_frame():
    given_cepstra = random_cepstra(25_000, 13)
    pieces = [low_band_cepstra(piece, PARAMETERS) for piece in np.array_split(given_cepstra, 7)]
    np.testing.assert_allclose(low_band_cepstra(given_cepstra, PARAMETERS), np.concatenate(pieces), atol=1e-4)


@pytest.mark.parametrize("name", TRACKS)
def test_a_low_pass_changes_all_low_band_cepstra_little_and_ordinary_cepstra_much(name):
    whole, without_treble = cepstra(music(name)), cepstra(low_passed(music(name), 10_500))
    low, low_without_treble = (low_band_cepstra(each, ALL, 20) for each in (whole, without_treble))
    assert change(low, low_without_treble) < 0.01
    assert change(whole, without_treble) > 0.3


@pytest.mark.parametrize("name", TRACKS)
def test_a_low_pass_changes_low_band_cepstra_from_few_coefficients_far_less_than_ordinary_ones(name):
    whole, without_treble = (cepstra(each, PARAMETERS) for each in (music(name), low_passed(music(name), 10_500)))
    low, low_without_treble = (low_band_cepstra(each, PARAMETERS) for each in (whole, without_treble))
    assert change(low, low_without_treble) < 0.1 * change(whole[:, :10], without_treble[:, :10])


def test_a_change_of_level_changes_only_the_first_coefficient():
    given_cepstra = random_cepstra(300, 13)
    louder = given_cepstra + np.eye(13, dtype=np.float32)[0] * 3
    expected = low_band_cepstra(given_cepstra, PARAMETERS) + np.eye(10, dtype=np.float32)[0] * 3
    np.testing.assert_allclose(low_band_cepstra(louder, PARAMETERS), expected, atol=1e-4)


def test_the_energy_of_the_low_band_is_that_of_the_frame_if_all_is_low():
    signal = low_passed(np.random.default_rng(0).standard_normal(44_100).astype(np.float32), 5_000)
    whole = cepstra(signal)
    np.testing.assert_allclose(low_band_cepstra(whole, ALL)[:, 0], whole[:, 0], atol=1e-2)


@pytest.mark.parametrize(
    "wrong", [np.zeros((9, 12), np.float32), np.zeros((9, 26), np.float32), np.zeros(13, np.float32)]
)
def test_cepstra_of_another_width_are_refused(wrong):
    with pytest.raises(ValueError, match="cepstra are frames x 13"):
        low_band_cepstra(wrong, PARAMETERS)


def test_no_frame_gives_no_frame():
    assert low_band_cepstra(np.empty((0, 13), np.float32), PARAMETERS).shape == (0, 10)


@pytest.mark.parametrize("parameters", [PARAMETERS, ALL], ids=["13 coefficients", "all coefficients"])
@pytest.mark.parametrize("name", TRACKS)
def test_the_treble_falls_as_a_low_pass_cuts_off_more_and_is_the_same_at_another_volume(name, parameters):
    signal = music(name)
    every, some, none, quieter = (
        treble(cepstra(each, parameters).mean(axis=0), parameters)
        for each in (signal, low_passed(signal, 16_000), low_passed(signal, 10_500), signal * np.float32(0.1))
    )
    assert every > some + 0.9
    assert some > none + 2
    assert quieter == pytest.approx(every, abs=1e-3)


def test_the_treble_does_not_depend_on_the_energy():
    mean = np.random.default_rng(0).normal(0, 10, 13)
    louder = mean + np.eye(13)[0] * 3
    assert treble(louder, PARAMETERS) == pytest.approx(treble(mean, PARAMETERS))


def test_audio_without_filters_above_the_low_band_has_no_treble():
    narrow = CepstraParameters(sample_rate=16_000)
    assert low_filters(narrow) == narrow.filters
    assert treble(np.random.default_rng(0).normal(0, 10, 13), narrow) == 0
