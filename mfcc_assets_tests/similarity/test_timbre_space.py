"""The timbre space that is fitted to a library."""

import numpy as np
import pytest

from mfcc_assets.features.timbre import GROUPS, WIDTH
from mfcc_assets.similarity.timbre_space import TimbreSpace

KINDS, TRACKS_OF_A_KIND = 40, 8


def vectors(*, variation: float = 0.8) -> np.ndarray:
    """Tracks of many kinds. Kinds differ in ten directions. Tracks of one kind differ in ten others, and more."""
    rng = np.random.default_rng(0)
    between, nuisance = rng.normal(0, 1, (2, 10, WIDTH))
    kinds = np.repeat(rng.normal(0, 1, (KINDS, 10)), TRACKS_OF_A_KIND, axis=0)
    return kinds @ between + variation * rng.normal(0, 1, (len(kinds), 10)) @ nuisance


def apart(points: np.ndarray) -> np.ndarray:
    """Distances of all tracks to each other, infinite on the diagonal."""
    distances = np.linalg.norm(points[:, np.newaxis] - points, axis=2)
    np.fill_diagonal(distances, np.inf)
    return distances


def share_of_own_kind(points: np.ndarray) -> float:
    """Share of tracks of the same kind among the nearest of each track."""
    nearest = apart(points).argsort(axis=1)[:, : TRACKS_OF_A_KIND - 1] // TRACKS_OF_A_KIND
    return float((nearest == np.arange(len(points))[:, np.newaxis] // TRACKS_OF_A_KIND).mean())


def test_directions_that_vary_within_a_kind_get_less_weight_without_labels():
    timbre = vectors()
    assert share_of_own_kind(TimbreSpace.of(timbre)(timbre)) > share_of_own_kind(timbre) + 0.1


def test_the_space_of_a_sample_holds_for_tracks_that_were_not_in_it():
    timbre = vectors()
    sample = np.arange(len(timbre)) % 2 == 0
    points = TimbreSpace.of(timbre[sample])(timbre)
    assert share_of_own_kind(points) > share_of_own_kind(timbre) + 0.05


def test_the_size_of_a_parts_numbers_does_not_change_distances():
    timbre, larger = vectors(), vectors()
    larger[:, GROUPS["texture"]] *= 1000
    np.testing.assert_allclose(apart(TimbreSpace.of(larger)(larger)), apart(TimbreSpace.of(timbre)(timbre)), rtol=1e-2)


def test_a_shift_of_all_tracks_does_not_change_distances():
    timbre = vectors()
    moved = timbre + 3
    np.testing.assert_allclose(apart(TimbreSpace.of(moved)(moved)), apart(TimbreSpace.of(timbre)(timbre)), rtol=1e-2)


@pytest.mark.parametrize("tracks", [0, 1, 2, 3, 30])
def test_a_small_library_has_a_space(tracks):
    timbre = vectors()[:tracks]
    points = TimbreSpace.of(timbre)(timbre)
    assert len(points) == tracks
    assert np.isfinite(points).all()


def test_tracks_with_equal_timbre_have_equal_points():
    timbre = np.repeat(vectors()[:1], 12, axis=0)
    points = TimbreSpace.of(timbre)(timbre)
    np.testing.assert_array_equal(points, np.repeat(points[:1], 12, axis=0))
