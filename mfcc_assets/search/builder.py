"""Builds the index of a library from the features of its tracks, and takes over the segments of a former index."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mfcc_assets.features.fingerprint import FINGERPRINT_WIDTH, Fingerprints
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.low_band import low_coefficients
from mfcc_assets.features.timbre import WIDTH
from mfcc_assets.features.track_features import FeatureTable, TrackFeatures
from mfcc_assets.for_each import ForEach, in_turn
from mfcc_assets.ids import AudioId
from mfcc_assets.search.cascade import COARSE_FACTOR
from mfcc_assets.search.embedding import Embedding
from mfcc_assets.search.frame_spool import FrameSpool
from mfcc_assets.search.id_arrays import IdArray, TrackOfAudio
from mfcc_assets.search.index import Calibration, IndexParameters, LibraryIndex, made_with
from mfcc_assets.search.segment import LoadedParts, Segment
from mfcc_assets.search.vector_index import SegmentPoints, trained_centres
from mfcc_assets.similarity.dtw.distance import pooled_scales
from mfcc_assets.similarity.hubness import DistanceStatistics
from mfcc_assets.similarity.pairwise import REFERENCE_SIZE, Reference, Tracks, evenly_spaced
from mfcc_assets.similarity.rankings import ranking_named
from mfcc_assets.similarity.timbre_space import SAMPLE_SIZE, TimbreSpace

RECALIBRATED_AT_GROWTH = 2
"""A library is calibrated again when it has grown by this factor. A calibration for every new track would change all
distances a little, and nothing could be taken over from the former index."""

LEAST_OF_SAMPLE = 0.5
"""A library is calibrated again when a smaller share of its reference sample is left in it. Otherwise tracks that have
left would decide the distances of the others."""

SMALL_LIBRARY = REFERENCE_SIZE
"""A library of at most so many tracks is calibrated again at every change. One track is a noticeable part of it, so a
kept calibration would give other lists than an index that is built from nothing."""


@dataclass(frozen=True)
class IndexBuilder:
    """Builds indexes with the same parameters.

    Attributes
    ----------
    parameters
        Parameters of the indexes.
    read_track_features
        Reads the features of a track by audio id.
    for_each
        Function that applies another function to many items: `in_turn`, or `mfcc_assets.compute.local.on_all_cores`.
    tracks_at_once
        Number of tracks whose features are in memory at a time. Those of 1,000 tracks take about 40 MB.
    small_library
        Number of tracks up to which a library is calibrated again at every change.
    measure_statistics
        Measures the distance statistics of tracks, given their audio ids, their features with the timbre in the spaces,
        and the calibration. By default `for_each` does it here.
    counting
        Begins to count what is done in a phase, given its name and the number of all tracks, and returns a function
        that is told how many more are done.
    """

    parameters: IndexParameters
    read_track_features: Callable[[AudioId], TrackFeatures]
    for_each: ForEach = in_turn
    tracks_at_once: int = 1_000
    small_library: int = SMALL_LIBRARY
    measure_statistics: Callable[[IdArray[AudioId], Tracks, Calibration], DistanceStatistics] | None = None
    counting: Callable[[str, int], Callable[[int], None]] = lambda *_: _uncounted

    def build(self, tracks: TrackOfAudio, former: LibraryIndex | None = None) -> LibraryIndex:
        """Build the index of some tracks.

        Parameters
        ----------
        tracks
            Track id of each audio id. The audio ids are in random order, since they are digests.
        former
            Former index of the library. If its calibration can be kept, its segments are taken over, and only the
            features of new tracks are read.

        Raises
        ------
        UnknownRanking
            If the parameters name a ranking that does not exist.
        """
        if former is None or self.reason_to_calibrate(former, tracks):
            return self._built_anew(tracks)
        is_new, segments = np.ones(len(tracks), np.bool_), list[Segment]()
        for segment in former.segments:
            is_here = segment.tracks.rows(tracks.audio_ids) >= 0
            is_new[is_here] = False
            if is_here.any():
                segments.append(segment)
        if is_new.any() or not segments:
            calibration = former.calibration
            new = tracks.selected(is_new)
            segments.append(self._segment(new, self._read(new.audio_ids, calibration.space), calibration))
        return LibraryIndex(
            self.parameters,
            tracks,
            former.calibrated_tracks,
            former.calibrated_as,
            segments,
            former.read_calibration,
        )

    def _built_anew(self, tracks: TrackOfAudio) -> LibraryIndex:
        read = self._read(tracks.audio_ids, self._fit_space(tracks.audio_ids))
        calibration = self._calibrate(tracks.audio_ids, read)
        return LibraryIndex.of(
            self.parameters, tracks, [self._segment(tracks, read, calibration)], calibration, len(tracks)
        )

    def reason_to_calibrate(self, former: LibraryIndex, tracks: TrackOfAudio) -> str:
        """Return why the index of some tracks cannot keep the calibration of a former one; empty if it can."""
        if former.parameters.features != self.parameters.features:
            return "The features have changed."
        if former.parameters.ranking != self.parameters.ranking:
            return "The ranking has changed."
        if len(tracks) <= self.small_library:
            return f"A library of at most {self.small_library:,} tracks is calibrated at every change."
        if len(tracks) >= RECALIBRATED_AT_GROWTH * former.calibrated_tracks:
            return f"The library had {former.calibrated_tracks:,} tracks when it was calibrated, and has doubled."
        sample = IdArray.of(former.calibration.reference.audio_ids)
        left = int((tracks.rows(sample) >= 0).sum())
        if left < LEAST_OF_SAMPLE * len(sample):
            return f"Of the {len(sample):,} tracks by which it was calibrated, {left:,} are left."
        return ""

    def _fit_space(self, audio_ids: IdArray[AudioId]) -> TimbreSpace:
        """Fit the timbre spaces to a sample of the library."""
        sample = [audio_ids[row] for row in evenly_spaced(len(audio_ids), SAMPLE_SIZE).tolist()]
        timbre = {
            audio_id: track_features.timbre
            for audio_id, track_features in self.for_each(self.read_track_features, sample)
        }
        return TimbreSpace.of(np.array([timbre[audio_id] for audio_id in sample], np.float32).reshape(-1, WIDTH))

    def _read(self, audio_ids: IdArray[AudioId], space: TimbreSpace) -> "_ReadFeatures":
        """Read the features of some tracks, in the order of their ids."""
        parameters, coefficients = self.parameters.features, low_coefficients(self.parameters.features.cepstra)
        tables = [space.table(FeatureTable.of([], parameters))]
        coarse_contours = FrameSpool(np.dtype(np.float16), coefficients)
        contours = FrameSpool(np.dtype(np.float16), coefficients)
        fingerprints = FrameSpool(np.dtype(np.float32), FINGERPRINT_WIDTH)
        count = self.counting("Reading features", len(audio_ids))
        for first in range(0, len(audio_ids), self.tracks_at_once):
            some = list(audio_ids[first : first + self.tracks_at_once])
            by_id = dict(self.for_each(self.read_track_features, some))
            read = [by_id[audio_id] for audio_id in some]
            tables.append(space.table(FeatureTable.of(read, parameters)))
            frames = RaggedFrames.of((features.contour for features in read), coefficients)
            for coarse_contour, features in zip(frames.coarser(COARSE_FACTOR), read, strict=True):
                coarse_contours.append(coarse_contour)
                contours.append(features.contour)
                fingerprints.append(features.fingerprint)
            count(len(some))
        return _ReadFeatures(
            space,
            FeatureTable.joined(tables),
            RaggedFrames(*coarse_contours.mapped()),
            RaggedFrames(*contours.mapped()),
            Fingerprints(*fingerprints.mapped(), audio_ids),
        )

    def _calibrate(self, audio_ids: IdArray[AudioId], read: "_ReadFeatures") -> Calibration:
        """Calibrate by a sample of the library. Evenly spaced audio ids are a random sample, since they are digests."""
        ranking, feature_table = ranking_named(self.parameters.ranking), read.feature_table
        rows = evenly_spaced(len(feature_table), REFERENCE_SIZE)
        sample = [audio_ids[row] for row in rows.tolist()]
        tracks = Tracks(feature_table.rows(rows), read.contours.rows(rows))
        scales = np.ones(feature_table.means.shape[1])
        if len(feature_table):
            scales = pooled_scales(feature_table.means, feature_table.variances)
        reference = Reference.of(sample, tracks, ranking, scales, self.for_each)
        embedding = Embedding.of(ranking, scales, tracks.feature_table)
        return Calibration(reference, embedding, read.space, trained_centres(embedding(feature_table)))

    def _segment(self, tracks: TrackOfAudio, read: "_ReadFeatures", calibration: Calibration) -> Segment:
        feature_table = read.feature_table
        return Segment(
            tracks,
            made_with(self.parameters, calibration.digest),
            LoadedParts(
                feature_table,
                read.coarse_contours,
                read.contours,
                read.fingerprints,
                SegmentPoints(calibration.embedding(feature_table), calibration.centres),
                (self.measure_statistics or self._measured)(
                    tracks.audio_ids, Tracks(feature_table, read.contours), calibration
                ),
            ),
        )

    def _measured(self, audio_ids: IdArray[AudioId], tracks: Tracks, calibration: Calibration) -> DistanceStatistics:
        reference = calibration.reference
        shape = len(audio_ids), reference.statistics.means.shape[1]
        statistics = DistanceStatistics(np.empty(shape), np.empty(shape))

        def measured(row: int) -> DistanceStatistics:
            return reference.statistics_of({audio_ids[row]}, tracks[row])

        count = self.counting("Measuring usual distances", len(audio_ids))
        for row, found in self.for_each(measured, range(len(audio_ids))):
            count(1)
            statistics.means[row], statistics.deviations[row] = found.means[0], found.deviations[0]
        return statistics


def _uncounted(_: int) -> None:
    """Count nothing."""


@dataclass(frozen=True)
class _ReadFeatures:
    """Features of tracks, with their timbre in the spaces, as far as they need no calibration."""

    space: TimbreSpace
    feature_table: FeatureTable
    coarse_contours: RaggedFrames
    contours: RaggedFrames
    fingerprints: Fingerprints
