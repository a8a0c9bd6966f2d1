import numpy as np
import pytest

from mfcc_assets.plots.projection import loneliest, place_between, project


def groups(size, count=3, seed=0):
    """Vectors of `count` groups that lie apart, one group after the other."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(size=20) * 8 + rng.normal(size=(size, 20)) for _ in range(count)])


@pytest.mark.parametrize("size", [2, 30])
def test_groups_stay_groups(size):
    points = project(groups(size))
    of_group = np.repeat(np.arange(3), size)
    distances = np.linalg.norm(points[:, np.newaxis] - points, axis=2)
    np.fill_diagonal(distances, np.inf)
    np.testing.assert_array_equal(of_group[distances.argmin(axis=1)], of_group)


def test_the_same_vectors_make_the_same_map():
    np.testing.assert_array_equal(project(groups(10)), project(groups(10)))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("artists", [9, 24])
def test_vectors_that_another_processor_has_rounded_make_almost_the_same_map(artists, seed):
    rng = np.random.default_rng(seed)
    tracks = np.repeat(rng.normal(size=(artists, 24)), 5, axis=0) + rng.normal(size=(5 * artists, 24))
    # Like the embeddings of real tracks, they spread less along each further axis.
    vectors = tracks * 0.85 ** np.arange(24)
    rounded = vectors * (1 + 1e-7 * rng.standard_normal(vectors.shape))

    points, others = project(vectors), project(rounded)

    assert np.abs(points - others).max() < 0.01 * np.abs(points).max()


@pytest.mark.parametrize("count", [0, 1, 2, 9, 10, 11])
@pytest.mark.parametrize("width", [1, 2, 50])
def test_a_few_tracks_have_a_map(count, width):
    points = project(np.random.default_rng(0).normal(size=(count, width)))
    assert points.shape == (count, 2)
    assert np.isfinite(points).all()


def test_tracks_that_are_all_the_same_have_a_map():
    assert np.isfinite(project(np.ones((20, 5)))).all()


@pytest.mark.parametrize("bad", [np.zeros(3), np.full((3, 2), np.nan)])
def test_vectors_that_are_not_a_finite_matrix_are_refused(bad):
    with pytest.raises(ValueError, match="finite"):
        project(bad)


def test_the_loneliest_point_is_farthest_from_any_other():
    points = np.array([[0, 0], [1, 0], [0, 1], [9, 9], [4, 0]], float)
    assert loneliest(points, 2) == [3, 4]
    assert loneliest(points[:1]) == [0]


def test_a_vector_lies_between_its_neighbours_and_nearer_to_the_nearer_one():
    points = np.array([[0.0, 0.0], [10.0, 0.0]])
    x, y = place_between(np.array([1.0, 2.0]), points)
    assert (x, y) == (pytest.approx(10 / 17), 0)
    assert place_between(np.array([1.0, 1.0]), points).tolist() == [5, 0]


def test_a_vector_lies_on_the_neighbours_that_it_equals():
    points = np.array([[0.0, 0.0], [4.0, 8.0], [10.0, 0.0]])
    assert place_between(np.array([0.0, 0.0, 1.0]), points).tolist() == [2, 4]


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_the_unit_of_the_distances_does_not_matter(scale):
    points = np.array([[0.0, 0.0], [10.0, 0.0]])
    np.testing.assert_allclose(place_between(np.array([1.0, 2.0]) * scale, points), [10 / 17, 0])
