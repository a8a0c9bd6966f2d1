"""Every parameter that shapes features, and the versions made of them.

Files and indexes carry the version of the parameters they were made with, so that features of two kinds are never
compared. Cepstra have a version of their own: changing the contour's rate must not decode a library again.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

ARTICLE_FFT_SIZE = 512
"""The article's FFT size. At 44.1 kHz a frame has 1,103 samples, of which it sees the first 512."""


@dataclass(frozen=True)
class CepstraParameters:
    """How audio becomes cepstra, named as ``python_speech_features.mfcc`` defines them.

    Attributes
    ----------
    sample_rate
        Samples a second after resampling.
    trimmed_samples
        Samples dropped at either end, at `sample_rate`.
    window_seconds, step_seconds
        Length of a frame, and from one frame to the next.
    coefficients
        Cepstra a frame; the first holds the logarithm of the frame's energy.
    filters
        Triangular filters on the mel scale.
    fft_size
        Points of the FFT; None takes the next power of two above the frame.
    preemphasis
        Coefficient of the first-order high-pass filter.
    lifter
        Length of the sinusoidal lifter.

    Raises
    ------
    ValueError
        No sample, filter or coefficient would be left. Whether window and step suit each other, `compute_cepstra` says.
    """

    sample_rate: int = 44_100
    trimmed_samples: int = 500
    window_seconds: float = 0.025
    step_seconds: float = 0.01
    coefficients: int = 13
    filters: int = 26
    fft_size: int | None = None
    preemphasis: float = 0.97
    lifter: int = 22

    def __post_init__(self) -> None:
        if self.sample_rate <= 0 or (self.fft_size is not None and self.fft_size <= 0):
            raise ValueError(f"rate and FFT size are positive, unlike {self.sample_rate} and {self.fft_size}")
        if not 1 <= self.coefficients <= self.filters:
            raise ValueError(f"there are 1 to {self.filters} coefficients, not {self.coefficients}")
        if self.trimmed_samples < 0:
            raise ValueError(f"no fewer than 0 samples can be trimmed, unlike {self.trimmed_samples}")

    @property
    def version(self) -> str:
        return _version(self)


@dataclass(frozen=True)
class FeaturesParameters:
    """How audio becomes everything that is kept of a track for comparing it.

    Attributes
    ----------
    cepstra
        See `CepstraParameters`.
    contour_rate
        Frames a second of the contour, which DTW compares.
    segments
        Equal segments whose means make the embedding of the prefilter.

    Raises
    ------
    ValueError
        The rate or the number of segments is not positive.
    """

    cepstra: CepstraParameters = field(default_factory=CepstraParameters)
    contour_rate: float = 2.0
    segments: int = 8

    def __post_init__(self) -> None:
        if self.contour_rate <= 0 or self.segments < 1:
            raise ValueError(f"contour rate and segments are positive, unlike {self.contour_rate} and {self.segments}")

    @property
    def version(self) -> str:
        return _version(self)


REVISION = 4
"""To be raised when the code makes other features of the same parameters: those of two revisions are not mixed."""


def _version(parameters: CepstraParameters | FeaturesParameters) -> str:
    # 2 and 2.0 are one rate, and must be one version.
    numbers = asdict(parameters, dict_factory=_as_floats)
    written = json.dumps([REVISION, numbers], sort_keys=True)
    return hashlib.blake2b(written.encode(), digest_size=4).hexdigest()


def _as_floats(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: float(value) if isinstance(value, int) else value for name, value in fields}
