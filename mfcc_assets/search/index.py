"""The index of a library: its segments, its parameters and its version."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.search.embedding import Embedding
from mfcc_assets.search.id_arrays import TrackOfAudio
from mfcc_assets.search.places import Places
from mfcc_assets.search.segment import Segment
from mfcc_assets.search.segmented import SegmentedFingerprints, SegmentedFrames, SegmentedStatistics, SegmentedTable
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
    centres : (lists, width) float32
        Centres of the lists of the vector index; none if the library was small.
    """

    reference: Reference
    embedding: Embedding
    space: TimbreSpace
    centres: NDArray[np.float32]

    @cached_property
    def digest(self) -> str:
        """A digest that changes if any distance may change.

        It covers the reference and the centres. A change of the embedding or of the space also changes the reference.
        """
        reference, tracks = self.reference, self.reference.tracks
        content = hashlib.blake2b("".join(reference.audio_ids).encode(), digest_size=6)
        measured = [reference.scales, *_arrays_of(reference.statistics), *([self.centres] if len(self.centres) else [])]
        for array in (*measured, *_arrays_of(tracks.feature_table), tracks.contours.starts, tracks.contours.frames):
            content.update(f"{array.dtype}{array.shape}".encode())
            content.update(np.ascontiguousarray(array).data)
        return content.hexdigest()


def _arrays_of(columns: DistanceStatistics | FeatureTable) -> Iterator[NDArray[Any]]:
    return (getattr(columns, column.name) for column in fields(columns))


def made_with(parameters: IndexParameters, calibrated_as: str) -> str:
    """Return the digest of everything besides its tracks on which a segment depends."""
    parts = [parameters.features.version, parameters.ranking, RANKING_REVISION, calibrated_as]
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=6).hexdigest()


@dataclass(frozen=True, eq=False)
class LibraryIndex:
    """An index of a library, in one version. A stored index reads each part of a segment when it is first used.

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
    segments
        The rows of the tracks, in at least one segment. An audio id is in one segment only. A segment may have audio
        ids that the index does not have any more.
    read_calibration
        Reads everything that was fitted to the library.
    """

    parameters: IndexParameters
    tracks: TrackOfAudio
    calibrated_tracks: int
    calibrated_as: str
    segments: Sequence[Segment]
    read_calibration: Callable[[], Calibration]

    @classmethod
    def of(
        cls,
        parameters: IndexParameters,
        tracks: TrackOfAudio,
        segments: Sequence[Segment],
        calibration: Calibration,
        calibrated_tracks: int,
    ) -> "LibraryIndex":
        """Make an index whose calibration is in memory."""
        return cls(parameters, tracks, calibrated_tracks, calibration.digest, segments, lambda: calibration)

    @cached_property
    def places(self) -> Places:
        """Places of the tracks in the segments."""
        return Places.of(self.tracks.audio_ids, [segment.tracks.audio_ids for segment in self.segments])

    @cached_property
    def feature_table(self) -> SegmentedTable:
        """Features of the tracks, with their timbre in the library's space."""
        return SegmentedTable([segment.feature_table for segment in self.segments], self.places)

    @cached_property
    def coarse_contours(self) -> SegmentedFrames:
        """Contours made coarser by `mfcc_assets.search.cascade.COARSE_FACTOR`."""
        return SegmentedFrames([segment.coarse_contours for segment in self.segments], self.places)

    @cached_property
    def contours(self) -> SegmentedFrames:
        """Contours of the tracks; see `mfcc_assets.features.contour.rounded`."""
        return SegmentedFrames([segment.contours for segment in self.segments], self.places)

    @cached_property
    def fingerprints(self) -> SegmentedFingerprints:
        """Fingerprints of the tracks, for recognition."""
        return SegmentedFingerprints([segment.fingerprints for segment in self.segments], self.places)

    @cached_property
    def vector_index(self) -> VectorIndex:
        """Search over the embeddings of the tracks."""
        points = [segment.points.with_lists(self.calibration.centres) for segment in self.segments]
        return VectorIndex(self.tracks.audio_ids, points, self.places)

    @cached_property
    def statistics(self) -> SegmentedStatistics:
        """Distance statistics of the tracks."""
        return SegmentedStatistics([segment.statistics for segment in self.segments], self.places)

    @cached_property
    def calibration(self) -> Calibration:
        """Everything that was fitted to the library."""
        return self.read_calibration()

    @property
    def scales(self) -> NDArray[np.float64]:
        """Standard deviation (d,) of each coefficient over the library when the calibration was made."""
        return self.calibration.reference.scales

    def contour(self, audio_id: AudioId) -> NDArray[np.float32]:
        """Return the contour (n, d) of a track.

        Raises
        ------
        KeyError
            If the index lacks the track.
        """
        return self.contours[int(self.rows_of([audio_id])[0])]

    def rows_of(self, audio_ids: Sequence[AudioId]) -> NDArray[np.int64]:
        """Return the rows of some tracks.

        Raises
        ------
        KeyError
            If the index lacks one of them.
        """
        rows = self.tracks.rows(audio_ids)
        if (rows < 0).any():
            raise KeyError(f"the index has no track with the audio id {audio_ids[int(np.argmin(rows))]}")
        return rows

    def is_calibrated_as(self, other: "LibraryIndex") -> bool:
        """Return whether the distances of the same tracks are the same in both indexes."""
        return self.parameters == other.parameters and self.calibrated_as == other.calibrated_as

    def is_built_from(self, parameters: IndexParameters, tracks: Mapping[AudioId, TrackId]) -> bool:
        """Return True if this index was built from exactly these tracks with these parameters."""
        return self.parameters == parameters and self.tracks == tracks

    def load_all(self) -> Self:
        """Read every part of every segment, and return the index.

        Raises
        ------
        CorruptIndex
            If a part is damaged.
        """
        for segment in self.segments:
            segment.load_all()
        _ = self.calibration
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
