"""One query and an index: which tracks are candidates, and how near they are by the index's ranking."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.track_features import TrackFeatures
from mfcc_assets.for_each import ForEach, in_turn
from mfcc_assets.search.cascade import Query, candidates_to_fetch, prune
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.hubness import Correction, DistanceStatistics, corrected, unusual_parts
from mfcc_assets.similarity.pairwise import Tracks, in_space, part_distances
from mfcc_assets.similarity.rankings import rank, ranking_named

_LOOKED_UP_AT_ONCE = 1_000
"""Points of timbre of so many tracks take 1 MB, which the processor's caches hold; all those of a million, 1 GB."""


class Search:
    """A query that is compared with the tracks of an index.

    Parameters
    ----------
    index
    track
        The query alone.
    usual
        What distances are usual for it.
    for_each
        How many tracks are compared: `in_turn`, or on all cores.
    """

    def __init__(
        self, index: LibraryIndex, track: Tracks, statistics: DistanceStatistics, for_each: ForEach = in_turn
    ) -> None:
        self._index, self._track, self._statistics, self._for_each = index, track, statistics, for_each
        self._ranking = ranking_named(index.parameters.ranking)
        warped = self._ranking.warped
        self._query = Query(track.contours[0], warped, index.scales) if warped else None

    @property
    def cells(self) -> int:
        """Cells of DTW matrices computed so far."""
        return self._query.cells if self._query else 0

    def nearest_by_embedding(self, count: int) -> Sequence[str]:
        """What the vector index hands on where the nearest `count` are wanted, nearest first."""
        embedding = self._index.calibration.embedding(self._track.feature_table)
        (hits,) = self._index.vector_index.search(embedding, candidates_to_fetch(len(self._index.tracks), count))
        return hits.audio_ids

    def nearest_by_coarse_contour(
        self, audio_ids: Sequence[str], count: int, known: Mapping[str, float] | None = None
    ) -> list[tuple[str, float]]:
        """What the outlines hand on of some audio, and of others whose estimates are `known`, with their estimates."""
        every = [*(known or {}), *audio_ids]
        rows = self._index.tracks.rows(every)
        estimates = np.append(np.array(list((known or {}).values())), self._estimates(rows[len(known or {}) :]))
        kept = prune(estimates, count, self._correction(rows))
        return [(every[row], float(estimates[row])) for row in kept]

    def nearest(self, contours: Mapping[str, NDArray[np.float32]], count: int) -> list[tuple[str, float]]:
        """The nearest of some audio with these contours, with their corrected distances; no more than `count`."""
        audio_ids = list(contours)
        correction = self._correction(self._index.tracks.rows(audio_ids))
        if self._query is None:
            found = rank(zip(audio_ids, correction(np.zeros(len(audio_ids))).tolist(), strict=True))[:count]
        else:
            stacked = RaggedFrames.of(contours.values(), len(self._index.scales))
            found = self._query.nearest(audio_ids, stacked, count, correction)
        return [(place.audio_id, place.distance) for place in found]

    def within(
        self, audio_ids: Iterable[str], limit: float, contour_of: Callable[[str], NDArray[np.float32]]
    ) -> dict[str, float]:
        """Corrected distances of those audio that are within a limit, proven for each of the others that it is not."""
        every = list(audio_ids)
        correction, distances = self._correction(self._index.tracks.rows(every)), np.zeros(len(every))
        if self._query is not None:
            query, limits = self._query, correction.within(limit)
            near = np.flatnonzero(limits >= 0).tolist()
            distances[:] = np.inf
            for row, distance in self._for_each(
                lambda row: query.distance_within(contour_of(every[row]), limits[row]), near
            ):
                distances[row] = distance
        corrected = correction(distances)
        return {every[row]: float(corrected[row]) for row in np.flatnonzero(corrected <= limit).tolist()}

    def unusual(self, audio_id: str, contour: NDArray[np.float32]) -> tuple[float, dict[str, float]]:
        """Corrected distance of an audio with this contour, and by part how unusual its distance is.

        Parts are in deviations from what is usual for both tracks: negative where they are near.
        """
        rows = self._index.tracks.rows([audio_id])
        other = Tracks(self._index.feature_table.rows(rows), RaggedFrames.of([contour], len(self._index.scales)))
        distances = part_distances(self._ranking, self._track, other, self._index.scales)
        statistics = self._index.statistics.rows(rows)
        parts = unusual_parts(distances, self._statistics, statistics)
        distance = corrected(parts @ self._ranking.weights, self._statistics, statistics)
        return float(distance[0]), dict(zip(self._ranking.parts, parts[0].tolist(), strict=True))

    def _estimates(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Estimates (rows,) of the distances to tracks of the index by the part that is warped."""
        query = self._query
        if query is None:
            return np.zeros(len(rows))
        coarse_contours, roughness = self._index.coarse_contours, self._index.feature_table.roughness
        return self._some_at_once(
            lambda some: query.coarse_distances(coarse_contours.rows(some), roughness[some]), rows
        )

    def _correction(self, rows: NDArray[np.int64]) -> Correction:
        feature_table = self._index.feature_table
        still = self._some_at_once(
            lambda some: self._ranking.summary_distances(self._track.feature_table, feature_table.rows(some)), rows
        )
        return Correction.of(still, self._statistics, self._index.statistics.rows(rows), self._ranking.weights)

    def _some_at_once(
        self, function: Callable[[NDArray[np.int64]], NDArray[np.float64]], rows: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """What a function gives for rows, in their order: on all cores where there are many."""
        if len(rows) <= _LOOKED_UP_AT_ONCE:
            return function(rows)
        parts = np.array_split(rows, ceil(len(rows) / _LOOKED_UP_AT_ONCE))
        found = dict(self._for_each(lambda number: function(parts[number]), range(len(parts))))
        return np.concatenate([found[number] for number in range(len(parts))])


def search_for_stranger(
    index: LibraryIndex, audio_id: str, track_features: TrackFeatures, for_each: ForEach = in_turn
) -> Search:
    """A track of which the index knows nothing: what is usual for it is measured first."""
    track = in_space(Tracks.of([track_features], index.parameters.features), index.calibration.space)
    return Search(index, track, index.calibration.reference.statistics_of(audio_id, track), for_each)
