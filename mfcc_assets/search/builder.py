"""Builds the index of a library from the features of its tracks, and takes over the rows of a former index."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.fingerprint import FINGERPRINT_WIDTH, Fingerprints
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.low_band import low_coefficients
from mfcc_assets.features.timbre import WIDTH
from mfcc_assets.features.track_features import FeatureTable, TrackFeatures
from mfcc_assets.for_each import ForEach, in_turn
from mfcc_assets.ids import AudioId
from mfcc_assets.search.cascade import COARSE_FACTOR
from mfcc_assets.search.embedding import Embedding
from mfcc_assets.search.id_arrays import IdArray, TrackOfAudio
from mfcc_assets.search.index import Calibration, IndexParameters, LibraryIndex
from mfcc_assets.search.vector_index import VectorIndex
from mfcc_assets.similarity.dtw.distance import pooled_scales
from mfcc_assets.similarity.hubness import DistanceStatistics
from mfcc_assets.similarity.pairwise import REFERENCE_SIZE, Reference, Tracks, evenly_spaced, in_space
from mfcc_assets.similarity.rankings import ranking_named
from mfcc_assets.similarity.timbre_space import SAMPLE_SIZE, TimbreSpace

RECALIBRATED_AT_GROWTH = 2
"""A library is calibrated again when it has grown by this factor. A calibration for every new track would change all
distances a little, and nothing could be taken over from the former index."""

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
    read_contour
        Reads only the contour of a track by audio id.
    for_each
        Function that applies another function to many items: `in_turn`, or `mfcc_assets.compute.local.on_all_cores`.
    tracks_at_once
        Number of tracks whose features are in memory at a time. Those of 1,000 tracks take about 40 MB.
    small_library
        Number of tracks up to which a library is calibrated again at every change.
    """

    parameters: IndexParameters
    read_track_features: Callable[[AudioId], TrackFeatures]
    read_contour: Callable[[AudioId], NDArray[np.float32]]
    for_each: ForEach = in_turn
    tracks_at_once: int = 1_000
    small_library: int = SMALL_LIBRARY

    def build(self, tracks: TrackOfAudio, former: LibraryIndex | None = None) -> LibraryIndex:
        """Build the index of some tracks.

        Parameters
        ----------
        tracks
            Track id of each audio id. The audio ids are in random order, since they are digests.
        former
            Former index of the library. If its calibration can be kept, its rows are taken over, and only the features
            of new tracks are read.

        Raises
        ------
        UnknownRanking
            If the parameters name a ranking that does not exist.
        """
        kept = former if former is not None and self._keeps_calibration(former, len(tracks)) else None
        known = kept or self._empty_index(self._fit_space(tracks.audio_ids))
        rows = known.tracks.rows(tracks.audio_ids)
        feature_table, coarse_contours, fingerprints = self._gather(tracks.audio_ids, known, rows)
        if kept:
            calibration, calibrated_tracks = kept.calibration, kept.calibrated_tracks
            vector_index = kept.vector_index.with_tracks(tracks.audio_ids, calibration.embedding(feature_table))
        else:
            calibration = self._calibrate(tracks.audio_ids, feature_table, known.calibration.space)
            calibrated_tracks = len(tracks)
            vector_index = VectorIndex(tracks.audio_ids, calibration.embedding(feature_table))
        return LibraryIndex.of(
            self.parameters,
            tracks,
            feature_table,
            coarse_contours,
            fingerprints,
            vector_index,
            self._measure_statistics(tracks.audio_ids, feature_table, calibration, known, rows),
            calibration,
            calibrated_tracks,
        )

    def _keeps_calibration(self, former: LibraryIndex, tracks: int) -> bool:
        return (
            former.parameters.features == self.parameters.features
            and former.parameters.ranking == self.parameters.ranking
            and self.small_library < tracks < RECALIBRATED_AT_GROWTH * former.calibrated_tracks
        )

    def _fit_space(self, audio_ids: IdArray[AudioId]) -> TimbreSpace:
        """Fit the timbre spaces to a sample of the library."""
        sample = [audio_ids[row] for row in evenly_spaced(len(audio_ids), SAMPLE_SIZE).tolist()]
        timbre = {
            audio_id: track_features.timbre
            for audio_id, track_features in self.for_each(self.read_track_features, sample)
        }
        return TimbreSpace.of(np.array([timbre[audio_id] for audio_id in sample], np.float32).reshape(-1, WIDTH))

    def _empty_index(self, space: TimbreSpace) -> LibraryIndex:
        """Make the index of no tracks."""
        no_tracks = in_space(Tracks.of([], self.parameters.features), space)
        scales = np.ones(low_coefficients(self.parameters.features.cepstra))
        calibration = self._measure_calibration((), no_tracks, scales, space)
        return LibraryIndex.of(
            self.parameters,
            TrackOfAudio.of({}),
            no_tracks.feature_table,
            no_tracks.contours,
            Fingerprints.of([]),
            VectorIndex((), calibration.embedding(no_tracks.feature_table)),
            calibration.reference.statistics,
            calibration,
            calibrated_tracks=0,
        )

    def _calibrate(self, audio_ids: IdArray[AudioId], feature_table: FeatureTable, space: TimbreSpace) -> Calibration:
        """Calibrate by a sample of the library. Evenly spaced audio ids are a random sample, since they are digests."""
        if not len(feature_table):
            return self._empty_index(space).calibration
        rows = evenly_spaced(len(feature_table), REFERENCE_SIZE)
        sample = [audio_ids[row] for row in rows.tolist()]
        tracks = Tracks(feature_table.rows(rows), self._contours(sample))
        return self._measure_calibration(
            sample, tracks, pooled_scales(feature_table.means, feature_table.variances), space
        )

    def _measure_calibration(
        self, sample: Sequence[AudioId], tracks: Tracks, scales: NDArray[np.float64], space: TimbreSpace
    ) -> Calibration:
        ranking = ranking_named(self.parameters.ranking)
        reference = Reference.of(sample, tracks, ranking, scales, self.for_each)
        return Calibration(reference, Embedding.of(ranking, scales, tracks.feature_table), space)

    def _measure_statistics(
        self,
        audio_ids: IdArray[AudioId],
        feature_table: FeatureTable,
        calibration: Calibration,
        known: LibraryIndex,
        rows: NDArray[np.int64],
    ) -> DistanceStatistics:
        """Measure the distance statistics of the tracks that have no row in the known index."""
        columns = calibration.reference.statistics.means.shape[1]
        statistics = DistanceStatistics(np.empty((len(rows), columns)), np.empty((len(rows), columns)))
        there = rows >= 0
        statistics.means[there] = known.statistics.means[rows[there]]
        statistics.deviations[there] = known.statistics.deviations[rows[there]]

        def measured(row: int) -> DistanceStatistics:
            audio_id = audio_ids[row]
            track = Tracks(feature_table.rows(np.array([row])), self._contours([audio_id]))
            return calibration.reference.statistics_of({audio_id}, track)

        for row, found in self.for_each(measured, np.flatnonzero(~there).tolist()):
            statistics.means[row], statistics.deviations[row] = found.means[0], found.deviations[0]
        return statistics

    def _gather(
        self, audio_ids: IdArray[AudioId], known: LibraryIndex, rows: NDArray[np.int64]
    ) -> tuple[FeatureTable, RaggedFrames, Fingerprints]:
        """Put the rows of the known index and the features of all other tracks together, in the order of the ids."""
        parameters, space = self.parameters.features, known.calibration.space
        tables = [known.feature_table]
        coarse_contours = _FrameSpool(np.dtype(np.float16), low_coefficients(parameters.cepstra))
        fingerprints = _FrameSpool(np.dtype(np.float32), FINGERPRINT_WIDTH)
        for first in range(0, len(audio_ids), self.tracks_at_once):
            block = slice(first, first + self.tracks_at_once)
            new = [audio_id for audio_id, row in zip(audio_ids[block], rows[block], strict=True) if row < 0]
            read = dict(self.for_each(self.read_track_features, new))
            tables.append(space.table(FeatureTable.of([read[audio_id] for audio_id in new], parameters)))
            contours = RaggedFrames.of(
                (read[audio_id].contour for audio_id in new), low_coefficients(parameters.cepstra)
            )
            coarsened = dict(zip(new, iter(contours.coarser(COARSE_FACTOR)), strict=True))
            for audio_id, row in zip(audio_ids[block], rows[block], strict=True):
                coarse_contours.append(known.coarse_contours[row] if row >= 0 else coarsened[audio_id])
                fingerprints.append(known.fingerprints[row] if row >= 0 else read[audio_id].fingerprint)
        order = rows.copy()
        order[rows < 0] = len(known.tracks) + np.arange((rows < 0).sum())
        return (
            FeatureTable.joined(tables).rows(order),
            RaggedFrames(*coarse_contours.mapped()),
            Fingerprints(*fingerprints.mapped(), audio_ids),
        )

    def _contours(self, audio_ids: Sequence[AudioId]) -> RaggedFrames:
        contours = (self.read_contour(audio_id) for audio_id in audio_ids)
        return RaggedFrames.of(contours, low_coefficients(self.parameters.features.cepstra))


class _FrameSpool:
    """Collects the frames of one track after the other in a temporary file.

    The file is mapped into memory at the end, because the fingerprints of a million tracks take 12 GB.
    """

    def __init__(self, dtype: np.dtype[Any], width: int) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  `mapped` closes it
        self._dtype, self._width = dtype, width
        self._starts = [0]

    def append(self, frames: NDArray[np.floating]) -> None:
        """Add the frames of the next track."""
        self._file.write(np.ascontiguousarray(frames, self._dtype).data)
        self._starts.append(self._starts[-1] + len(frames))

    def mapped(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return all frames, mapped into memory, and the row where each track begins. No frames can be added later."""
        starts = np.array(self._starts, np.int64)
        with self._file:
            self._file.flush()
            shape = (int(starts[-1]), self._width)
            # An empty file cannot be mapped.
            frames = (
                np.memmap(self._file, self._dtype, mode="r", shape=shape)
                if len(starts) > 1
                else np.empty(shape, self._dtype)
            )
        return frames, starts
