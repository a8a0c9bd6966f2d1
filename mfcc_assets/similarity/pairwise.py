"""Distances of tracks by the parts of a ranking, and their statistics in a library."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.contour import rounded
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.low_band import low_coefficients
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.track_features import FeatureTable, TrackFeatures
from mfcc_assets.for_each import ForEach, in_turn
from mfcc_assets.ids import AudioId
from mfcc_assets.similarity.dtw.distance import pooled_scales
from mfcc_assets.similarity.dtw.estimate import AveragedContours, estimated_distances
from mfcc_assets.similarity.hubness import DistanceStatistics, all_corrected
from mfcc_assets.similarity.rankings import WARPED, Ranking, distances_by_summary_part
from mfcc_assets.similarity.shared_neighbours import SharedNeighbours, neighbour_count
from mfcc_assets.similarity.timbre_space import SAMPLE_SIZE, TimbreSpace

_EVERY_EXACT = 8
"""One of so many distances of contours to the sample is computed exactly, the others are estimated."""

_MOST_EXACT = 50
"""Largest sample to which all distances of contours are computed exactly."""

REFERENCE_SIZE = 400
"""Number of tracks in the reference sample. On the development corpus, hubs are as frequent with samples of 300 or 400
tracks as with all tracks, and twice as frequent with 100. A larger sample takes more time, because each new track is
compared with all of it."""


@dataclass(frozen=True)
class Tracks:
    """Tracks with everything that any ranking compares.

    Attributes
    ----------
    feature_table, contours
        Features and contours of the same tracks, in the same order.
    """

    feature_table: FeatureTable
    contours: RaggedFrames

    def __len__(self) -> int:
        return len(self.contours)

    def __getitem__(self, row: int) -> "Tracks":
        """Return one of the tracks."""
        return self.rows(np.array([row]))

    def rows(self, rows: NDArray[np.int64]) -> "Tracks":
        """Return some of the tracks, in the given order."""
        return Tracks(self.feature_table.rows(rows), self.contours.rows(rows))

    @classmethod
    def of(cls, track_features: Sequence[TrackFeatures], parameters: FeaturesParameters) -> "Tracks":
        """Put the features of many tracks together. The timbre stays as computed, and contours are rounded."""
        contours = RaggedFrames.of(
            (rounded(features.contour) for features in track_features), low_coefficients(parameters.cepstra)
        )
        return cls(FeatureTable.of(track_features, parameters), contours)


def in_space(tracks: Tracks, space: TimbreSpace) -> Tracks:
    """Return the same tracks with their timbre mapped into the spaces, as the parts of a ranking compare it."""
    return Tracks(space.table(tracks.feature_table), tracks.contours)


def distances_by(part: str, query: Tracks, others: Tracks, scales: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the distances (others,) of the only track of `query` to others by one part of a ranking.

    Parameters
    ----------
    part
        Name of the part.
    query, others
        Tracks with their timbre in one space.
    scales : (d,)
        Standard deviation of each coefficient over the library.
    """
    if part in WARPED:
        return WARPED[part].distances(query.contours[0], others.contours, scales)
    return distances_by_summary_part(part, query.feature_table, others.feature_table)


