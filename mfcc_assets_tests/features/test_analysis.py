from dataclasses import replace

import numpy as np
import pytest

from mfcc_assets.features.mfcc import compute_cepstra
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.timbre import COEFFICIENTS, WIDTH, timbre_vector
from mfcc_assets.features.track_features import Analysis, analyse
from mfcc_assets_tests.audio_samples import music

PARAMETERS = CepstraParameters()
SIGNAL = music(3.0, seed=1).astype(np.float32)


@pytest.mark.parametrize("coefficients", [12, 13, 22])
def test_an_analysis_has_the_cepstra_that_are_asked_for_and_the_timbre_of_finer_ones(coefficients):
    parameters = replace(PARAMETERS, coefficients=coefficients)
    analysis = analyse([SIGNAL], parameters)
    np.testing.assert_allclose(analysis.cepstra, compute_cepstra([SIGNAL], parameters), rtol=1e-5, atol=1e-4)
    finer = compute_cepstra([SIGNAL], replace(PARAMETERS, coefficients=max(COEFFICIENTS, coefficients)))
    np.testing.assert_array_equal(analysis.timbre, timbre_vector(finer))
    assert analysis.timbre.shape == (WIDTH,)


def test_how_a_signal_is_cut_into_blocks_changes_nothing():
    whole, cut = analyse([SIGNAL], PARAMETERS), analyse(np.array_split(SIGNAL, 7), PARAMETERS)
    np.testing.assert_array_equal(cut.cepstra, whole.cepstra)
    np.testing.assert_array_equal(cut.timbre, whole.timbre)


def test_the_analysis_of_finer_cepstra_keeps_the_first_of_them():
    finer = np.random.default_rng(0).normal(0, 1, (300, COEFFICIENTS)).astype(np.float32)
    analysis = Analysis.of_cepstra(finer, 13)
    np.testing.assert_array_equal(analysis.cepstra, finer[:, :13])
    np.testing.assert_array_equal(analysis.timbre, timbre_vector(finer))


def test_cepstra_too_coarse_for_timbre_are_refused():
    with pytest.raises(ValueError, match="20 cepstra"):
        Analysis.of_cepstra(np.zeros((300, 13), np.float32), 13)
