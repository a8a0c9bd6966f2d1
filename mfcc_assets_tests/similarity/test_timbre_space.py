"""The timbre space that is fitted to a library."""

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from mfcc_assets.features.timbre import GROUPS, WIDTH
from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.similarity.timbre_space import TimbreSpace

KINDS, TRACKS_OF_A_KIND = 40, 8

FEW = 64
"""Number of tracks of a library whose spaces are fitted quickly."""


def vectors(*, variation: float = 0.8) -> np.ndarray:
    """Tracks of many kinds. Kinds differ in ten directions. Tracks of one kind differ in ten others, and more."""
    rng = np.random.default_rng(0)
    between, nuisance = rng.normal(0, 1, (2, 10, WIDTH))
    kinds = np.repeat(rng.normal(0, 1, (KINDS, 10)), TRACKS_OF_A_KIND, axis=0)
    return kinds @ between + variation * rng.normal(0, 1, (len(kinds), 10)) @ nuisance


def table(timbre: np.ndarray) -> FeatureTable:
    """Features of tracks that have nothing but timbre."""
    nothing = np.zeros((len(timbre), 1), np.float32)
    return FeatureTable(nothing.astype(np.float64), nothing, nothing, nothing, timbre, nothing[:, :0], nothing[:, 0])


def points_of(timbre: np.ndarray, sample: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Points of tracks by each band, in the space of a sample or of the tracks themselves."""
    in_space = TimbreSpace.of(timbre if sample is None else sample).table(table(timbre))
    return {"whole": in_space.timbre, "low": in_space.low_timbre}


def apart(points: np.ndarray) -> np.ndarray:
    """Distances of all tracks to each other, infinite on the diagonal."""
    distances = cdist(points, points)
    np.fill_diagonal(distances, np.inf)
    return distances


def share_of_own_kind(points: np.ndarray) -> float:
    """Share of tracks of the same kind among the nearest of each track."""
    nearest = apart(points).argsort(axis=1)[:, : TRACKS_OF_A_KIND - 1] // TRACKS_OF_A_KIND
    return float((nearest == np.arange(len(points))[:, np.newaxis] // TRACKS_OF_A_KIND).mean())


def test_directions_that_vary_within_a_kind_get_less_weight_without_labels():
    timbre = vectors()
    for points in points_of(timbre).values():
        assert share_of_own_kind(points) > share_of_own_kind(timbre) + 0.1


def test_the_space_of_a_sample_holds_for_tracks_that_were_not_in_it():
    timbre = vectors()
    sample = np.arange(len(timbre)) % 2 == 0
    for points in points_of(timbre, timbre[sample]).values():
        assert share_of_own_kind(points) > share_of_own_kind(timbre) + 0.05


def assert_same_distances(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    for band, points in one.items():
        np.testing.assert_allclose(apart(points), apart(other[band]), rtol=1e-2)


@pytest.mark.parametrize("group", GROUPS)
def test_the_size_of_a_groups_numbers_does_not_change_distances(group):
    timbre = vectors()[:FEW]
    larger = timbre.copy()
    larger[:, GROUPS[group]] *= 1000
    assert_same_distances(points_of(larger), points_of(timbre))


def test_a_shift_of_all_tracks_does_not_change_distances():
    timbre = vectors()[:FEW]
    assert_same_distances(points_of(timbre + 3), points_of(timbre))


@pytest.mark.parametrize(
    ("group", "changed"),
    [
        ("cepstra", {"whole"}),
        ("texture", {"whole"}),
        ("movement", {"whole", "low"}),
        ("low_cepstra", {"low"}),
        ("low_texture", {"low"}),
    ],
)
def test_each_group_of_numbers_belongs_to_its_bands(group, changed):
    timbre = vectors()[:FEW]
    other = timbre.copy()
    other[:, GROUPS[group]] = timbre[::-1, GROUPS[group]]
    before, after = points_of(timbre), points_of(other)
    assert {band for band in before if not np.array_equal(before[band], after[band])} == changed


def test_only_timbre_is_mapped_into_the_space():
    before = replace(table(vectors()[:FEW]), treble=np.arange(FEW, dtype=np.float32))
    after = TimbreSpace.of(before.timbre).table(before)
    for column in fields(FeatureTable):
        if column.name not in ("timbre", "low_timbre"):
            assert getattr(after, column.name) is getattr(before, column.name)


@pytest.mark.parametrize("tracks", [0, 1, 2, 3, 30])
def test_a_small_library_has_a_space(tracks):
    for points in points_of(vectors()[:tracks]).values():
        assert len(points) == tracks
        assert np.isfinite(points).all()


def test_tracks_with_equal_timbre_have_equal_points():
    for points in points_of(np.repeat(vectors()[:1], 12, axis=0)).values():
        np.testing.assert_array_equal(points, np.repeat(points[:1], 12, axis=0))


def test_neither_other_tracks_nor_the_number_of_cores_change_a_point():
    timbre = vectors()
    space = TimbreSpace.of(timbre)
    together = space.table(table(timbre)).timbre
    for threads in (1, 2):
        with threadpool_limits(threads):
            alone = np.concatenate([space.table(table(timbre[[row]])).timbre for row in range(len(timbre))])
        np.testing.assert_array_equal(alone, together)
