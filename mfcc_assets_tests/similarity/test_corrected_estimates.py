"""Estimates of corrected distances from feature tables. The slow twin corrects the same distances with arrays."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_ndtr

from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.similarity import corrected_estimates
from mfcc_assets.similarity.corrected_estimates import (
    ComparedTracks,
    can_be_estimated,
    deviations_of,
    least_corrected,
    least_deviations,
)
from mfcc_assets.similarity.hubness import Correction, DistanceStatistics
from mfcc_assets.similarity.rankings import RANKINGS, Ranking, ranking_named

COEFFICIENTS, SEGMENTS, DIMENSIONS = 10, 8, 80
SCALES = np.linspace(1, 20, COEFFICIENTS)
ESTIMATED = ("fused", "dtw", "article")

seeds = st.integers(0, 2**32 - 1)


def tracks_of(seed: int, count: int, ranking: Ranking) -> ComparedTracks:
    """Tracks at random. Half of them have other treble, as half of a library that was encoded again."""
    rng = np.random.default_rng(seed)

    def numbers(*shape: int, spread: float = 1.0) -> np.ndarray:
        return rng.normal(0, spread, (count, *shape)).astype(np.float32)

    table = FeatureTable(
        means=numbers(COEFFICIENTS).astype(np.float64),
        covariances=numbers(COEFFICIENTS, COEFFICIENTS),
        segment_means=(numbers(SEGMENTS, COEFFICIENTS) * SCALES).reshape(count, -1).astype(np.float32),
        roughness=np.abs(numbers(COEFFICIENTS)),
        timbre=numbers(DIMENSIONS),
        low_timbre=numbers(DIMENSIONS),
        treble=numbers(spread=0.3) + 4 * rng.integers(0, 2, count).astype(np.float32),
    )
    columns = (count, len(ranking.parts) + 3)
    statistics = DistanceStatistics(rng.uniform(2, 6, columns), rng.uniform(0.5, 2, columns))
    statistics.means[:, len(ranking.parts) :] -= 4
    return ComparedTracks(table, statistics, rng.integers(1, 900, count))


def least_of_query(ranking: Ranking, query: ComparedTracks, others: ComparedTracks, rows: np.ndarray) -> np.ndarray:
    return least_corrected(ranking, SCALES, query, others, np.zeros(len(rows), np.int64), rows)


def slow_twin(ranking: Ranking, query: ComparedTracks, others: ComparedTracks) -> np.ndarray:
    """The corrected distances of the least expected distances of contours."""
    table, own = others.feature_table, query.feature_table
    assert ranking.warped is not None
    frames = (others.frames + query.frames)[:, np.newaxis]
    apart = np.abs(table.segment_means - own.segment_means).reshape(-1, SEGMENTS, COEFFICIENTS).mean(axis=1)
    by_frame = 0.392 * apart + 0.123 * table.roughness + 0.042 * own.roughness
    estimates = (frames * ranking.warped.weights(SCALES, frames) * by_frame).sum(axis=1)
    correction = Correction.of(
        ranking.summary_distances(own, table),
        query.statistics,
        others.statistics,
        ranking.pair_weights(own.treble, table.treble),
    )
    return correction(estimates / (1 + corrected_estimates.MARGIN))


@given(seeds, st.sampled_from(ESTIMATED), st.integers(1, 20))
@settings(max_examples=60)
def test_estimates_equal_those_of_the_slow_twin(seed: int, name: str, count: int) -> None:
    ranking = ranking_named(name)
    query, others = tracks_of(seed, 1, ranking), tracks_of(seed + 1, count, ranking)
    found = least_of_query(ranking, query, others, np.arange(count))
    np.testing.assert_allclose(found, slow_twin(ranking, query, others), rtol=0.01, atol=0.02)


@given(seeds, st.sampled_from(ESTIMATED), st.integers(1, 20), st.data())
@settings(max_examples=30)
def test_an_estimate_depends_on_nothing_but_the_pair(seed: int, name: str, count: int, data: st.DataObject) -> None:
    ranking = ranking_named(name)
    queries, others = tracks_of(seed, 3, ranking), tracks_of(seed + 1, count, ranking)
    drawn = data.draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, count - 1)), max_size=30))
    query_rows, rows = np.array(drawn, np.int64).reshape(-1, 2).T
    found = least_corrected(ranking, SCALES, queries, others, query_rows, rows)
    for pair, (query_row, row) in zip(found, drawn, strict=True):
        query, other = queries.rows(np.array([query_row])), others.rows(np.array([row]))
        assert pair == least_of_query(ranking, query, other, np.array([0]))[0]


@given(seeds, st.sampled_from(ESTIMATED), st.integers(1, 20), st.floats(0, 500))
@settings(max_examples=60)
def test_a_track_beyond_the_deviations_of_a_limit_is_beyond_the_limit(
    seed: int, name: str, count: int, limit: float
) -> None:
    ranking = ranking_named(name)
    query, others = tracks_of(seed, 1, ranking), tracks_of(seed + 1, count, ranking)
    rows = np.arange(count)
    excluded = least_deviations(ranking, query, others, np.array([0, count]), rows) > deviations_of(limit)
    assert (least_of_query(ranking, query, others, rows)[excluded] > limit).all()


@given(st.floats(1e-6, 1e5))
def test_deviations_are_those_of_the_normal_distribution(corrected: float) -> None:
    assert -log_ndtr(-deviations_of(corrected)) == pytest.approx(min(corrected, -log_ndtr(-1e3)), rel=1e-6)


def test_estimates_of_read_only_arrays_are_the_same() -> None:
    ranking, rows = ranking_named("fused"), np.arange(9)
    queries, others = tracks_of(0, 9, ranking), tracks_of(1, 9, ranking)
    stored = tracks_of(0, 9, ranking), tracks_of(1, 9, ranking)
    for columns in (columns for tracks in stored for columns in (tracks.feature_table, tracks.statistics)):
        for column in fields(columns):
            getattr(columns, column.name).flags.writeable = False
    expected = least_corrected(ranking, SCALES, queries, others, rows, rows)
    for pairs in ((queries, stored[1]), (stored[0], others), stored):
        np.testing.assert_array_equal(least_corrected(ranking, SCALES, *pairs, rows, rows), expected)


def test_z_scores_of_several_queries_are_those_of_one_after_the_other_in_any_order_of_the_rows() -> None:
    ranking = ranking_named("fused")
    queries, others = tracks_of(0, 3, ranking), tracks_of(1, 3_000, ranking)
    rows = np.array([5, 2_500, 7, 1_100, 2, 2_999])
    found = least_deviations(ranking, queries, others, np.array([0, 4, 4, 6]), rows)
    for query, some in ((0, slice(0, 4)), (2, slice(4, 6))):
        one, starts = queries.rows(np.array([query])), np.array([0, len(rows[some])])
        np.testing.assert_array_equal(least_deviations(ranking, one, others, starts, rows[some]), found[some])


def test_a_distance_far_beyond_everything_usual_has_a_finite_estimate() -> None:
    ranking = ranking_named("dtw")
    query, others = tracks_of(0, 1, ranking), tracks_of(1, 3, ranking)
    far = replace(others.feature_table, segment_means=others.feature_table.segment_means + np.float32(1e5))
    found = least_of_query(ranking, query, replace(others, feature_table=far), np.arange(3))
    assert np.isfinite(found).all()
    assert (found > 1e3).all()


def test_a_ranking_without_contours_is_not_estimated() -> None:
    assert {name for name, ranking in RANKINGS.items() if can_be_estimated(ranking)} == set(ESTIMATED)
    tracks = tracks_of(0, 1, ranking_named("gaussian"))
    with pytest.raises(ValueError, match="distances by gaussian cannot be estimated"):
        least_of_query(ranking_named("gaussian"), tracks, tracks, np.array([0]))
