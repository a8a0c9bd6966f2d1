"""The features that are kept of a track, computed from its samples, and a table of the features of many tracks.

A signal becomes an `Analysis` (`analyse`), an analysis becomes `TrackFeatures` (`track_features_of`), and those of many
tracks become a `FeatureTable` (`FeatureTable.of`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.contour import contour_of
from mfcc_assets.features.fingerprint import checked_cepstra, fingerprint
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.low_band import low_band_cepstra, low_coefficients, treble
from mfcc_assets.features.mfcc import compute_cepstra
from mfcc_assets.features.parameters import CepstraParameters, FeaturesParameters
from mfcc_assets.features.silence import without_silence
from mfcc_assets.features.statistics import second_moments, segment_means
from mfcc_assets.features.timbre import COEFFICIENTS, WIDTH, timbre_vector

_FRAMES_AT_ONCE = 10_000


@dataclass(frozen=True)
class Analysis:
    """The features that are computed directly from a signal.

    Attributes
    ----------
    cepstra : (frames, coefficients) float32
        See `mfcc_assets.features.mfcc.compute_cepstra`.
    timbre : (width,) float32
        See `mfcc_assets.features.timbre.timbre_vector`. Silence is left out: see `mfcc_assets.features.silence`.
    """

    cepstra: NDArray[np.float32]
    timbre: NDArray[np.float32]

    @classmethod
    def of_cepstra(cls, cepstra: NDArray[np.float32], coefficients: int) -> "Analysis":
        """Make an analysis from cepstra of more coefficients than are kept.

        Parameters
        ----------
        cepstra : (frames, 26) float32
            Cepstra of all `mfcc_assets.features.timbre.COEFFICIENTS` coefficients, as `timbre_vector` needs them.
        coefficients
            Number of coefficients that the analysis keeps.

        Raises
        ------
        ValueError
            If `timbre_vector` refuses the cepstra.
        """
        return cls(cepstra[:, :coefficients], timbre_vector(without_silence(cepstra)))


def analyse(blocks: Iterable[NDArray[np.float32]], parameters: CepstraParameters) -> Analysis:
    """Compute the cepstra and the timbre of a signal in one pass.

    Parameters
    ----------
    blocks
        The signal in pieces of any length, each (samples,) float32, for example `AudioReader.blocks`.
    parameters
        Definition of the cepstra.

    Raises
    ------
    ValueError
        If `compute_cepstra` or `timbre_vector` refuses the signal.

    Notes
    -----
    Timbre needs more coefficients than cepstra have by default. The cepstra are computed with all of them, and the
    surplus is dropped.

    Examples
    --------
    >>> signal = np.sin(2 * np.pi * 440 * np.arange(5 * 44_100) / 44_100).astype(np.float32)
    >>> analysis = analyse([signal], CepstraParameters())
    >>> analysis.cepstra.shape, analysis.timbre.shape
    ((499, 13), (5204,))
    """
    finer = replace(parameters, coefficients=max(COEFFICIENTS, parameters.coefficients))
    return Analysis.of_cepstra(compute_cepstra(blocks, finer), parameters.coefficients)


@dataclass(frozen=True)
class TrackFeatures:
    """The features that are kept of one track, so that it can be compared without its audio.

    All of them leave out silence before, behind and within the music: see `mfcc_assets.features.silence`. The cepstra
    are those of the low band, which a coding with loss hardly changes: see `mfcc_assets.features.low_band`.

    Attributes
    ----------
    mean : (d,) float64
        Mean of the cepstra.
    covariance : (d, d) float64
        Covariance of the cepstra. With `mean` it is the Gaussian that the ranking ``gaussian`` compares.
    contour : (m, d) float32
        Cepstra averaged to the contour rate, which DTW compares.
    segment_means : (segments * d,) float32
        Means of equal segments of the cepstra, one after the other.
    fingerprint : (k, 6) float32
        See `mfcc_assets.features.fingerprint.fingerprint`, which recognition compares.
    timbre : (width,) float32
        See `mfcc_assets.features.timbre.timbre_vector`. It describes the whole band, too.
    treble : float
        See `mfcc_assets.features.low_band.treble`.
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    contour: NDArray[np.float32]
    segment_means: NDArray[np.float32]
    fingerprint: NDArray[np.float32]
    timbre: NDArray[np.float32]
    treble: float


