from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.features.parameters import ARTICLE_FFT_SIZE, CepstraParameters, FeaturesParameters

OTHER_CEPSTRA: dict[str, Any] = {
    "sample_rate": 22_050,
    "trimmed_samples": 0,
    "window_seconds": 0.05,
    "step_seconds": 0.02,
    "coefficients": 12,
    "filters": 40,
    "fft_size": ARTICLE_FFT_SIZE,
    "preemphasis": 0.0,
    "lifter": 0,
}


def test_the_versions_of_the_default_parameters_do_not_change():
    # If these changed, every library would compute its features again.
    assert CepstraParameters().version == "65e2c9a5"
    assert FeaturesParameters().version == "72811ca1"


def test_every_parameter_of_cepstra_is_part_of_both_versions():
    assert OTHER_CEPSTRA.keys() == {field.name for field in fields(CepstraParameters)}
    cepstra = [CepstraParameters(), *(CepstraParameters(**{name: other}) for name, other in OTHER_CEPSTRA.items())]
    assert len({each.version for each in cepstra}) == len(cepstra)
    assert len({FeaturesParameters(cepstra=each).version for each in cepstra}) == len(cepstra)


@pytest.mark.parametrize("other", [{"contour_rate": 5.0}, {"segments": 4}])
def test_parameters_of_other_features_do_not_change_the_version_of_cepstra(other):
    changed = replace(FeaturesParameters(), **other)
    assert changed.version != FeaturesParameters().version
    assert changed.cepstra.version == FeaturesParameters().cepstra.version


@given(st.integers(1, 100))
def test_whole_numbers_and_equal_fractions_give_the_same_version(rate):
    whole, fraction = FeaturesParameters(contour_rate=rate), FeaturesParameters(contour_rate=float(rate))
    assert whole == fraction
    assert whole.version == fraction.version


@pytest.mark.parametrize(
    "wrong",
    [
        {"sample_rate": 0},
        {"fft_size": 0},
        {"fft_size": -1},
        {"coefficients": 0},
        {"coefficients": 27},
        {"filters": 12},
        {"trimmed_samples": -1},
    ],
)
def test_impossible_parameters_of_cepstra_are_refused(wrong):
    with pytest.raises(ValueError, match=str(*wrong.values())):
        CepstraParameters(**wrong)


@pytest.mark.parametrize("wrong", [{"contour_rate": 0.0}, {"contour_rate": -2.0}, {"segments": 0}])
def test_impossible_parameters_of_features_are_refused(wrong):
    with pytest.raises(ValueError, match=str(*wrong.values())):
        FeaturesParameters(**wrong)
