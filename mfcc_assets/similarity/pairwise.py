"""How far tracks are apart by the parts of a ranking, and what distances are usual in a library."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.track_features import FeatureTable, TrackFeatures
from mfcc_assets.for_each import ForEach, in_turn
from mfcc_assets.similarity.dtw.distance import pooled_scales
from mfcc_assets.similarity.hubness import DistanceStatistics, all_corrected
from mfcc_assets.similarity.rankings import WARPED, Ranking, summary_distances
from mfcc_assets.similarity.timbre_space import SAMPLE_SIZE, TimbreSpace, table_in_space

REFERENCE_SIZE = 400
"""Tracks of the reference sample. On the development corpus random samples of 100 leave hubs (the skewness of the
5-occurrence is 0.78), of 200 fewer (0.54), of 300 and of 400 as few as all 469 (0.36, 0.37 and 0.37). Each new track is
compared with all of them, which takes 30 ms."""


@dataclass(frozen=True)
class Tracks:
    """Tracks in a form that every ranking can compare.

    Attributes
    ----------
    summaries, contours
        Of the same tracks, in the same order.
    """

    feature_table: FeatureTable
    contours: RaggedFrames

    def __len__(self) -> int:
        return len(self.contours)

    def __getitem__(self, row: int) -> "Tracks":
        """One of the tracks."""
        return self.rows(np.array([row]))

    def rows(self, rows: NDArray[np.int64]) -> "Tracks":
        """Some of the tracks, in the order given."""
        return Tracks(self.feature_table.rows(rows), self.contours.rows(rows))

    @classmethod
    def of(cls, feature_table: Sequence[TrackFeatures], parameters: FeaturesParameters) -> "Tracks":
        """Tracks of which everything is known."""
        contours = RaggedFrames.of(
            (track_features.contour for track_features in feature_table), parameters.cepstra.coefficients
        )
        return cls(FeatureTable.of(feature_table, parameters), contours)


def in_space(tracks: Tracks, space: TimbreSpace) -> Tracks:
    """The same tracks, with their timbre mapped into a space: distances are measured there."""
    return Tracks(table_in_space(tracks.feature_table, space), tracks.contours)


def distances_by(part: str, query: Tracks, others: Tracks, scales: NDArray[np.floating]) -> NDArray[np.float64]:
    """Distances (others,) of one track, the only one of `query`, to others by one part of a ranking.

    Parameters
    ----------
    scales : (d,)
        Deviation of each coefficient over the library.
    """
    if part in WARPED:
        return WARPED[part].distances(query.contours[0], others.contours, scales)
    return summary_distances(part, query.feature_table, others.feature_table)


def part_distances(
    ranking: Ranking, query: Tracks, others: Tracks, scales: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Distances (others, parts) of one track, the only one of `query`, to others by every part of a ranking."""
    return np.column_stack([distances_by(part, query, others, scales) for part in ranking.parts])


def mutual_distances(
    part: str, tracks: Tracks, scales: NDArray[np.floating], for_each: ForEach = in_turn
) -> NDArray[np.float64]:
    """Distances (tracks, tracks) of all tracks to each other by one part: half of them, since they are symmetric."""
    count = len(tracks)

    def row(number: int) -> NDArray[np.float64]:
        return distances_by(part, tracks[number], tracks.rows(np.arange(number + 1, count)), scales)

    distances = np.zeros((count, count))
    for number, found in for_each(row, range(count - 1)):
        distances[number, number + 1 :] = distances[number + 1 :, number] = found
    return distances


@dataclass(frozen=True)
class Reference:
    """A sample of the library, against which distances are usual or not. It stays while the library changes.

    Attributes
    ----------
    audio_ids
        Of its tracks, which may have left the library.
    usual
        What distances are usual for each of its tracks, to the others.
    scales : (d,)
        Deviation of each coefficient over the library.
    """

    audio_ids: Sequence[str]
    tracks: Tracks
    ranking: Ranking
    scales: NDArray[np.float64]
    statistics: DistanceStatistics

    @classmethod
    def of(
        cls,
        audio_ids: Sequence[str],
        tracks: Tracks,
        ranking: Ranking,
        scales: NDArray[np.float64],
        for_each: ForEach = in_turn,
    ) -> "Reference":
        """The reference made of these tracks; `for_each` as for `Comparison`."""
        distances = np.stack([mutual_distances(part, tracks, scales, for_each) for part in ranking.parts], axis=-1)
        return cls(audio_ids, tracks, ranking, scales, DistanceStatistics.of_reference(distances, ranking.weights))

    def statistics_of(self, audio_id: str, track: Tracks) -> DistanceStatistics:
        """What distances are usual for one track, of the library or not."""
        distances = part_distances(self.ranking, track, self.tracks, self.scales)[np.newaxis]
        others = np.array([[audio_id != other for other in self.audio_ids]])
        return DistanceStatistics.of_tracks(distances, others, self.statistics, self.ranking.weights)


def evenly_spaced(tracks: int, most: int) -> NDArray[np.int64]:
    """Rows of at most so many of all tracks, which are a random sample where the order of tracks is random."""
    return np.unique(np.linspace(0, tracks - 1, min(tracks, most)).astype(np.int64))


class Comparison:
    """All tracks of a small library, each compared with all others: what evaluation looks at.

    Parameters
    ----------
    tracks
        In random order, their timbre as computed: evenly spaced ones make the samples.
    for_each
        How rows are computed: `in_turn`, or on all cores.
    """

    def __init__(self, tracks: Tracks, for_each: ForEach = in_turn) -> None:
        timbre = tracks.feature_table.timbre
        self._tracks = in_space(tracks, TimbreSpace.of(timbre[evenly_spaced(len(tracks), SAMPLE_SIZE)]))
        self._for_each = for_each
        self._scales = pooled_scales(tracks.feature_table.means, tracks.feature_table.variances)
        self._by_part: dict[str, NDArray[np.float64]] = {}

    def by_part(self, part: str) -> NDArray[np.float64]:
        """Distances (tracks, tracks) by one part; computed once."""
        if part not in self._by_part:
            self._by_part[part] = mutual_distances(part, self._tracks, self._scales, self._for_each)
        return self._by_part[part]

    def by_ranking(self, ranking: Ranking) -> NDArray[np.float64]:
        """Corrected distances (tracks, tracks) by a ranking, infinite on the diagonal."""
        distances = np.stack([self.by_part(part) for part in ranking.parts], axis=-1)
        sample = evenly_spaced(len(self._tracks), REFERENCE_SIZE)
        weights = ranking.weights
        reference = DistanceStatistics.of_reference(distances[np.ix_(sample, sample)], weights)
        others = np.arange(len(self._tracks))[:, np.newaxis] != sample
        statistics = DistanceStatistics.of_tracks(distances[:, sample], others, reference, weights)
        return all_corrected(distances, statistics, weights)

    def uncorrected(self, part: str) -> NDArray[np.float64]:
        """Distances (tracks, tracks) by one part alone as they are, infinite on the diagonal."""
        distances = self.by_part(part).copy()
        np.fill_diagonal(distances, np.inf)
        return distances


def uncorrected_names(rankings: Mapping[str, Ranking]) -> dict[str, str]:
    """By name the part of each ranking of one part, uncorrected: what is lost without the correction."""
    return {f"{name}_uncorrected": ranking.parts[0] for name, ranking in rankings.items() if len(ranking.parts) == 1}
