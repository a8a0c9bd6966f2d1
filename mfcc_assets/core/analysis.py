"""From a signal to everything that is computed of it, in one pass over its samples."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.core.cepstra import compute_cepstra
from mfcc_assets.core.parameters import CepstraParameters
from mfcc_assets.core.timbre import COEFFICIENTS, timbre_vector


@dataclass(frozen=True)
class Analysis:
    """What is computed of a signal.

    Attributes
    ----------
    cepstra : (frames, coefficients) float32
        See `compute_cepstra`.
    timbre : (width,) float32
        See `timbre_vector`.
    """

    cepstra: NDArray[np.float32]
    timbre: NDArray[np.float32]

    @classmethod
    def of_cepstra(cls, cepstra: NDArray[np.float32], coefficients: int) -> "Analysis":
        """The analysis of a track whose finer cepstra, of `mfcc_assets.core.timbre.COEFFICIENTS` or more, are known."""
        return cls(cepstra[:, :coefficients], timbre_vector(cepstra))


def analyse(blocks: Iterable[NDArray[np.float32]], parameters: CepstraParameters) -> Analysis:
    """Compute the cepstra of a signal, and of finer ones its timbre.

    Parameters and errors are those of `compute_cepstra`.
    """
    finer = replace(parameters, coefficients=max(COEFFICIENTS, parameters.coefficients))
    return Analysis.of_cepstra(compute_cepstra(blocks, finer), parameters.coefficients)
