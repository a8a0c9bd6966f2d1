from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.ids import AudioId
from mfcc_assets.search.id_arrays import IdArray
from mfcc_assets.search.places import Places
from mfcc_assets.search.vector_index import LARGEST_FLAT, SegmentPoints, VectorIndex, trained_centres
from mfcc_assets_tests import naive


def embeddings(tracks: int, seed: int, width: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (tracks, width)).astype(np.float32)


def vector_index(tracks: int, seed: int = 0) -> VectorIndex:
    return VectorIndex.of([AudioId(f"audio {row}") for row in range(tracks)], embeddings(tracks, seed))


@pytest.mark.parametrize(("tracks", "queries"), [(1, 1), (7, 3), (300, 1), (300, 100)])
def test_the_nearest_are_the_same_as_by_comparing_with_all(tracks, queries):
    for query, found in zip(
        embeddings(queries, 1), vector_index(tracks).search(embeddings(queries, 1), 10), strict=True
    ):
        expected = naive.nearest(embeddings(tracks, 0), query)[:10]
        assert list(found) == [f"audio {row}" for _, row in expected]


@given(
    npst.arrays(np.float32, st.tuples(st.integers(1, 30), st.just(6)), elements=st.floats(-8, 8, width=16)),
    st.integers(1, 40),
)
def test_found_tracks_are_as_near_as_the_nearest_of_all_tracks_for_any_values(rows, size):
    [found] = VectorIndex.of(range_of_ids(len(rows)), rows).search(rows[:1], size)
    assert len(found) == len(set(found)) == min(size, len(rows))
    distances = np.linalg.norm(rows[[int(audio_id) for audio_id in found]] - rows[0], axis=1)
    expected = [distance for distance, _ in naive.nearest(rows, rows[0])[:size]]
    np.testing.assert_allclose(distances, expected, rtol=1e-3, atol=1e-2)


def test_every_track_is_nearest_to_itself():
    rows = embeddings(100, 0)
    for row, found in enumerate(vector_index(100).search(rows, 2)):
        assert found[0] == f"audio {row}"


def test_an_empty_index_finds_no_track(tmp_path):
    empty = VectorIndex.of((), np.empty((0, 12), np.float32))
    assert empty.search(embeddings(2, 1), 5) == [(), ()]
    assert len(stored(points_of(embeddings(0, 0)), tmp_path)) == 0


def test_a_search_without_a_query_has_no_result():
    assert vector_index(3).search(np.empty((0, 12), np.float32), 5) == []


def points_of(rows: np.ndarray) -> SegmentPoints:
    return SegmentPoints(rows, trained_centres(rows))


def write(points: SegmentPoints, path: Path) -> None:
    with path.open("wb") as file:
        points.write(file)


def stored(points: SegmentPoints, folder: Path) -> SegmentPoints:
    """Write the points of a segment, read them, and delete the file."""
    path = folder / "prefilter.faiss"
    write(points, path)
    read = SegmentPoints.read(path, len(points))
    path.unlink()
    return read


