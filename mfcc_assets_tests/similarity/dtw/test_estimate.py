"""Estimates of the distances of contours. The slow twin averages frames one by one and computes every cell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.similarity.dtw.distance import DTW, WarpedDistance
from mfcc_assets.similarity.dtw.estimate import AveragedContours, estimated_distances
from mfcc_assets_tests import naive

COEFFICIENTS = 3
SCALES = np.array([1.0, 2.0, 5.0])
UNSCALED = WarpedDistance(band=0.1, normalised=False)

lengths = st.integers(1, 70)


def walk(seed: int, frames: int) -> np.ndarray:
    steps = np.random.default_rng(seed).standard_normal((frames, COEFFICIENTS))
    return (steps.cumsum(axis=0) * SCALES).astype(np.float32)


def averaged(*contours: np.ndarray) -> AveragedContours:
    return AveragedContours.of(RaggedFrames.of(contours, COEFFICIENTS))


def slow_twin(warped: WarpedDistance, a: np.ndarray, b: np.ndarray) -> float:
    def next_per_frame() -> np.ndarray:
        a_frames[0], b_frames[0] = naive.coarser(a_frames[0], 4), naive.coarser(b_frames[0], 4)
        curves = zip(a_frames[0].T, b_frames[0].T, strict=True)
        distances = np.array([naive.dtw(*both, warped.band)[-1, -1] for both in curves])
        return distances / (len(a_frames[0]) + len(b_frames[0]))

    a_frames, b_frames = [a.astype(np.float64)], [b.astype(np.float64)]
    finer, coarser = next_per_frame(), next_per_frame()
    roughness = sum(np.abs(np.diff(each, axis=0)).sum(axis=0) / len(each) for each in (a, b)) / 2
    estimate = 1.154 * finer - 0.298 * coarser + 0.079 * roughness
    frames = len(a) + len(b)
    return max(0.0, float((frames * warped.weights(SCALES, frames) * estimate).sum()))


@given(lengths, st.lists(lengths, min_size=1, max_size=4), st.sampled_from([DTW, UNSCALED]))
@settings(max_examples=30)
def test_estimates_equal_those_of_the_slow_twin(frames: int, others: list[int], warped: WarpedDistance) -> None:
    query, contours = walk(0, frames), [walk(seed, length) for seed, length in enumerate(others, start=1)]
    found = estimated_distances(warped, averaged(query), averaged(*contours), SCALES)
    expected = [slow_twin(warped, query, contour) for contour in contours]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


@given(lengths, lengths)
def test_an_estimate_is_the_same_in_both_directions(one: int, other: int) -> None:
    a, b = averaged(walk(1, one)), averaged(walk(2, other))
    assert estimated_distances(DTW, a, b, SCALES) == pytest.approx(estimated_distances(DTW, b, a, SCALES), rel=1e-5)


def test_estimates_are_near_the_distances_of_slowly_changing_tracks() -> None:
    contours = [np.repeat(walk(seed, 30), 10, axis=0) for seed in range(6)]
    found = estimated_distances(DTW, averaged(contours[0]), averaged(*contours[1:]), SCALES)
    exact = DTW.distances(contours[0], RaggedFrames.of(contours[1:], COEFFICIENTS), SCALES)
    np.testing.assert_allclose(found, exact, rtol=0.2)
