"""The search of one query in an index: its candidates, and their distances by the ranking of the index."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.track_features import TrackFeatures
from mfcc_assets.for_each import ForEach, in_turn
from mfcc_assets.ids import AudioId
from mfcc_assets.search.candidates import CandidateSearch
from mfcc_assets.search.cascade import ContourQuery, candidates_to_fetch
from mfcc_assets.search.id_arrays import IdArray
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.hubness import Correction, DistanceStatistics, part_z_scores
from mfcc_assets.similarity.pairwise import Tracks, in_space, part_distances
from mfcc_assets.similarity.rankings import RankedList, rank, ranking_named

_LEAST_WEIGHT = 0.01
"""Least weight of a part that is shown for a pair."""


class Search:
    """A query that is compared with the tracks of an index.

    All methods raise KeyError if the index lacks a track with which the query is to be compared.

    Parameters
    ----------
    index
        Index to search.
    track
        The query, as the only track.
    statistics
        Distance statistics of the query, one row.
    for_each
        Function that applies another function to many items: `in_turn`, or `mfcc_assets.compute.local.on_all_cores`.
    rows_at_once
        Number of tracks that one task looks up. The points of timbre of 1,000 tracks take 2 MB, which fits into the
        processor's caches.

    Attributes
    ----------
    contour_query
        Comparison by contours, with the count of its work; None if the ranking does not compare contours.
    """

    def __init__(
        self,
        index: LibraryIndex,
        track: Tracks,
        statistics: DistanceStatistics,
        for_each: ForEach = in_turn,
        *,
        rows_at_once: int = 1_000,
    ) -> None:
        self._index, self._track, self._statistics, self._for_each = index, track, statistics, for_each
        self._ranking = ranking_named(index.parameters.ranking)
        warped = self._ranking.warped
        self.contour_query = ContourQuery(track.contours[0], warped, index.scales) if warped else None
        self._candidates = CandidateSearch(
            index,
            track.feature_table,
            statistics,
            self.contour_query.coarse if self.contour_query else None,
            for_each,
            rows_at_once=rows_at_once,
        )

    @property
    def embedding(self) -> NDArray[np.float32]:
        """Point (dimensions,) of the query in the vector index."""
        return _only_point(self._index, self._track)

    def nearest_by_embedding(self, count: int, among: NDArray[np.bool_] | None = None) -> Sequence[AudioId]:
        """Return the candidates that the vector index finds if the nearest `count` are wanted, nearest first.

        Parameters
        ----------
        count
            Number of wanted tracks.
        among : (tracks,), optional
            Whether each track of the index may be found, such as one of each recording. By default, all may.
        """
        tracks = len(self._index.tracks) if among is None else int(among.sum())
        (found,) = self._index.vector_index.search(
            self.embedding[np.newaxis], candidates_to_fetch(tracks, count), among
        )
        return found

    def prune_by_coarse_contour(self, audio_ids: Sequence[AudioId], count: int) -> RankedList:
        """Keep the candidates that are worth comparing by their contours, nearest first.

        Parameters
        ----------
        audio_ids
            Audio ids of candidates whose distances are to be estimated.
        count
            Number of wanted tracks.

        Returns
        -------
        list of (AudioId, float)
            Kept candidates with their estimated distances, nearest first. The estimates are not corrected.
        """
        found = self._candidates.pruned(self._index.rows_of(audio_ids), count)
        return list(zip(IdArray(self._index.tracks.audio_ids.array[found.rows]), found.estimates.tolist(), strict=True))

    def nearest(self, audio_ids: Sequence[AudioId], count: int) -> RankedList:
        """Return the nearest `count` of some tracks with their corrected distances, nearest first.

        Parameters
        ----------
        audio_ids
            Audio ids of the tracks to compare.
        count
            Largest number of tracks to return.
        """
        rows = self._index.rows_of(audio_ids)
        correction = self._correction(rows)
        if self.contour_query is None:
            found = rank(zip(audio_ids, correction.of_known().tolist(), strict=True))[:count]
        else:
            found = self.contour_query.nearest(audio_ids, self._index.contours.rows(rows), count, correction)
        return [(track.audio_id, track.distance) for track in found]

    def distances_within(self, audio_ids: Iterable[AudioId], limit: float) -> dict[AudioId, float]:
        """Return the corrected distances that do not exceed a limit. Tracks that are not in the result exceed it.

        Parameters
        ----------
        audio_ids
            Audio ids of the tracks to compare.
        limit
            Largest corrected distance of interest.
        """
        every = list(audio_ids)
        rows = self._index.rows_of(every)
        correction, distances = self._correction(rows), np.zeros(len(every))
        if self.contour_query is not None:
            query, contours = self.contour_query, self._index.contours
            limits = correction.largest_distances(limit)
            near = np.flatnonzero(limits >= 0).tolist()
            distances[:] = np.inf
            for row, distance in self._for_each(
                lambda row: query.distance_within(contours[int(rows[row])], limits[row]), near
            ):
                distances[row] = distance
        corrected_distances = correction(distances)
        return {
            every[row]: float(corrected_distances[row]) for row in np.flatnonzero(corrected_distances <= limit).tolist()
        }

    def distance_and_z_scores(self, audio_id: AudioId) -> tuple[float, dict[str, float]]:
        """Return the corrected distance to one track, and the z-score of its distance by each part that counts.

        A z-score is the mean of the query's and the track's z-score. It is negative if the two are near. A part that
        has almost no weight for this pair is left out: what is usual by it was measured on other pairs.

        Parameters
        ----------
        audio_id
            Audio id of the track.
        """
        rows = self._index.rows_of([audio_id])
        other = Tracks(self._index.feature_table.rows(rows), self._index.contours.rows(rows))
        distances = part_distances(self._ranking, self._track, other, self._index.scales)
        statistics = self._index.statistics.rows(rows)
        z_scores = part_z_scores(distances, self._statistics, statistics)
        weights = self._ranking.pair_weights(self._track.feature_table.treble, other.feature_table.treble)
        (distance,) = Correction.of(distances, self._statistics, statistics, weights).of_known()
        found = zip(self._ranking.parts, z_scores[0].tolist(), weights[0].tolist(), strict=True)
        return float(distance), {part: z_score for part, z_score, weight in found if weight >= _LEAST_WEIGHT}

    def _correction(self, rows: NDArray[np.int64]) -> Correction:
        return self._candidates.correction(rows)


def embedding_of_new_track(index: LibraryIndex, track_features: TrackFeatures) -> NDArray[np.float32]:
    """Return the point (dimensions,) of a track that is not in the index, without preparing a search for it.

    Parameters
    ----------
    index
        Index whose embedding is used.
    track_features
        Features of the track, made with the parameters of the index.
    """
    track = in_space(Tracks.of([track_features], index.parameters.features), index.calibration.space)
    return _only_point(index, track)


def search_for_row(index: LibraryIndex, row: int, for_each: ForEach = in_turn) -> Search:
    """Prepare the search for a track of the index, given its row; `for_each` is as for `Search`."""
    rows = np.array([row])
    track = Tracks(index.feature_table.rows(rows), index.contours.rows(rows))
    return Search(index, track, index.statistics.rows(rows), for_each)


def search_for_new_track(
    index: LibraryIndex, audio_ids: Collection[AudioId], track_features: TrackFeatures, for_each: ForEach = in_turn
) -> Search:
    """Prepare the search for a track that is not in the index. Its distance statistics are measured first.

    Parameters
    ----------
    index
        Index to search.
    audio_ids
        Audio ids of the track's recording: its own, and those of the tracks that it was recognised as.
    track_features
        Features of the track, made with the parameters of the index.
    for_each
        As for `Search`.
    """
    track = in_space(Tracks.of([track_features], index.parameters.features), index.calibration.space)
    return Search(index, track, index.calibration.reference.statistics_of(audio_ids, track), for_each)


def _only_point(index: LibraryIndex, track: Tracks) -> NDArray[np.float32]:
    point: NDArray[np.float32] = index.calibration.embedding(track.feature_table)[0]
    return point
