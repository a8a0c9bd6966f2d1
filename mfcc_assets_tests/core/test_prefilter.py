import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mfcc_assets.core.errors import CorruptIndex
from mfcc_assets.core.prefilter import Prefilter
from mfcc_assets_tests import naive

SCALES = np.array([1.0, 20.0, 0.5])


def embeddings(tracks: int, seed: int, segments: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(0, 1, (tracks, segments, 3)) * SCALES).reshape(tracks, -1).astype(np.float32)


def prefilter(tracks: int, seed: int = 0) -> Prefilter:
    return Prefilter([f"audio {row}" for row in range(tracks)], embeddings(tracks, seed), SCALES)


@pytest.mark.parametrize(("tracks", "queries"), [(1, 1), (7, 3), (300, 1), (300, 100)])
def test_the_nearest_are_those_of_a_search_through_all(tracks, queries):
    for query, hits in zip(embeddings(queries, 1), prefilter(tracks).search(embeddings(queries, 1), 10), strict=True):
        expected = naive.nearest(embeddings(tracks, 0), query, SCALES)[:10]
        assert list(hits.audio_ids) == [f"audio {row}" for _, row in expected]
        np.testing.assert_allclose(hits.distances, [distance for distance, _ in expected], rtol=1e-4)


@given(
    npst.arrays(np.float32, st.tuples(st.integers(1, 30), st.just(6)), elements=st.floats(-8, 8, width=16)),
    npst.arrays(np.float64, 3, elements=st.floats(0.5, 4)),
    st.integers(1, 40),
)
def test_distances_are_those_of_a_search_through_all_whatever_the_values(rows, scales, size):
    [hits] = Prefilter([str(row) for row in range(len(rows))], rows, scales).search(rows[:1], size)
    expected = naive.nearest(rows, rows[0], scales)
    assert len(hits.audio_ids) == len(set(hits.audio_ids)) == min(size, len(rows))
    np.testing.assert_allclose(hits.distances, [distance for distance, _ in expected[:size]], rtol=1e-3, atol=1e-2)


def test_every_track_is_nearest_to_itself_at_no_distance():
    rows = embeddings(100, 0)
    for row, hits in enumerate(prefilter(100).search(rows, 2)):
        assert hits.audio_ids[0] == f"audio {row}"
        assert hits.distances[0] == pytest.approx(0, abs=1e-2)


def test_a_coefficient_counts_by_its_deviation_and_not_by_its_size():
    rows = np.float32([[0, 20, 0], [2, 0, 0]])
    [hits] = Prefilter(["one deviation away", "two deviations away"], rows, SCALES).search(np.zeros((1, 3), "f4"), 2)
    assert hits.audio_ids == ("one deviation away", "two deviations away")
    assert hits.distances == pytest.approx([1, 2])


def test_an_index_of_nothing_finds_nothing():
    empty = Prefilter((), np.empty((0, 12), np.float32), SCALES)
    assert [hits.audio_ids for hits in empty.search(embeddings(2, 1), 5)] == [(), ()]
    assert len(Prefilter.from_bytes(empty.to_bytes(), (), SCALES)) == 0


def test_no_query_gets_no_answer():
    assert prefilter(3).search(np.empty((0, 12), np.float32), 5) == []


def test_what_is_stored_answers_as_before():
    before = prefilter(50)
    after = Prefilter.from_bytes(before.to_bytes(), before.audio_ids, SCALES)
    assert len(after) == 50
    for one, other in zip(before.search(embeddings(3, 1), 7), after.search(embeddings(3, 1), 7), strict=True):
        assert one.audio_ids == other.audio_ids
        np.testing.assert_array_equal(one.distances, other.distances)


@pytest.mark.parametrize("damage", [lambda _: b"", lambda stored: stored[:-1], lambda stored: b"x" * len(stored)])
def test_a_damaged_index_is_corrupt(damage):
    with pytest.raises(CorruptIndex, match="FAISS"):
        Prefilter.from_bytes(damage(prefilter(5).to_bytes()), prefilter(5).audio_ids, SCALES)


def test_an_index_with_another_list_of_tracks_is_corrupt():
    with pytest.raises(CorruptIndex, match="holds 5 tracks, its list of tracks 4"):
        Prefilter.from_bytes(prefilter(5).to_bytes(), prefilter(4).audio_ids, SCALES)


@pytest.mark.parametrize("scales", [np.ones(5), np.array([]), np.array([1, 0, 1.0]), np.array([1, np.nan, 1])])
def test_an_index_with_scales_that_do_not_fit_is_corrupt(scales):
    with pytest.raises(CorruptIndex, match="scales"):
        Prefilter.from_bytes(prefilter(5).to_bytes(), prefilter(5).audio_ids, scales)


@pytest.mark.parametrize(
    ("audio_ids", "rows", "scales", "reason"),
    [
        (["a"], embeddings(2, 0), SCALES, "1 tracks have embeddings"),
        (["a"], np.zeros(12, np.float32), SCALES, "1 tracks have embeddings"),
        (["a"], np.full((1, 12), np.nan, np.float32), SCALES, "finite"),
        (["a"], embeddings(1, 0), np.ones(5), "segments of 5 coefficients"),
        (["a"], embeddings(1, 0), np.array([1, 0, 1.0]), "positive scale"),
        (["a"], embeddings(1, 0), np.array([1, np.inf, 1]), "positive scale"),
        (["a"], embeddings(1, 0), np.array([]), "positive scale"),
    ],
)
def test_what_cannot_be_indexed_is_refused(audio_ids, rows, scales, reason):
    with pytest.raises(ValueError, match=reason):
        Prefilter(audio_ids, rows, scales)


@pytest.mark.parametrize(
    ("queries", "size", "reason"),
    [
        (np.zeros((1, 9), np.float32), 5, "embeddings of 12 numbers"),
        (np.zeros(12, np.float32), 5, "embeddings of 12 numbers"),
        (np.full((1, 12), np.inf, np.float32), 5, "finite"),
        (np.zeros((1, 12), np.float32), 0, "at least one track"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(queries, size, reason):
    with pytest.raises(ValueError, match=reason):
        prefilter(3).search(queries, size)