def part_distances(
    ranking: Ranking, query: Tracks, others: Tracks, scales: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the distances (others, parts) of the only track of `query` to others by every part of a ranking."""
    return np.column_stack([distances_by(part, query, others, scales) for part in ranking.parts])


def usual_distances(
    ranking: Ranking,
    query: Tracks,
    others: Tracks,
    averaged: AveragedContours,
    scales: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Return the distances (others, parts) by which it is measured what is usual for the only track of `query`.

    If a ranking has other parts, too, most distances of contours are estimated. The estimates of a track are all too
    large or too small by about the same share, so they are scaled by what a few exact distances show. On 274 tracks of
    the development corpus, this takes two fifths of the time, and 98 % of the five nearest stay the same. The precision
    at five by `fused` is 0.601 (0.600 without estimates). By rankings that compare only contours it would change too
    much: 83 % of the five nearest by `dtw` would stay the same.

    Parameters
    ----------
    ranking
        The ranking.
    query, others
        Tracks with their timbre in one space.
    averaged
        The contours of the others.
    scales : (d,)
        Standard deviation of each coefficient over the library.
    """
    if ranking.warped is None or len(ranking.parts) == 1 or len(others) <= _MOST_EXACT:
        return part_distances(ranking, query, others, scales)
    exact = np.arange(0, len(others), _EVERY_EXACT)
    contours = estimated_distances(ranking.warped, AveragedContours.of(query.contours), averaged, scales)
    known = ranking.warped.distances(query.contours[0], others.contours.rows(exact), scales)
    if (estimated := contours[exact].sum()) > 0:
        contours *= known.sum() / estimated
    contours[exact] = known
    return np.column_stack([ranking.summary_distances(query.feature_table, others.feature_table), contours])


def mutual_usual_distances(
    ranking: Ranking, tracks: Tracks, scales: NDArray[np.floating], for_each: ForEach = in_turn
) -> NDArray[np.float64]:
    """Return `usual_distances` (tracks, tracks, parts) of all tracks to each other. Those to itself are 0."""
    averaged, count = AveragedContours.of(tracks.contours), len(tracks)

    def row(number: int) -> NDArray[np.float64]:
        return usual_distances(ranking, tracks[number], tracks, averaged, scales)

    distances = np.zeros((count, count, len(ranking.parts)))
    for number, found in for_each(row, range(count)):
        distances[number] = found
        distances[number, number] = 0
    return distances


def mutual_distances(
    part: str, tracks: Tracks, scales: NDArray[np.floating], for_each: ForEach = in_turn
) -> NDArray[np.float64]:
    """Return the distances (tracks, tracks) of all tracks to each other by one part. Each pair is compared once."""
    count = len(tracks)

    def row(number: int) -> NDArray[np.float64]:
        return distances_by(part, tracks[number], tracks.rows(np.arange(number + 1, count)), scales)

    distances = np.zeros((count, count))
    for number, found in for_each(row, range(count - 1)):
        distances[number, number + 1 :] = distances[number + 1 :, number] = found
    return distances


@dataclass(frozen=True)
class Reference:
    """A sample of the library. The distances of any track to it are the basis for correcting distances.

    It stays the same while the library changes, so that the distances of other tracks stay the same.

    Attributes
    ----------
    audio_ids
        Audio ids of the sample. Some may have left the library.
    tracks
        Tracks of the sample, with their timbre in the library's space.
    ranking
        Ranking whose parts are measured.
    scales : (d,)
        Standard deviation of each coefficient over the library.
    statistics
        Distance statistics of each track of the sample, to the other tracks of the sample.
    """

    audio_ids: Sequence[AudioId]
    tracks: Tracks
    ranking: Ranking
    scales: NDArray[np.float64]
    statistics: DistanceStatistics

    @classmethod
    def of(
        cls,
        audio_ids: Sequence[AudioId],
        tracks: Tracks,
        ranking: Ranking,
        scales: NDArray[np.float64],
        for_each: ForEach = in_turn,
    ) -> "Reference":
        """Measure the distances within a sample; `for_each` is as for `Comparison`."""
        distances = mutual_usual_distances(ranking, tracks, scales, for_each)
        treble = tracks.feature_table.treble
        weights = ranking.pair_weights(treble[:, np.newaxis], treble)
        return cls(audio_ids, tracks, ranking, scales, DistanceStatistics.of_reference(distances, weights))

    @cached_property
    def _averaged(self) -> AveragedContours:
        return AveragedContours.of(self.tracks.contours)

    def statistics_of(self, audio_ids: Collection[AudioId], track: Tracks) -> DistanceStatistics:
        """Return the distance statistics of the only track in `track`.

        Parameters
        ----------
        audio_ids
            Audio ids of the track's recording. A track of the sample is not compared with itself, nor with its copies:
            their distances of nearly 0 would make all other distances of the track look larger than they are.
        track
            The track with its timbre in the library's space.
        """
        distances = usual_distances(self.ranking, track, self.tracks, self._averaged, self.scales)[np.newaxis]
        others = np.array([[other not in audio_ids for other in self.audio_ids]], np.bool_)
        weights = self.ranking.pair_weights(track.feature_table.treble, self.tracks.feature_table.treble)[np.newaxis]
        return DistanceStatistics.of_tracks(distances, others, self.statistics, weights)


def evenly_spaced(tracks: int, count: int) -> NDArray[np.int64]:
    """Return at most `count` rows, evenly spaced. They are a random sample if the order of the tracks is random.

    Examples
    --------
    >>> evenly_spaced(tracks=101, count=5).tolist()
    [0, 25, 50, 75, 100]
    """
    return np.unique(np.linspace(0, tracks - 1, min(tracks, count)).astype(np.int64))


class Comparison:
    """The distances between all tracks of a small library, for evaluation.

    Parameters
    ----------
    tracks
        Tracks in random order, since evenly spaced tracks are the samples. Their timbre is as computed.
    for_each
        Function that applies another function to many items: `in_turn`, or `mfcc_assets.compute.local.on_all_cores`.
    """

    def __init__(self, tracks: Tracks, for_each: ForEach = in_turn) -> None:
        timbre = tracks.feature_table.timbre
        self._tracks = in_space(tracks, TimbreSpace.of(timbre[evenly_spaced(len(tracks), SAMPLE_SIZE)]))
        self._for_each = for_each
        self._scales = pooled_scales(tracks.feature_table.means, tracks.feature_table.variances)
        self._by_part: dict[str, NDArray[np.float64]] = {}

    def by_part(self, part: str) -> NDArray[np.float64]:
        """Return the distances (tracks, tracks) by one part. They are computed once."""
        if part not in self._by_part:
            self._by_part[part] = mutual_distances(part, self._tracks, self._scales, self._for_each)
        return self._by_part[part]

    def by_ranking(self, ranking: Ranking) -> NDArray[np.float64]:
        """Return numbers (tracks, tracks) in the order of the lists by a ranking. They are infinite on the diagonal.

        They are the corrected distances, which tracks exchange where shared neighbours change the order.
        """
        distances = np.stack([self.by_part(part) for part in ranking.parts], axis=-1)
        sample = evenly_spaced(len(self._tracks), REFERENCE_SIZE)
        treble, among = self._tracks.feature_table.treble, np.ix_(sample, sample)
        weights = ranking.pair_weights(treble[:, np.newaxis], treble)
        usual = self._usual(ranking, sample)
        reference = DistanceStatistics.of_reference(usual[sample], weights[among])
        others = np.arange(len(self._tracks))[:, np.newaxis] != sample
        statistics = DistanceStatistics.of_tracks(usual, others, reference, weights[:, sample])
        return in_list_order(all_corrected(distances, statistics, weights))

    def _usual(self, ranking: Ranking, sample: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the distances (tracks, sample, parts) by which it is measured what is usual."""
        others = self._tracks.rows(sample)
        averaged, usual = (
            AveragedContours.of(others.contours),
            np.empty((len(self._tracks), len(sample), len(ranking.parts))),
        )

        def row(number: int) -> NDArray[np.float64]:
            return usual_distances(ranking, self._tracks[number], others, averaged, self._scales)

        for number, found in self._for_each(row, range(len(self._tracks))):
            usual[number] = found
        return usual

    def uncorrected(self, part: str) -> NDArray[np.float64]:
        """Return the distances (tracks, tracks) by one part without correction. They are infinite on the diagonal."""
        distances = self.by_part(part).copy()
        np.fill_diagonal(distances, np.inf)
        return distances


def in_list_order(corrected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return corrected distances (tracks, tracks), exchanged within each row so that they are in the order of lists.

    Parameters
    ----------
    corrected : (tracks, tracks)
        Corrected distances of all tracks to each other, infinite on the diagonal.
    """
    ranked = np.argsort(corrected, axis=1, kind="stable")[:, :-1]
    nearest = ranked[:, : neighbour_count(len(corrected))]
    shared = SharedNeighbours.of(nearest, np.take_along_axis(corrected, nearest, axis=1))
    exchanged = corrected.copy()
    for query, others in enumerate(ranked):
        order = shared.order(shared.neighbourhood(query), others, corrected[query, others])
        exchanged[query, others[order]] = corrected[query, others]
    return exchanged


def uncorrected_names(rankings: Mapping[str, Ranking]) -> dict[str, str]:
    """Return a name for the uncorrected distance of each ranking that has one part, with the name of that part.

    Evaluation compares them with the rankings to show what the correction for hubs gains.
    """
    return {f"{name}_uncorrected": ranking.parts[0] for name, ranking in rankings.items() if len(ranking.parts) == 1}
