from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.search.vector_index import LARGEST_FLAT, VectorIndex
from mfcc_assets_tests import naive


def embeddings(tracks: int, seed: int, width: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (tracks, width)).astype(np.float32)


def vector_index(tracks: int, seed: int = 0) -> VectorIndex:
    return VectorIndex([f"audio {row}" for row in range(tracks)], embeddings(tracks, seed))


@pytest.mark.parametrize(("tracks", "queries"), [(1, 1), (7, 3), (300, 1), (300, 100)])
def test_the_nearest_are_those_of_a_search_through_all(tracks, queries):
    for query, hits in zip(
        embeddings(queries, 1), vector_index(tracks).search(embeddings(queries, 1), 10), strict=True
    ):
        expected = naive.nearest(embeddings(tracks, 0), query)[:10]
        assert list(hits.audio_ids) == [f"audio {row}" for _, row in expected]
        np.testing.assert_allclose(hits.distances, [distance for distance, _ in expected], rtol=1e-4)


@given(
    npst.arrays(np.float32, st.tuples(st.integers(1, 30), st.just(6)), elements=st.floats(-8, 8, width=16)),
    st.integers(1, 40),
)
def test_distances_are_those_of_a_search_through_all_whatever_the_values(rows, size):
    [hits] = VectorIndex([str(row) for row in range(len(rows))], rows).search(rows[:1], size)
    expected = naive.nearest(rows, rows[0])
    assert len(hits.audio_ids) == len(set(hits.audio_ids)) == min(size, len(rows))
    np.testing.assert_allclose(hits.distances, [distance for distance, _ in expected[:size]], rtol=1e-3, atol=1e-2)


def test_every_track_is_nearest_to_itself_at_no_distance():
    rows = embeddings(100, 0)
    for row, hits in enumerate(vector_index(100).search(rows, 2)):
        assert hits.audio_ids[0] == f"audio {row}"
        assert hits.distances[0] == pytest.approx(0, abs=1e-2)


def test_an_index_of_nothing_finds_nothing(tmp_path):
    empty = VectorIndex((), np.empty((0, 12), np.float32))
    assert [hits.audio_ids for hits in empty.search(embeddings(2, 1), 5)] == [(), ()]
    assert len(stored(empty, tmp_path)) == 0


def test_no_query_gets_no_answer():
    assert vector_index(3).search(np.empty((0, 12), np.float32), 5) == []


def stored(vector_index: VectorIndex, folder: Path) -> VectorIndex:
    """What is read back after a prefilter was written; the file's name is gone."""
    path = folder / "prefilter.faiss"
    vector_index.write(path)
    read = VectorIndex.read(path, vector_index.audio_ids)
    path.unlink()
    return read


def test_what_is_stored_answers_as_before(tmp_path):
    before = vector_index(50)
    after = stored(before, tmp_path)
    assert len(after) == 50
    for one, other in zip(before.search(embeddings(3, 1), 7), after.search(embeddings(3, 1), 7), strict=True):
        assert one.audio_ids == other.audio_ids
        np.testing.assert_array_equal(one.distances, other.distances)


@pytest.mark.parametrize("damage", [lambda _: b"", lambda written: written[:-1], lambda written: bytes(len(written))])
def test_a_damaged_index_is_corrupt(damage, tmp_path):
    path = tmp_path / "prefilter.faiss"
    vector_index(5).write(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CorruptIndex, match="FAISS"):
        VectorIndex.read(path, vector_index(5).audio_ids)


def test_an_index_with_another_list_of_tracks_is_corrupt(tmp_path):
    vector_index(5).write(tmp_path / "prefilter.faiss")
    with pytest.raises(CorruptIndex, match="holds 5 tracks, its list of tracks 4"):
        VectorIndex.read(tmp_path / "prefilter.faiss", vector_index(4).audio_ids)


@pytest.mark.parametrize(
    ("audio_ids", "rows", "reason"),
    [
        (["a"], embeddings(2, 0), "1 tracks have embeddings"),
        (["a"], np.zeros(12, np.float32), "1 tracks have embeddings"),
        (["a"], np.full((1, 12), np.nan, np.float32), "finite"),
    ],
)
def test_what_cannot_be_indexed_is_refused(audio_ids, rows, reason):
    with pytest.raises(ValueError, match=reason):
        VectorIndex(audio_ids, rows)


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
        vector_index(3).search(queries, size)


MANY = LARGEST_FLAT + 1


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return clustered(MANY, 0)


@pytest.fixture(scope="module")
def large(rows) -> VectorIndex:
    return VectorIndex(range_of_ids(len(rows)), rows)


