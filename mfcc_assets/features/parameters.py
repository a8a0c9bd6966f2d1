"""All parameters that shape features, and the features versions derived from them.

Files and indexes carry the version of the parameters they were made with, so that features of two kinds are never
compared. Cepstra have a separate version, so that a new contour rate does not make the engine decode a library again.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from math import ceil, floor, log2
from typing import Any

ARTICLE_FFT_SIZE = 512
"""FFT size of the article. At 44.1 kHz a frame has 1,103 samples, and such an FFT uses only the first 512."""


@dataclass(frozen=True)
class CepstraParameters:
    """Parameters of cepstra, with the meaning that they have in ``python_speech_features.mfcc``.

    Attributes
    ----------
    sample_rate
        Sample rate of the signal in Hz. Files of other rates are resampled.
    trimmed_samples
        Number of samples, at `sample_rate`, that are dropped at each end of a track.
    window_seconds, step_seconds
        Length of a frame, and time from the start of one frame to the start of the next.
    coefficients
        Number of cepstra in a frame. The first is replaced by the logarithm of the frame's energy.
    filters
        Number of triangular filters on the mel scale.
    fft_size
        Number of points of the FFT. None means the next power of two that holds a frame.
    preemphasis
        Coefficient of the first-order high-pass filter.
    lifter
        Length of the sinusoidal lifter: see `mfcc_assets.features.mel.lifter_weights`.

    Raises
    ------
    ValueError
        If a rate or size is not positive, the number of coefficients is not between 1 and that of the filters, or
        `trimmed_samples` is negative. `compute_cepstra` checks that window and step fit each other.

    Examples
    --------
    >>> article = CepstraParameters(fft_size=ARTICLE_FFT_SIZE)
    >>> article.coefficients, article.fft_size
    (13, 512)
    >>> article.version == CepstraParameters().version
    False
    >>> default = CepstraParameters()
    >>> default.window_samples, default.step_samples, default.fft_points
    (1103, 441, 2048)
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
            raise ValueError(f"sample rate and FFT size must be positive, not {self.sample_rate} and {self.fft_size}")
        if not 1 <= self.coefficients <= self.filters:
            raise ValueError(f"the number of coefficients must be 1 to {self.filters}, not {self.coefficients}")
        if self.trimmed_samples < 0:
            raise ValueError(f"the number of trimmed samples must not be negative, got {self.trimmed_samples}")

    @property
    def window_samples(self) -> int:
        """Number of samples in a frame."""
        return _round_half_up(self.window_seconds * self.sample_rate)

    @property
    def step_samples(self) -> int:
        """Number of samples from the start of one frame to the start of the next."""
        return _round_half_up(self.step_seconds * self.sample_rate)

    @property
    def fft_points(self) -> int:
        """Number of points of the FFT: `fft_size`, or the next power of two that holds a frame."""
        return self.fft_size or 2 ** ceil(log2(self.window_samples))

    @property
    def version(self) -> str:
        """Version of cepstra with these parameters, 8 hex digits."""
        return _version(self)


@dataclass(frozen=True)
class FeaturesParameters:
    """Parameters of all features of a track.

    Attributes
    ----------
    cepstra
        Parameters of the cepstra, from which all features are computed.
    contour_rate
        Frames per second of the contour, which DTW compares.
    segments
        Number of equal segments whose means are kept.

    Raises
    ------
    ValueError
        If the rate or the number of segments is not positive.
    """

    cepstra: CepstraParameters = field(default_factory=CepstraParameters)
    contour_rate: float = 2.0
    segments: int = 8

    def __post_init__(self) -> None:
        if self.contour_rate <= 0 or self.segments < 1:
            raise ValueError(f"contour rate and segments must be positive, not {self.contour_rate} and {self.segments}")

    @property
    def version(self) -> str:
        """Version of features with these parameters, 8 hex digits."""
        return _version(self)


REVISION = 7
"""Raise this number when the code computes other features from the same parameters, so that the two are never mixed."""


def _version(parameters: CepstraParameters | FeaturesParameters) -> str:
    # 2 and 2.0 are the same rate and must give the same version.
    numbers = asdict(parameters, dict_factory=_as_floats)
    written = json.dumps([REVISION, numbers], sort_keys=True)
    return hashlib.blake2b(written.encode(), digest_size=4).hexdigest()


def _round_half_up(number: float) -> int:
    # python_speech_features rounds so, and not to the even neighbour.
    return floor(number + 0.5)


def _as_floats(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: float(value) if isinstance(value, int) else value for name, value in fields}