def track_features_of(analysis: Analysis, parameters: FeaturesParameters) -> TrackFeatures:
    """Reduce the analysis of a track to the features that are kept.

    Parameters
    ----------
    analysis
        Cepstra of at least one frame, and timbre.
    parameters
        Parameters of these cepstra, contour rate and number of segments.

    Raises
    ------
    ValueError
        If there is no frame, or the cepstra are not finite or do not fit the parameters.

    Examples
    --------
    Five seconds have a contour of ten frames, two per second.

    >>> signal = np.sin(2 * np.pi * 440 * np.arange(5 * 44_100) / 44_100).astype(np.float32)
    >>> parameters = FeaturesParameters()
    >>> features = track_features_of(analyse([signal], parameters.cepstra), parameters)
    >>> features.mean.shape, features.contour.shape, features.segment_means.shape
    ((10,), (10, 10), (80,))
    """
    whole = checked_cepstra(analysis.cepstra, parameters.cepstra)
    if not len(whole):
        raise ValueError("the track has no frame")
    sounding = without_silence(whole)
    cepstra = low_band_cepstra(sounding, parameters.cepstra)
    mean = cepstra.mean(axis=0, dtype=np.float64)
    return TrackFeatures(
        mean=mean,
        covariance=_covariance(cepstra, mean),
        contour=contour_of(cepstra, parameters),
        segment_means=segment_means(cepstra, parameters.segments).ravel(),
        fingerprint=fingerprint(sounding, parameters.cepstra),
        timbre=analysis.timbre,
        treble=treble(sounding.mean(axis=0, dtype=np.float64), parameters.cepstra),
    )


def _covariance(cepstra: NDArray[np.float32], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    # A few frames at a time, because hours of centred frames in float64 need much memory.
    total = np.zeros((len(mean), len(mean)))
    for start in range(0, len(cepstra), _FRAMES_AT_ONCE):
        centred = cepstra[start : start + _FRAMES_AT_ONCE] - mean
        total += second_moments(centred.T)
    covariance: NDArray[np.float64] = total / len(cepstra)
    return covariance


@dataclass(frozen=True)
class FeatureTable:
    """The features of many tracks as columns, with one row for each track.

    Contours and fingerprints are not part of the table, since they have no fixed length.

    Attributes
    ----------
    means : (tracks, d) float64
        Mean of each track's cepstra, which are those of the low band.
    covariances : (tracks, d, d) float32
        Covariance of each track's cepstra.
    segment_means : (tracks, segments * d) float32
        Means of equal segments of each track.
    roughness : (tracks, d) float32
        Mean absolute change from one frame of the contour to the next.
    timbre : (tracks, width) float32
        Vectors of `timbre_vector`, or the points of the whole band in the timbre space of a library.
    low_timbre : (tracks, dimensions) float32
        Points of the low band in the timbre space of a library. There are no dimensions if `timbre` holds vectors.
    treble : (tracks,) float32
        How loud each track is above the low band: see `mfcc_assets.features.low_band.treble`.

    Raises
    ------
    ValueError
        If the columns differ in their number of rows.
    """

    means: NDArray[np.float64]
    covariances: NDArray[np.float32]
    segment_means: NDArray[np.float32]
    roughness: NDArray[np.float32]
    timbre: NDArray[np.float32]
    low_timbre: NDArray[np.float32]
    treble: NDArray[np.float32]

    def __post_init__(self) -> None:
        if len({len(getattr(self, column.name)) for column in fields(self)}) > 1:
            raise ValueError("the columns of a feature table must have the same tracks")

    def __len__(self) -> int:
        return len(self.means)

    @property
    def variances(self) -> NDArray[np.float64]:
        """Variances (tracks, d) of each track's cepstra."""
        return np.diagonal(self.covariances, axis1=1, axis2=2).astype(np.float64)

    @classmethod
    def of(cls, track_features: Sequence[TrackFeatures], parameters: FeaturesParameters) -> "FeatureTable":
        """Make a table of the features of many tracks, which may be none.

        Parameters
        ----------
        track_features
            Features of each track, in the order of the rows.
        parameters
            Parameters of these features.
        """
        tracks, coefficients = len(track_features), low_coefficients(parameters.cepstra)
        return cls(
            means=np.array([track.mean for track in track_features]).reshape(tracks, coefficients),
            covariances=np.array([track.covariance for track in track_features], np.float32).reshape(
                tracks, coefficients, coefficients
            ),
            segment_means=np.array([track.segment_means for track in track_features], np.float32).reshape(
                tracks, parameters.segments * coefficients
            ),
            roughness=RaggedFrames.of((track.contour for track in track_features), coefficients).roughness(),
            timbre=np.array([track.timbre for track in track_features], np.float32).reshape(tracks, WIDTH),
            low_timbre=np.empty((tracks, 0), np.float32),
            treble=np.array([track.treble for track in track_features], np.float32),
        )

    @classmethod
    def joined(cls, parts: Sequence["FeatureTable"]) -> "FeatureTable":
        """Join the rows of at least one table, in the order of `parts`."""
        return cls(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(cls)))

    def rows(self, rows: NDArray[np.int64]) -> "FeatureTable":
        """Select rows, in the order of `rows`."""
        return FeatureTable(*(getattr(self, column.name)[rows] for column in fields(self)))
