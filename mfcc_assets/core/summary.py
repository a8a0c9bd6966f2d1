"""What is kept of a track for comparing it, and the same of many tracks as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.core.matching import Sketches, sketch
from mfcc_assets.core.parameters import FeaturesParameters

_FRAMES_AT_ONCE = 10_000


@dataclass(frozen=True)
class Summary:
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
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    contour: NDArray[np.float32]
    embedding: NDArray[np.float32]
    sketch: NDArray[np.float32]


def summarise(cepstra: NDArray[np.float32], parameters: FeaturesParameters) -> Summary:
    """Reduce cepstra to what is kept of a track.

    Parameters
    ----------
    cepstra : (frames, d) float
        At least one frame, all finite.
    parameters
        Contour rate (frames a second) and number of segments.

    Raises
    ------
    ValueError
        `cepstra` is empty, not finite, or does not fit the parameters.
    """
    if not len(cepstra):
        raise ValueError("there is no frame to summarise")
    sketched = sketch(cepstra, parameters.cepstra)
    frames = len(cepstra)
    mean = cepstra.mean(axis=0, dtype=np.float64)
    seconds = frames * parameters.cepstra.step_seconds
    return Summary(
        mean=mean,
        covariance=_covariance(cepstra, mean),
        contour=segment_means(cepstra, max(1, round(seconds * parameters.contour_rate))),
        embedding=segment_means(cepstra, parameters.segments).ravel(),
        sketch=sketched,
    )


def _covariance(cepstra: NDArray[np.float32], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    # Some frames at a time: two hours in float64, centred, took 150 MB.
    total = np.zeros((len(mean), len(mean)))
    for start in range(0, len(cepstra), _FRAMES_AT_ONCE):
        centred = cepstra[start : start + _FRAMES_AT_ONCE] - mean
        total += centred.T @ centred
    covariance: NDArray[np.float64] = total / len(cepstra)
    return covariance


def segment_means(cepstra: NDArray[np.float32], segments: int) -> NDArray[np.float32]:
    """Mean of each of `segments` stretches that differ in length by a frame at most.

    Parameters
    ----------
    cepstra : (frames, d) float
        At least one frame.
    segments
        With fewer frames than segments, a frame stands for several.

    Returns
    -------
    (segments, d) float32

    Raises
    ------
    ValueError
        There is no frame, or `segments` is not positive.
    """
    frames = len(cepstra)
    if cepstra.ndim != 2 or not frames:
        raise ValueError(f"cepstra are frames x coefficients with at least one frame, not {cepstra.shape}")
    if segments < 1:
        raise ValueError(f"cepstra have at least one segment, not {segments}")
    edges = np.arange(segments + 1) * frames // segments
    # Where a segment is empty, the frame at its start stands for it.
    stretches = zip(edges[:-1], np.maximum(edges[1:], edges[:-1] + 1), strict=True)
    # One at a time: reduceat holds all of two hours in float64, another 75 MB.
    means = [cepstra[start:end].mean(axis=0, dtype=np.float64) for start, end in stretches]
    return np.array(means, dtype=np.float32)


@dataclass(frozen=True)
class Summaries:
    """What is searched of many tracks, row by row.

    Attributes
    ----------
    means, variances : (tracks, d) float64
        Of the cepstra.
    embeddings : (tracks, segments * d) float32
    sketches
        With the audio ids, which name the rows.
    """

    means: NDArray[np.float64]
    variances: NDArray[np.float64]
    embeddings: NDArray[np.float32]
    sketches: Sketches

    @property
    def audio_ids(self) -> tuple[str, ...]:
        return self.sketches.audio_ids

    def __len__(self) -> int:
        return len(self.audio_ids)

    @classmethod
    def of(cls, summaries: Sequence[tuple[str, Summary]], parameters: FeaturesParameters) -> "Summaries":
        """Put (audio id, summary) of every track together."""
        tracks, coefficients = len(summaries), parameters.cepstra.coefficients
        rows = [summary for _, summary in summaries]
        return cls(
            means=np.array([row.mean for row in rows]).reshape(tracks, coefficients),
            variances=np.array([row.covariance.diagonal() for row in rows]).reshape(tracks, coefficients),
            embeddings=np.array([row.embedding for row in rows], np.float32).reshape(
                tracks, parameters.segments * coefficients
            ),
            sketches=Sketches.of([(audio_id, summary.sketch) for audio_id, summary in summaries]),
        )

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {audio_id: row for row, audio_id in enumerate(self.audio_ids)}

    def of_audio(self, audio_ids: Sequence[str]) -> "Summaries":
        """The rows of these audio ids, in the order given; KeyError for one that has none."""
        rows = [self._rows[audio_id] for audio_id in audio_ids]
        starts, frames = self.sketches.starts, self.sketches.frames
        return Summaries(
            means=self.means[rows],
            variances=self.variances[rows],
            embeddings=self.embeddings[rows],
            sketches=Sketches.of([(self.audio_ids[row], frames[starts[row] : starts[row + 1]]) for row in rows]),
        )

    def __add__(self, other: "Summaries") -> "Summaries":
        """The rows of both, one after the other."""
        frames = len(self.sketches.frames)
        return Summaries(
            means=np.concatenate([self.means, other.means]),
            variances=np.concatenate([self.variances, other.variances]),
            embeddings=np.concatenate([self.embeddings, other.embeddings]),
            sketches=Sketches(
                np.concatenate([self.sketches.frames, other.sketches.frames]),
                np.concatenate([self.sketches.starts[:-1], frames + other.sketches.starts]),
                self.audio_ids + other.audio_ids,
            ),
        )
