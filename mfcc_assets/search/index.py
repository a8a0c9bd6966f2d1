"""What an index is made of."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.fingerprint import Sketches
from mfcc_assets.features.frames import Stacked
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.track_features import Summaries
from mfcc_assets.search.embedding import Embedding
from mfcc_assets.search.id_arrays import TrackOfAudio
from mfcc_assets.search.vector_index import Prefilter
from mfcc_assets.similarity.hubness import Usual
from mfcc_assets.similarity.pairwise import Reference
from mfcc_assets.similarity.timbre_space import SoundSpace


@dataclass(frozen=True)
class IndexParameters:
    """What an index was built for, beside its tracks.

    Attributes
    ----------
    features
        How its features were made; a query is analysed in the same way.
    ranking
        Name of the ranking that orders candidates.
    places
        How many tracks are ranked for each query.
    """

    features: FeaturesParameters
    ranking: str
    places: int


@dataclass(frozen=True)
class Calibration:
    """What was measured of the library once, and stays while it grows, so that distances stay."""

    reference: Reference
    embedding: Embedding
    space: SoundSpace

    @cached_property
    def digest(self) -> str:
        """Differs where any distance might; embedding and space show in the reference."""
        reference, tracks = self.reference, self.reference.tracks
        content = hashlib.blake2b("".join(reference.audio_ids).encode(), digest_size=6)
        measured = [reference.scales, *_arrays_of(reference.usual)]
        for array in (*measured, *_arrays_of(tracks.summaries), tracks.contours.starts, tracks.contours.frames):
            content.update(f"{array.dtype}{array.shape}".encode())
            content.update(np.ascontiguousarray(array).data)
        return content.hexdigest()


def _arrays_of(columns: Usual | Summaries) -> Iterator[NDArray[Any]]:
    return (getattr(columns, column.name) for column in fields(columns))


@dataclass(frozen=True)
class LibraryIndex:
    """A version of everything that is searched. One that is stored reads each part when it is first looked at.

    Attributes
    ----------
    tracks
        By audio id the track that stood for it when the index was built. Its order is that of the rows of every part.
    calibrated_tracks
        Size of the library when the reference sample was drawn and measured.
    calibrated_as
        Digest of the calibration.
    open_summaries, open_outlines, open_sketches, open_prefilter, open_usual, open_calibration
        How the attributes of these names are read.
    """

    parameters: IndexParameters
    tracks: TrackOfAudio
    calibrated_tracks: int
    calibrated_as: str
    open_summaries: Callable[[], Summaries]
    open_outlines: Callable[[], Stacked]
    open_sketches: Callable[[], Sketches]
    open_prefilter: Callable[[], Prefilter]
    open_usual: Callable[[], Usual]
    open_calibration: Callable[[], Calibration]

    @classmethod
    def of(
        cls,
        parameters: IndexParameters,
        tracks: TrackOfAudio,
        summaries: Summaries,
        outlines: Stacked,
        sketches: Sketches,
        prefilter: Prefilter,
        usual: Usual,
        calibration: Calibration,
        calibrated_tracks: int,
    ) -> "LibraryIndex":
        """An index of parts that are there."""
        return cls(
            parameters,
            tracks,
            calibrated_tracks,
            calibration.digest,
            open_summaries=lambda: summaries,
            open_outlines=lambda: outlines,
            open_sketches=lambda: sketches,
            open_prefilter=lambda: prefilter,
            open_usual=lambda: usual,
            open_calibration=lambda: calibration,
        )

    @cached_property
    def summaries(self) -> Summaries:
        return self.open_summaries()

    @cached_property
    def outlines(self) -> Stacked:
        """Of every track the contour made coarser by `mfcc_assets.search.cascade.OUTLINE`."""
        return self.open_outlines()

    @cached_property
    def sketches(self) -> Sketches:
        return self.open_sketches()

    @cached_property
    def prefilter(self) -> Prefilter:
        """Search over the embeddings."""
        return self.open_prefilter()

    @cached_property
    def usual(self) -> Usual:
        """What distances to the reference sample are usual for each track."""
        return self.open_usual()

    @cached_property
    def calibration(self) -> Calibration:
        return self.open_calibration()

    @property
    def scales(self) -> NDArray[np.float64]:
        """Deviation (d,) of each coefficient over the library, when it was measured."""
        return self.calibration.reference.scales

    def is_calibrated_as(self, other: "LibraryIndex") -> bool:
        """Whether distances of the same tracks are the same in both."""
        return self.parameters == other.parameters and self.calibrated_as == other.calibrated_as

    def opened(self) -> Self:
        """The index with every part read; CorruptIndex where one is not what was written."""
        _ = self.summaries, self.outlines, self.sketches, self.prefilter, self.usual, self.calibration
        return self

    @cached_property
    def version(self) -> str:
        """Names the index by what it holds: the same library and parameters give the same version."""
        made_for = [self.parameters.features.version, self.parameters.ranking, self.parameters.places]
        content = hashlib.blake2b(json.dumps([made_for, self.calibrated_as]).encode(), digest_size=6)
        for ids in (self.tracks.audio_ids.array, self.tracks.track_ids.array):
            content.update(f"{ids.dtype}{len(ids)}".encode())
            content.update(np.ascontiguousarray(ids).data)
        return content.hexdigest()
