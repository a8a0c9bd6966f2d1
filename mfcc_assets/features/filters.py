"""Logarithms of the energies of mel filters, which cepstra describe."""

from functools import cache

import numpy as np
import scipy  # loads its submodules when they are first used, which keeps imports short
from numpy.typing import NDArray

from mfcc_assets.features.mel import hz_to_mel, lifter_weights
from mfcc_assets.features.parameters import CepstraParameters


@cache
def filters_of_cepstra(parameters: CepstraParameters) -> NDArray[np.float64]:
    """Return the matrix (coefficients, filters) that turns liftered cepstra into log energies, without their level.

    The first coefficient is the energy of the frame. It changes the level alone, so its row is 0.
    """
    lifter = lifter_weights(parameters.coefficients, parameters.lifter)
    cosines: NDArray[np.float64] = scipy.fft.idct(np.diag(1 / lifter), n=parameters.filters, axis=1, norm="ortho")
    cosines[0] = 0
    return cosines


def filters_below(frequency: float, parameters: CepstraParameters) -> int:
    """Count the filters that end at or below a frequency in Hz."""
    upper_edges = (
        np.arange(2, parameters.filters + 2) * hz_to_mel(parameters.sample_rate / 2) / (parameters.filters + 1)
    )
    return int((upper_edges <= hz_to_mel(frequency)).sum())