class TestALargeLibrary:
    def test_the_hundred_nearest_are_found_but_for_two(self, large, rows):
        assert recall(large, rows) >= 0.98

    @pytest.mark.parametrize("size", [1, 1_000, 10_000])
    def test_however_many_are_asked_for_nearly_all_are_found(self, large, rows, size):
        assert recall(large, rows, size) >= 0.98

    def test_all_tracks_can_be_asked_for(self, large, rows):
        [hits] = large.search(rows[:1], 2 * MANY)
        assert len(set(hits.audio_ids)) == MANY

    def test_every_track_is_nearest_to_itself(self, large, rows):
        for row, hits in enumerate(large.search(rows[:200], 2)):
            assert hits.audio_ids[0] == str(row)
            assert hits.distances[0] == pytest.approx(0, abs=1e-2)

    def test_distances_are_right_to_three_digits_and_ascend(self, large, rows):
        for query, hits in zip(rows[:20], large.search(rows[:20], 50), strict=True):
            exact = [naive.nearest(rows[[int(audio)]], query)[0][0] for audio in hits.audio_ids]
            np.testing.assert_allclose(hits.distances, exact, rtol=1e-3, atol=1e-2)
            assert (np.diff(hits.distances) >= 0).all()

    def test_the_same_library_gives_the_same_bytes(self, large, rows, tmp_path):
        large.write(tmp_path / "one")
        VectorIndex(range_of_ids(len(rows)), rows).write(tmp_path / "other")
        assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()

    def test_what_is_stored_answers_as_before(self, large, rows, tmp_path):
        after = stored(large, tmp_path)
        for one, other in zip(large.search(rows[:20], 50), after.search(rows[:20], 50), strict=True):
            assert one.audio_ids == other.audio_ids

    def test_a_library_that_grew_is_searched_by_the_lists_of_the_former_one(self, large, tmp_path):
        grown = clustered(MANY + 2_000, 0)
        former = stored(large, tmp_path)
        vector_index = former.with_tracks(range_of_ids(len(grown)), grown)
        assert len(vector_index) == len(grown)
        assert recall(vector_index, grown) >= 0.98
        assert len(large) == len(former) == MANY

    def test_tracks_that_went_are_not_found(self, large, rows):
        left = large.with_tracks(range_of_ids(MANY)[1:], rows[1:])
        assert "0" not in left.search(rows[:1], 100)[0].audio_ids

    def test_a_library_that_shrank_is_searched_whole_again(self, large, rows):
        few = large.with_tracks(range_of_ids(500), rows[:500])
        assert recall(few, rows[:500]) == 1

    def test_a_library_that_shrank_to_a_fifth_gets_lists_of_its_own(self):
        many = clustered(5 * MANY, 0)
        few = VectorIndex(range_of_ids(len(many)), many).with_tracks(range_of_ids(MANY), many[:MANY])
        assert recall(few, many[:MANY]) >= 0.98

    def test_a_thousand_copies_of_one_track_do_not_hide_the_others(self, rows):
        copies = np.concatenate([rows, np.repeat(rows[:1], 1000, axis=0)])
        vector_index = VectorIndex(range_of_ids(len(copies)), copies)
        assert [hits.audio_ids[0] for hits in vector_index.search(rows[5:10], 1)] == ["5", "6", "7", "8", "9"]


def clustered(tracks: int, seed: int) -> np.ndarray:
    """Embeddings in which neighbours mean something: around 300 centres, in ten of their twelve directions."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 1, (300, 12))
    spread = rng.normal(0, 0.4, (tracks, 10)) @ rng.normal(0, 0.3, (10, 12))
    return (centres[rng.integers(300, size=tracks)] + spread).astype(np.float32)


def range_of_ids(tracks: int) -> list[str]:
    return [str(row) for row in range(tracks)]


def recall(vector_index: VectorIndex, rows: np.ndarray, size: int = 100) -> float:
    """Share of the nearest of some tracks that a search finds."""
    queries = rows[:: len(rows) // 100]
    shares = []
    for query, hits in zip(queries, vector_index.search(queries, size), strict=True):
        nearest = np.argsort(((rows - query) ** 2).sum(axis=1))[:size]
        shares.append(len({str(row) for row in nearest} & set(hits.audio_ids)) / len(nearest))
    return float(np.mean(shares))


@pytest.mark.parametrize(("audio_ids", "rows"), [(["a"], embeddings(2, 0)), (["a"], embeddings(1, 0, width=15))])
def test_other_tracks_that_do_not_fit_are_refused(audio_ids, rows):
    with pytest.raises(ValueError, match="1 tracks have embeddings"):
        vector_index(3).with_tracks(audio_ids, rows)
