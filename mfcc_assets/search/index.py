"""The index of a library: its parts, its parameters and its version."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.fingerprint import Fingerprints
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.search.embedding import Embedding
from mfcc_assets.search.id_arrays import TrackOfAudio
from mfcc_assets.search.vector_index import VectorIndex
from mfcc_assets.similarity.hubness import DistanceStatistics
from mfcc_assets.similarity.pairwise import Reference
from mfcc_assets.similarity.rankings import RANKING_REVISION
from mfcc_assets.similarity.timbre_space import TimbreSpace


@dataclass(frozen=True)
class IndexParameters:
    """Parameters of an index.

    Attributes
    ----------
    features
        Parameters of the features. A query is analysed with the same parameters.
    ranking
        Name of the ranking that orders candidates.
    ranked_count
        Number of tracks that are ranked for each query.
    """

    features: FeaturesParameters
    ranking: str
    ranked_count: int


@dataclass(frozen=True)
class Calibration:
    """Everything that is fitted to a library. It stays the same while the library grows, and so do the distances.

    Attributes
    ----------
    reference
        The reference sample and its distance statistics.
    embedding
        Map from features to points of the vector index.
    space
        Maps from vectors of timbre to points in the library's two spaces.
    """

    reference: Reference
    embedding: Embedding
    space: TimbreSpace

    @cached_property
    def digest(self) -> str:
        """A digest that changes if any distance may change.

        It covers the reference alone. A change of the embedding or of the space also changes the reference.
        """
        reference, tracks = self.reference, self.reference.tracks
        content = hashlib.blake2b("".join(reference.audio_ids).encode(), digest_size=6)
        measured = [reference.scales, *_arrays_of(reference.statistics)]
        for array in (*measured, *_arrays_of(tracks.feature_table), tracks.contours.starts, tracks.contours.frames):
            content.update(f"{array.dtype}{array.shape}".encode())
            content.update(np.ascontiguousarray(array).data)
        return content.hexdigest()


def _arrays_of(columns: DistanceStatistics | FeatureTable) -> Iterator[NDArray[Any]]:
    return (getattr(columns, column.name) for column in fields(columns))


class IndexParts(Protocol):
    """The large parts of an index. The rows of each part are in the order of the index's tracks.

    Each part may be read from storage when it is accessed. If it is damaged, the access raises `CorruptIndex`.
    """

    @property
    def feature_table(self) -> FeatureTable:
        """Features of the tracks, with their timbre in the library's space."""

    @property
    def coarse_contours(self) -> RaggedFrames:
        """Contours made coarser by `mfcc_assets.search.cascade.COARSE_FACTOR`."""

    @property
    def fingerprints(self) -> Fingerprints:
        """Fingerprints of the tracks, for recognition."""

    @property
    def vector_index(self) -> VectorIndex:
        """Search over the embeddings of the tracks."""

    @property
    def statistics(self) -> DistanceStatistics:
        """Distance statistics of the tracks."""

    @property
    def calibration(self) -> Calibration:
        """Everything that was fitted to the library."""


@dataclass(frozen=True, eq=False)
class LoadedParts:
    """The parts of an index in memory; see `IndexParts`."""

    feature_table: FeatureTable
    coarse_contours: RaggedFrames
    fingerprints: Fingerprints
    vector_index: VectorIndex
    statistics: DistanceStatistics
    calibration: Calibration


@dataclass(frozen=True)
class LibraryIndex:
    """An index of a library, in one version. A stored index reads each part when it is first used.

    Attributes
    ----------
    parameters
        Parameters of the index.
    tracks
        Track id of each audio id when the index was built. The rows of all parts of the index are in this order.
    calibrated_tracks
        Number of tracks in the library when the calibration was made.
    calibrated_as
        Digest of the calibration.
    parts
        Source of the large parts.
    """

    parameters: IndexParameters
    tracks: TrackOfAudio
    calibrated_tracks: int
    calibrated_as: str
    parts: IndexParts

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
        """Make an index of parts in memory."""
        parts = LoadedParts(feature_table, coarse_contours, fingerprints, vector_index, statistics, calibration)
        return cls(parameters, tracks, calibrated_tracks, calibration.digest, parts)

    @cached_property
    def feature_table(self) -> FeatureTable:
        """Features of the tracks, with their timbre in the library's space."""
        return self.parts.feature_table

    @cached_property
    def coarse_contours(self) -> RaggedFrames:
        """Contours made coarser by `mfcc_assets.search.cascade.COARSE_FACTOR`."""
        return self.parts.coarse_contours

    @cached_property
    def fingerprints(self) -> Fingerprints:
        """Fingerprints of the tracks, for recognition."""
        return self.parts.fingerprints

    @cached_property
    def vector_index(self) -> VectorIndex:
        """Search over the embeddings of the tracks."""
        return self.parts.vector_index

    @cached_property
    def statistics(self) -> DistanceStatistics:
        """Distance statistics of the tracks."""
        return self.parts.statistics

    @cached_property
    def calibration(self) -> Calibration:
        """Everything that was fitted to the library."""
        return self.parts.calibration

    @property
    def scales(self) -> NDArray[np.float64]:
        """Standard deviation (d,) of each coefficient over the library when the calibration was made."""
        return self.calibration.reference.scales

    def is_calibrated_as(self, other: "LibraryIndex") -> bool:
        """Return whether the distances of the same tracks are the same in both indexes."""
        return self.parameters == other.parameters and self.calibrated_as == other.calibrated_as

    def is_built_from(self, parameters: IndexParameters, tracks: Mapping[AudioId, TrackId]) -> bool:
        """Return True if this index was built from exactly these tracks with these parameters."""
        return self.parameters == parameters and self.tracks == tracks

    def load_all(self) -> Self:
        """Read every part, and return the index.

        Raises
        ------
        CorruptIndex
            If a part is damaged.
        """
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
        """Name of the index, a digest of its content. The same library and parameters give the same version."""
        parameters = self.parameters
        ranking = [parameters.ranking, RANKING_REVISION]
        made_for = [parameters.features.version, *ranking, parameters.ranked_count]
        content = hashlib.blake2b(json.dumps([made_for, self.calibrated_as]).encode(), digest_size=6)
        for ids in (self.tracks.audio_ids.array, self.tracks.track_ids.array):
            content.update(f"{ids.dtype}{len(ids)}".encode())
            content.update(np.ascontiguousarray(ids).data)
        return content.hexdigest()
