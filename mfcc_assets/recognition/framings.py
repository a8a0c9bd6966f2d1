"""The framings of a recording: its spectral changes, from each of the places at which its frames may begin."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.fingerprint import Resolution, spectral_changes
from mfcc_assets.features.parameters import CepstraParameters

PHASES = 2
"""Number of framings of the query. The frames of a query rarely begin where the frames of the track begin. At ten
frames a second, the worst cosine of a recording with itself was 0.68 with one framing and 0.88 with two."""


@dataclass(frozen=True)
class Framing:
    """The spectral changes of some frames of a file, from one of the phases at which its frames may begin.

    Attributes
    ----------
    changes : (k, 6)
        See `spectral_changes`.
    seconds : (k or more,)
        Time in the file at which each change begins.
    """

    changes: NDArray[np.float32]
    seconds: NDArray[np.float64]


def framings_of(
    cepstra: NDArray[np.float32],
    kept: NDArray[np.intp],
    parameters: CepstraParameters,
    resolution: Resolution,
    *,
    phases: int,
) -> list[Framing]:
    """Return the framings of the frames of a file that are kept."""
    step = round(resolution.seconds / parameters.step_seconds)
    seconds: NDArray[np.float64] = kept * np.float64(parameters.step_seconds)
    starts = [phase * step // phases for phase in range(phases)]
    return [
        Framing(spectral_changes(cepstra[kept[start:]], parameters, resolution), seconds[start::step])
        for start in starts
    ]
