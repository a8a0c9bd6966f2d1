import numpy as np
import pytest
import python_speech_features
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mfcc_assets.features.mel import hz_to_mel, lifter_weights, mel_to_hz

AUDIBLE = st.floats(0, 96_000)


@given(AUDIBLE)
def test_a_frequency_survives_the_round_trip_through_mel(hertz):
    assert mel_to_hz(hz_to_mel(hertz)) == pytest.approx(hertz, rel=1e-9, abs=1e-9)


@given(st.floats(0, 6_000))
def test_a_pitch_survives_the_round_trip_through_hertz(mel):
    assert hz_to_mel(mel_to_hz(mel)) == pytest.approx(mel, rel=1e-9, abs=1e-9)


@given(AUDIBLE, AUDIBLE)
def test_a_higher_frequency_has_no_lower_pitch(one, other):
    lower, higher = sorted((one, other))
    assert hz_to_mel(lower) <= hz_to_mel(higher)


@pytest.mark.parametrize(("hertz", "mel"), [(0, 0), (700, 781.172_838_7), (1_000, 999.985_537_1), (6_300, 2_595)])
def test_known_frequencies_have_their_known_pitch(hertz, mel):
    assert hz_to_mel(hertz) == pytest.approx(mel, abs=1e-6)
    assert mel_to_hz(mel) == pytest.approx(hertz, abs=1e-6)


@given(npst.arrays(np.float64, st.integers(1, 20), elements=AUDIBLE))
def test_arrays_are_converted_as_python_speech_features_converts_them(hertz):
    mel = hz_to_mel(hertz)
    np.testing.assert_array_equal(mel, python_speech_features.base.hz2mel(hertz))
    np.testing.assert_array_equal(mel_to_hz(mel), python_speech_features.base.mel2hz(mel))


@given(st.integers(1, 40), st.integers(1, 60))
def test_the_lifter_is_that_of_python_speech_features(coefficients, lifter):
    expected = python_speech_features.lifter(np.ones((1, coefficients)), lifter)[0]
    np.testing.assert_array_equal(lifter_weights(coefficients, lifter), expected)


def test_the_lifter_raises_the_coefficient_in_its_middle_the_most():
    weights = lifter_weights(22, 22)
    assert weights[0] == 1
    assert weights.argmax() == 11
    assert weights[11] == pytest.approx(12)


def test_a_lifter_of_length_zero_changes_nothing():
    np.testing.assert_array_equal(lifter_weights(13, 0), np.ones(13))
