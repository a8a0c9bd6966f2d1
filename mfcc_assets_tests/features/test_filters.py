from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import python_speech_features
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.features.filters import filters_below, filters_of_cepstra
from mfcc_assets.features.mfcc import compute_cepstra
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets_tests.audio_samples import music

PARAMETERS = CepstraParameters()
ALL = replace(PARAMETERS, coefficients=PARAMETERS.filters)

# So long that the edge of each filter is known to a few Hz.
FFT_SIZE = 2**16


@cache
def upper_edges(parameters: CepstraParameters) -> np.ndarray:
    """Frequency in Hz at which each filter of the reference implementation ends."""
    bank = python_speech_features.get_filterbanks(parameters.filters, FFT_SIZE, parameters.sample_rate)
    return np.array([np.flatnonzero(weights)[-1] for weights in bank]) * parameters.sample_rate / FFT_SIZE


def test_all_cepstra_give_the_log_energies_of_the_filters_without_their_level():
    signal = music(2, seed=1).astype(np.float32)
    found = compute_cepstra([signal], ALL) @ filters_of_cepstra(ALL)
    log_energies = python_speech_features.logfbank(
        signal.astype(np.float64), PARAMETERS.sample_rate, 0.025, 0.01, PARAMETERS.filters, PARAMETERS.fft_points
    )
    expected = log_energies - log_energies.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected[: len(found)], atol=2e-3)


@pytest.mark.parametrize("coefficients", [1, 13, 20])
def test_fewer_cepstra_give_the_filters_that_all_give_if_the_others_are_0(coefficients):
    parameters = replace(PARAMETERS, coefficients=coefficients)
    cepstra = np.random.default_rng(0).normal(0, 10, (50, coefficients))
    padded = np.pad(cepstra, ((0, 0), (0, PARAMETERS.filters - coefficients)))
    np.testing.assert_allclose(cepstra @ filters_of_cepstra(parameters), padded @ filters_of_cepstra(ALL), atol=1e-12)


def test_the_energy_of_a_frame_changes_no_filter():
    assert not filters_of_cepstra(PARAMETERS)[0].any()


def test_the_lifter_is_undone():
    plain = replace(ALL, lifter=0)
    signal = [music(2, seed=2).astype(np.float32)]
    found, expected = (compute_cepstra(signal, each) @ filters_of_cepstra(each) for each in (ALL, plain))
    np.testing.assert_allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize("parameters", [PARAMETERS, CepstraParameters(sample_rate=16_000, filters=40)])
@pytest.mark.parametrize("hertz", [100.0, 1_000.0, 4_000.0, 9_800.0])
def test_the_filters_below_a_frequency_are_those_that_end_there(parameters, hertz):
    count = int((upper_edges(parameters) <= hertz).sum())
    assert filters_below(hertz, parameters) == min(count, parameters.filters)


@given(st.integers(0, 25))
def test_a_filter_is_counted_from_its_upper_edge_on(number):
    edge = upper_edges(PARAMETERS)[number]
    assert filters_below(edge - 5, PARAMETERS) == number
    assert filters_below(edge + 5, PARAMETERS) == number + 1


def test_no_filter_ends_at_0_and_all_filters_end_at_half_the_sample_rate():
    assert filters_below(0, PARAMETERS) == 0
    assert filters_below(PARAMETERS.sample_rate, PARAMETERS) == PARAMETERS.filters
