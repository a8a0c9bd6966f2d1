"""From the samples of a track to what is kept of it for comparing it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.fingerprint import fingerprint
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.mfcc import compute_cepstra
from mfcc_assets.features.parameters import CepstraParameters, FeaturesParameters
from mfcc_assets.features.statistics import second_moments, segment_means
from mfcc_assets.features.timbre import COEFFICIENTS, WIDTH, timbre_vector

_FRAMES_AT_ONCE = 10_000


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
        """The analysis of a track from its finer cepstra, of `timbre.COEFFICIENTS` or more coefficients."""
        return cls(cepstra[:, :coefficients], timbre_vector(cepstra))


def analyse(blocks: Iterable[NDArray[np.float32]], parameters: CepstraParameters) -> Analysis:
    """Compute the cepstra of a signal, and of finer ones its timbre.

    Parameters and errors are those of `compute_cepstra`.
    """
    finer = replace(parameters, coefficients=max(COEFFICIENTS, parameters.coefficients))
    return Analysis.of_cepstra(compute_cepstra(blocks, finer), parameters.coefficients)


@dataclass(frozen=True)
class TrackFeatures:
    """A track in a form that can be compared without its audio.

    Attributes
    ----------
    mean : (d,) float64
        Mean of the cepstra.
    covariance : (d, d) float64
        Covariance of the cepstra; with `mean`, the Gaussian of the track's timbre.
    contour : (m, d) float32
        Cepstra averaged to the contour's rate: what DTW compares.
    embedding : (segments * d,) float32
        Means of equal segments, one after the other: what the prefilter searches.
    sketch : (k, shapes) float32
        What recognition searches.
    timbre : (width,) float32
        See `mfcc_assets.features.timbre`.
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    contour: NDArray[np.float32]
    segment_means: NDArray[np.float32]
    fingerprint: NDArray[np.float32]
    timbre: NDArray[np.float32]


def track_features_of(analysis: Analysis, parameters: FeaturesParameters) -> TrackFeatures:
    """Reduce an analysis to what is kept of a track.

    Parameters
    ----------
    analysis
        Of at least one frame, all finite.
    parameters
        Contour rate (frames a second) and number of segments.

    Raises
    ------
    ValueError
        The cepstra are none, not finite, or do not fit the parameters.
    """
    cepstra = analysis.cepstra
    if not len(cepstra):
        raise ValueError("there is no frame to summarise")
    fingerprinted = fingerprint(cepstra, parameters.cepstra)
    frames = len(cepstra)
    mean = cepstra.mean(axis=0, dtype=np.float64)
    seconds = frames * parameters.cepstra.step_seconds
    return TrackFeatures(
        mean=mean,
        covariance=_covariance(cepstra, mean),
        contour=segment_means(cepstra, max(1, round(seconds * parameters.contour_rate))),
        segment_means=segment_means(cepstra, parameters.segments).ravel(),
        fingerprint=fingerprinted,
        timbre=analysis.timbre,
    )


def _covariance(cepstra: NDArray[np.float32], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    # Some frames at a time: two hours in float64, centred, took 150 MB.
    total = np.zeros((len(mean), len(mean)))
    for start in range(0, len(cepstra), _FRAMES_AT_ONCE):
        centred = cepstra[start : start + _FRAMES_AT_ONCE] - mean
        total += second_moments(centred.T)
    covariance: NDArray[np.float64] = total / len(cepstra)
    return covariance


@dataclass(frozen=True)
class FeatureTable:
    """What is kept of many tracks, row by row; their sketches are apart, since only recognition looks at them.

    Attributes
    ----------
    means : (tracks, d) float64
    covariances : (tracks, d, d) float32
    embeddings : (tracks, segments * d) float32
    roughness : (tracks, d) float32
        Mean absolute change from one frame of the contour to the next.
    timbre : (tracks, width) float32
        As computed, or as points of a library's space of timbre.
    """

    means: NDArray[np.float64]
    covariances: NDArray[np.float32]
    segment_means: NDArray[np.float32]
    roughness: NDArray[np.float32]
    timbre: NDArray[np.float32]

    def __post_init__(self) -> None:
        if len({len(getattr(self, column.name)) for column in fields(self)}) > 1:
            raise ValueError("the columns of summaries are of the same tracks")

    def __len__(self) -> int:
        return len(self.means)

    @property
    def variances(self) -> NDArray[np.float64]:
        """(tracks, d), of the cepstra."""
        return np.diagonal(self.covariances, axis1=1, axis2=2).astype(np.float64)

    @classmethod
    def of(cls, feature_table: Sequence[TrackFeatures], parameters: FeaturesParameters) -> "FeatureTable":
        """Put the summaries of many tracks together."""
        tracks, coefficients = len(feature_table), parameters.cepstra.coefficients
        return cls(
            means=np.array([row.mean for row in feature_table]).reshape(tracks, coefficients),
            covariances=np.array([row.covariance for row in feature_table], np.float32).reshape(
                tracks, coefficients, coefficients
            ),
            segment_means=np.array([row.segment_means for row in feature_table], np.float32).reshape(
                tracks, parameters.segments * coefficients
            ),
            roughness=RaggedFrames.of((row.contour for row in feature_table), coefficients).changes(),
            timbre=np.array([row.timbre for row in feature_table], np.float32).reshape(tracks, WIDTH),
        )

    @classmethod
    def joined(cls, parts: Sequence["FeatureTable"]) -> "FeatureTable":
        """The rows of all parts, of which there is one at least."""
        return cls(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(cls)))

    def rows(self, rows: NDArray[np.int64]) -> "FeatureTable":
        """Some of the rows, in the order given."""
        return FeatureTable(*(getattr(self, column.name)[rows] for column in fields(self)))