def assert_same_answers(one: SegmentPoints, other: SegmentPoints, queries: np.ndarray) -> None:
    every = np.ones(len(one), np.bool_)
    for found, expected in zip(one.nearest(queries, 7, every, 4), other.nearest(queries, 7, every, 4), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_stored_points_find_the_same_tracks(tmp_path):
    before = points_of(embeddings(50, 0))
    after = stored(before, tmp_path)
    assert len(after) == 50
    assert_same_answers(after, before, embeddings(3, 1))


@pytest.mark.parametrize("count", [0, 1, 79, 80])
def test_few_points_are_stored_without_the_lists_of_the_library_and_found_with_them(tmp_path, count):
    centres = embeddings(40, 2)
    before = SegmentPoints(embeddings(count, 0), centres)
    write(before, tmp_path / "size")
    written = (tmp_path / "size").stat().st_size
    assert (written < count * 12 * 4 + 200) == (count < 80)
    after = stored(before, tmp_path).with_lists(centres)
    assert after.lists == 40
    assert after.with_lists(centres) is after
    assert_same_answers(after, before, embeddings(20, 1))


@pytest.mark.parametrize("damage", [lambda _: b"", lambda written: written[:-1], lambda written: bytes(len(written))])
def test_damaged_points_are_corrupt(damage, tmp_path):
    path = tmp_path / "prefilter.faiss"
    write(points_of(embeddings(5, 0)), path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CorruptIndex, match="FAISS"):
        SegmentPoints.read(path, 5)


def test_points_with_another_list_of_tracks_are_corrupt(tmp_path):
    write(points_of(embeddings(5, 0)), tmp_path / "prefilter.faiss")
    with pytest.raises(CorruptIndex, match="holds 5 tracks, but its list of tracks holds 4"):
        SegmentPoints.read(tmp_path / "prefilter.faiss", 4)


@pytest.mark.parametrize(
    ("audio_ids", "rows", "reason"),
    [
        (["a"], embeddings(2, 0), "embeddings of 1 tracks"),
        (["a"], np.zeros(12, np.float32), "embeddings of 1 tracks"),
        (["a"], np.full((1, 12), np.nan, np.float32), "finite"),
    ],
)
def test_invalid_embeddings_are_refused(audio_ids, rows, reason):
    with pytest.raises(ValueError, match=reason):
        VectorIndex.of(audio_ids, rows)


@pytest.mark.parametrize(
    ("queries", "size", "reason"),
    [
        (np.zeros((1, 9), np.float32), 5, "embeddings of 12 numbers"),
        (np.zeros(12, np.float32), 5, "embeddings of 12 numbers"),
        (np.full((1, 12), np.inf, np.float32), 5, "finite"),
        (np.zeros((1, 12), np.float32), 0, "at least 1, not 0"),
    ],
)
def test_an_invalid_search_is_refused(queries, size, reason):
    with pytest.raises(ValueError, match=reason):
        vector_index(3).search(queries, size)


MANY = LARGEST_FLAT + 1


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return clustered(MANY, 0)


@pytest.fixture(scope="module")
def large(rows) -> VectorIndex:
    return VectorIndex.of(range_of_ids(len(rows)), rows)


class TestALargeLibrary:
    def test_at_least_98_of_the_100_nearest_are_found(self, large, rows):
        assert recall(large, rows) >= 0.98

    @pytest.mark.parametrize("size", [1, 1_000, 10_000])
    def test_nearly_all_of_the_nearest_are_found_for_any_size(self, large, rows, size):
        assert recall(large, rows, size) >= 0.98

    def test_a_search_can_find_all_tracks(self, large, rows):
        [found] = large.search(rows[:1], 2 * MANY)
        assert len(set(found)) == MANY

    def test_every_track_is_nearest_to_itself(self, large, rows):
        for row, found in enumerate(large.search(rows[:200], 2)):
            assert found[0] == str(row)

    def test_found_tracks_are_in_the_order_of_their_distances(self, large, rows):
        for query, found in zip(rows[:20], large.search(rows[:20], 50), strict=True):
            exact = [naive.nearest(rows[[int(audio_id)]], query)[0][0] for audio_id in found]
            np.testing.assert_allclose(exact, sorted(exact), rtol=1e-3, atol=1e-2)

    def test_the_same_library_gives_the_same_bytes(self, rows, tmp_path):
        write(points_of(rows), tmp_path / "one")
        write(points_of(rows), tmp_path / "other")
        assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()

    def test_stored_points_find_the_same_tracks(self, rows, tmp_path):
        points = points_of(rows)
        assert_same_answers(stored(points, tmp_path), points, rows[:20])

    def test_a_library_that_grew_is_searched_with_the_former_lists(self, rows):
        grown = np.concatenate([rows, clustered(MANY + 2_000, 0)[-2_000:]])
        centres = trained_centres(rows)
        segments = [SegmentPoints(grown[:MANY], centres), SegmentPoints(grown[MANY:], centres)]
        every = IdArray.of(range_of_ids(len(grown)))
        vector_index = VectorIndex(every, segments, Places(np.array([0, MANY, len(grown)]), np.arange(len(grown))))
        assert len(vector_index) == len(grown)
        assert recall(vector_index, grown) >= 0.98

    def test_a_thousand_copies_of_one_track_do_not_hide_the_others(self, rows):
        copies = np.concatenate([rows, np.repeat(rows[:1], 1000, axis=0)])
        vector_index = VectorIndex.of(range_of_ids(len(copies)), copies)
        assert [found[0] for found in vector_index.search(rows[5:10], 1)] == ["5", "6", "7", "8", "9"]


def clustered(tracks: int, seed: int) -> np.ndarray:
    """Embeddings with a structure: they lie around 300 centres, and differ from them in ten of twelve directions."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 1, (300, 12))
    spread = rng.normal(0, 0.4, (tracks, 10)) @ rng.normal(0, 0.3, (10, 12))
    return (centres[rng.integers(300, size=tracks)] + spread).astype(np.float32)


def range_of_ids(tracks: int) -> list[AudioId]:
    return [AudioId(str(row)) for row in range(tracks)]


def recall(vector_index: VectorIndex, rows: np.ndarray, size: int = 100) -> float:
    """Share of the true nearest tracks that a search finds, over some queries."""
    queries = rows[:: len(rows) // 100]
    shares = []
    for query, found in zip(queries, vector_index.search(queries, size), strict=True):
        nearest = np.argsort(((rows - query) ** 2).sum(axis=1))[:size]
        shares.append(len({str(row) for row in nearest} & set(found)) / len(nearest))
    return float(np.mean(shares))


def test_points_of_another_width_than_their_lists_are_refused():
    with pytest.raises(ValueError, match="embeddings of 12 numbers"):
        SegmentPoints(embeddings(1, 0, width=15), np.empty((0, 12), np.float32))


def split(rows: np.ndarray, centres: np.ndarray, segment_of_row: np.ndarray) -> VectorIndex:
    """Put each row into one of several segments."""
    audio_ids = [AudioId(f"{row:06}") for row in range(len(rows))]
    numbers = range(int(segment_of_row.max(initial=0)) + 1)
    members = [np.flatnonzero(segment_of_row == number) for number in numbers]
    ids = [IdArray.of(audio_ids[row] for row in rows_of.tolist()) for rows_of in members]
    points = [SegmentPoints(rows[rows_of], centres) for rows_of in members]
    return VectorIndex(IdArray.of(audio_ids), points, Places.of(IdArray.of(audio_ids), ids))


@given(
    npst.arrays(np.float32, st.tuples(st.integers(1, 30), st.just(6)), elements=st.floats(-8, 8, width=16)),
    st.data(),
)
def test_any_split_into_segments_finds_the_same_tracks_in_the_same_order(rows, data):
    numbers = data.draw(npst.arrays(np.int64, len(rows), elements=st.integers(0, 3)))
    _, numbers = np.unique(numbers, return_inverse=True)
    count = data.draw(st.integers(1, 40))
    among = data.draw(st.none() | npst.arrays(np.bool_, len(rows)))
    none = np.empty((0, 6), np.float32)
    together = split(rows, none, np.zeros(len(rows), np.int64))
    assert split(rows, none, numbers).search(rows[:3], count, among) == together.search(rows[:3], count, among)


@pytest.mark.parametrize("count", [1, 100, 5_000])
def test_any_split_of_a_large_library_finds_the_same_tracks_in_the_same_order(rows, count):
    centres = trained_centres(rows)
    numbers = np.random.default_rng(3).choice(4, len(rows), p=[0.9, 0.08, 0.015, 0.005])
    together = split(rows, centres, np.zeros(len(rows), np.int64))
    assert split(rows, centres, numbers).search(rows[:30], count) == together.search(rows[:30], count)


def test_rows_of_a_segment_that_the_index_does_not_have_are_not_found():
    rows, audio_ids = embeddings(10, 0), IdArray.of([AudioId(f"{row:06}") for row in range(10)])
    left = IdArray[AudioId](audio_ids.array[3:])
    points = SegmentPoints(rows, np.empty((0, 12), np.float32))
    index = VectorIndex(left, [points], Places.of(left, [audio_ids]))
    assert set(index.search(rows[:1], 10)[0]) == set(left)


@pytest.mark.parametrize("size", [40, LARGEST_FLAT + 1])
def test_only_some_tracks_may_be_found(size: int) -> None:
    points = np.random.default_rng(4).standard_normal((size, 3)).astype(np.float32)
    index = VectorIndex.of([AudioId(f"{row:06}") for row in range(size)], points)
    among = np.zeros(size, np.bool_)
    among[3::7] = True
    (found,) = index.search(points[:1], 5, among)
    nearest = np.argsort(np.linalg.norm(points[among] - points[0], axis=1))[:5]
    assert [int(audio_id) for audio_id in found] == np.flatnonzero(among)[nearest].tolist()
    assert len(index.search(points[:1], size, among)[0]) <= among.sum()
    with pytest.raises(ValueError, match="one value for each"):
        index.search(points[:1], 5, among[1:])
