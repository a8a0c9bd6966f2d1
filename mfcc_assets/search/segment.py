"""Segments: the rows of some tracks of an index, which never change."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from mfcc_assets.features.fingerprint import Fingerprints
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.search.cascade import COARSE_FACTOR
from mfcc_assets.search.id_arrays import TrackOfAudio
from mfcc_assets.search.vector_index import SegmentPoints
from mfcc_assets.similarity.corrected_estimates import ComparedTracks
from mfcc_assets.similarity.hubness import DistanceStatistics


class SegmentParts(Protocol):
    """The large parts of a segment. The rows of each part are in the order of the segment's tracks.

    Each part may be read from storage when it is accessed. If it is damaged, the access raises `CorruptIndex`.
    """

    @property
    def feature_table(self) -> FeatureTable:
        """Features of the tracks, with their timbre in the library's space."""

    @property
    def coarse_contours(self) -> RaggedFrames:
        """Contours made coarser by `mfcc_assets.search.cascade.COARSE_FACTOR`."""

    @property
    def contours(self) -> RaggedFrames:
        """Contours of the tracks as float16; see `mfcc_assets.features.contour.rounded`."""

    @property
    def fingerprints(self) -> Fingerprints:
        """Fingerprints of the tracks, for recognition."""

    @property
    def points(self) -> SegmentPoints:
        """Search over the embeddings of the tracks."""

    @property
    def statistics(self) -> DistanceStatistics:
        """Distance statistics of the tracks."""


@dataclass(frozen=True, eq=False)
class LoadedParts:
    """The parts of a segment in memory; see `SegmentParts`."""

    feature_table: FeatureTable
    coarse_contours: RaggedFrames
    contours: RaggedFrames
    fingerprints: Fingerprints
    points: SegmentPoints
    statistics: DistanceStatistics


@dataclass(frozen=True, eq=False)
class Segment:
    """The rows of some tracks of an index. A stored segment reads each part when it is first used.

    Attributes
    ----------
    tracks
        Track id of each audio id when the segment was made. The rows of all parts are in this order.
    made_with
        Digest of everything besides the tracks on which the rows depend: the features and the calibration.
    parts
        Source of the large parts.
    """

    tracks: TrackOfAudio
    made_with: str
    parts: SegmentParts

    def __len__(self) -> int:
        return len(self.tracks)

    @cached_property
    def name(self) -> str:
        """Name of the segment, a digest of its content."""
        content = hashlib.blake2b(self.made_with.encode(), digest_size=8)
        for ids in (self.tracks.audio_ids.array, self.tracks.track_ids.array):
            content.update(f"{ids.dtype}{len(ids)}".encode())
            content.update(np.ascontiguousarray(ids).data)
        return content.hexdigest()

    @cached_property
    def feature_table(self) -> FeatureTable:
        """Features of the tracks, with their timbre in the library's space."""
        return self.parts.feature_table

    @cached_property
    def coarse_contours(self) -> RaggedFrames:
        """Contours made coarser by `mfcc_assets.search.cascade.COARSE_FACTOR`."""
        return self.parts.coarse_contours

    @cached_property
    def contours(self) -> RaggedFrames:
        """Contours of the tracks as float16; see `mfcc_assets.features.contour.rounded`."""
        return self.parts.contours

    @cached_property
    def fingerprints(self) -> Fingerprints:
        """Fingerprints of the tracks, for recognition."""
        return self.parts.fingerprints

    @cached_property
    def points(self) -> SegmentPoints:
        """Search over the embeddings of the tracks."""
        return self.parts.points

    @cached_property
    def statistics(self) -> DistanceStatistics:
        """Distance statistics of the tracks."""
        return self.parts.statistics

    @cached_property
    def compared(self) -> ComparedTracks:
        """What estimates of corrected distances compare."""
        frames = COARSE_FACTOR * self.coarse_contours.lengths
        return ComparedTracks(self.feature_table, self.statistics, frames)

    def load_all(self) -> None:
        """Read every part.

        Raises
        ------
        CorruptIndex
            If a part is damaged.
        """
        _ = (self.feature_table, self.coarse_contours, self.contours, self.fingerprints, self.points, self.statistics)
