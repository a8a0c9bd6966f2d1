"""What an index is made of."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.fingerprint import Fingerprints
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.search.embedding import Embedding
from mfcc_assets.search.id_arrays import TrackOfAudio
from mfcc_assets.search.vector_index import VectorIndex
from mfcc_assets.similarity.hubness import DistanceStatistics
from mfcc_assets.similarity.pairwise import Reference
from mfcc_assets.similarity.timbre_space import TimbreSpace


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
    ranked_count: int


@dataclass(frozen=True)
class Calibration:
    """What was measured of the library once, and stays while it grows, so that distances stay."""

    reference: Reference
    embedding: Embedding
    space: TimbreSpace

    @cached_property
    def digest(self) -> str:
        """Differs where any distance might; embedding and space show in the reference."""
        reference, tracks = self.reference, self.reference.tracks
        content = hashlib.blake2b("".join(reference.audio_ids).encode(), digest_size=6)
        measured = [reference.scales, *_arrays_of(reference.statistics)]
        for array in (*measured, *_arrays_of(tracks.feature_table), tracks.contours.starts, tracks.contours.frames):
            content.update(f"{array.dtype}{array.shape}".encode())
            content.update(np.ascontiguousarray(array).data)
        return content.hexdigest()


def _arrays_of(columns: DistanceStatistics | FeatureTable) -> Iterator[NDArray[Any]]:
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
    open_feature_table: Callable[[], FeatureTable]
    open_coarse_contours: Callable[[], RaggedFrames]
    open_fingerprints: Callable[[], Fingerprints]
    open_vector_index: Callable[[], VectorIndex]
    open_statistics: Callable[[], DistanceStatistics]
    open_calibration: Callable[[], Calibration]

    @classmethod
    def of(
        cls,
        parameters: IndexParameters,
        tracks: TrackOfAudio,
        feature_table: FeatureTable,
        coarse_contours: RaggedFrames,
        fingerprints: Fingerprints,
        vector_index: VectorIndex,
        statistics: DistanceStatistics,
        calibration: Calibration,
        calibrated_tracks: int,
    ) -> "LibraryIndex":
        """An index of parts that are there."""
        return cls(
            parameters,
            tracks,
            calibrated_tracks,
            calibration.digest,
            open_feature_table=lambda: feature_table,
            open_coarse_contours=lambda: coarse_contours,
            open_fingerprints=lambda: fingerprints,
            open_vector_index=lambda: vector_index,
            open_statistics=lambda: statistics,
            open_calibration=lambda: calibration,
        )

    @cached_property
    def feature_table(self) -> FeatureTable:
        return self.open_feature_table()

    @cached_property
    def coarse_contours(self) -> RaggedFrames:
        """Of every track the contour made coarser by `mfcc_assets.search.cascade.COARSE_FACTOR`."""
        return self.open_coarse_contours()

    @cached_property
    def fingerprints(self) -> Fingerprints:
        return self.open_fingerprints()

    @cached_property
    def vector_index(self) -> VectorIndex:
        """Search over the embeddings."""
        return self.open_vector_index()

    @cached_property
    def statistics(self) -> DistanceStatistics:
        """What distances to the reference sample are usual for each track."""
        return self.open_statistics()

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
        _ = (
            self.feature_table,
            self.coarse_contours,
            self.fingerprints,
            self.vector_index,
            self.statistics,
            self.calibration,
        )
        return self

    @cached_property
    def version(self) -> str:
        """Names the index by what it holds: the same library and parameters give the same version."""
        made_for = [self.parameters.features.version, self.parameters.ranking, self.parameters.ranked_count]
        content = hashlib.blake2b(json.dumps([made_for, self.calibrated_as]).encode(), digest_size=6)
        for ids in (self.tracks.audio_ids.array, self.tracks.track_ids.array):
            content.update(f"{ids.dtype}{len(ids)}".encode())
            content.update(np.ascontiguousarray(ids).data)
        return content.hexdigest()
