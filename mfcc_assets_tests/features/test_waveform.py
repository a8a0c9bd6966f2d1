"""Waveforms: peaks and bands of a track in at most 1,000 bins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mfcc_assets.features.mfcc import compute_cepstra
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.waveform import MOST_BINS, PeakMeter, Waveform, waveform_of
from mfcc_assets_tests import naive_waveform

PARAMETERS = CepstraParameters()
RATE = PARAMETERS.sample_rate


def waveform(signal: NDArray[np.float32], blocks: int = 1) -> Waveform:
    """Return the waveform of a signal that is read in this many blocks."""
    meter = PeakMeter(PARAMETERS.step_samples)
    cepstra = compute_cepstra(meter.listen(np.array_split(signal, blocks)), PARAMETERS)
    return waveform_of(meter.peaks, cepstra, PARAMETERS)


def noise(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * RATE)).astype(np.float32)


def tone(hertz: float, seconds: float = 1.0) -> NDArray[np.float32]:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE).astype(np.float32)


@pytest.mark.parametrize("samples", [1, 440, 441, 442, 1_103, 30_000, 700_000])
def test_a_waveform_is_that_of_the_slow_twin(samples: int) -> None:
    random = np.random.default_rng(samples)
    signal = (random.normal(size=samples) * np.linspace(0, 1, samples + 1)[1:]).astype(np.float32)

    found = waveform(signal, blocks=3)

    peaks, bands = naive_waveform.waveform(signal, compute_cepstra([signal], PARAMETERS))
    np.testing.assert_allclose(found.peaks, peaks, atol=1)
    np.testing.assert_allclose(found.bands, bands, atol=1)


@settings(max_examples=30)
@given(samples=st.integers(1, 60_000), blocks=st.integers(1, 9), power=st.integers(-8, 8))
def test_neither_the_level_nor_the_blocks_of_a_signal_change_its_waveform(
    samples: int, blocks: int, power: int
) -> None:
    signal = noise(samples / RATE, seed=samples)

    one, other = waveform(signal), waveform(signal * np.float32(2.0**power), blocks)

    np.testing.assert_array_equal(one.peaks, other.peaks)
    np.testing.assert_allclose(one.bands, other.bands, atol=1)


@settings(max_examples=30)
@given(samples=st.integers(1, 1_000_000))
def test_a_waveform_has_a_bin_for_each_hundredth_of_a_second_and_never_more_than_a_thousand(samples: int) -> None:
    found = waveform(np.ones(samples, np.float32))

    assert len(found.peaks) == min(MOST_BINS, -(-samples // PARAMETERS.step_samples))
    assert found.bands.shape == (len(found.peaks), 3)
    assert found.peaks.dtype == found.bands.dtype == np.uint8
    assert set(found.peaks.tolist()) == {255}


def test_silence_within_a_track_has_neither_peaks_nor_bands() -> None:
    found = waveform(np.concatenate([noise(2), np.zeros(2 * RATE, np.float32), noise(2)]))

    assert not found.peaks[200:400].any()
    assert not found.bands[200:400].any()
    assert found.peaks[:200].all()
    assert found.bands[:199].any(axis=1).all()


def test_a_track_of_silence_alone_is_a_flat_line() -> None:
    found = waveform_of(np.zeros(100, np.float32), np.zeros((98, 13), np.float32), PARAMETERS)

    assert not found.peaks.any()
    assert not found.bands.any()


@pytest.mark.parametrize(("hertz", "band"), [(120, 0), (1_000, 1), (9_000, 2)])
def test_a_tone_is_strongest_in_its_own_band(hertz: float, band: int) -> None:
    bands = waveform(tone(hertz)).bands.astype(float)

    assert set(bands[5:90].argmax(axis=1).tolist()) == {band}


def test_a_short_click_is_not_lost_in_a_long_track() -> None:
    signal = noise(30) * np.float32(0.01)
    signal[15 * RATE] = 1

    assert waveform(signal).peaks.argmax() == 500


@pytest.mark.parametrize(
    ("peaks", "cepstra"),
    [(np.ones(0, np.float32), np.zeros((1, 13), np.float32)), (np.ones(1, np.float32), np.zeros((0, 13), np.float32))],
)
def test_no_samples_are_refused(peaks: NDArray[np.float32], cepstra: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="no samples"):
        waveform_of(peaks, cepstra, PARAMETERS)


def test_cepstra_of_other_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="cepstra are frames x 13"):
        waveform_of(np.ones(1, np.float32), np.zeros((1, 12), np.float32), PARAMETERS)
