import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mfcc_assets.similarity.dtw.local_alignment import LocalAlignment, local_alignments
from mfcc_assets_tests import naive

# float32 adds whole numbers exactly, so the kernel and the naive function must agree to the last bit.
small = arrays.arrays(np.int64, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.integers(0, 6))
larger = arrays.arrays(np.int64, st.tuples(st.integers(1, 30), st.integers(1, 30)), elements=st.integers(0, 6))


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    local_alignments(np.zeros((2, 2)), close=1, shortest=(1, 1), count=1)


def score(cells, differences, close):
    return sum(close - differences[i, j] for i, j in cells)


@given(small, st.integers(1, 5))
def test_the_first_alignment_has_the_best_score(differences, close):
    best = max(score(cells, differences, close) for cells in naive.every_stretch(*differences.shape))
    found = local_alignments(differences, close=close, shortest=(1, 1), count=1)
    assert [score(alignment.cells.tolist(), differences, close) for alignment in found] == ([best] if best > 0 else [])


@given(larger, st.integers(1, 5), st.tuples(st.integers(1, 6), st.integers(1, 6)))
def test_alignments_lie_inside_both_tracks_and_share_no_frame(differences, close, shortest):
    found = local_alignments(differences, close=close, shortest=shortest, count=5)

    assert len(found) <= 5
    for spans, length, least in zip(
        ([alignment.rows for alignment in found], [alignment.columns for alignment in found]),
        differences.shape,
        shortest,
        strict=True,
    ):
        frames = [frame for start, end in spans for frame in range(start, end)]
        assert len(set(frames)) == len(frames)
        assert set(frames) <= set(range(length))
        assert all(end - start >= least for start, end in spans)


@given(larger, st.integers(1, 5))
def test_alignments_are_close_and_sorted_by_score(differences, close):
    found = local_alignments(differences, close=close, shortest=(2, 2), count=5)
    scores = [score(alignment.cells.tolist(), differences, close) for alignment in found]

    assert scores == sorted(scores, reverse=True)
    for alignment in found:
        steps = {tuple(step) for step in np.diff(alignment.cells, axis=0).tolist()}
        assert steps <= {(1, 1), (2, 1), (1, 2)}
        assert alignment.difference < close
        assert alignment.difference == pytest.approx(differences[tuple(alignment.cells.T)].mean())


def differences_of(a, b):
    return np.abs(a[:, np.newaxis] - b).mean(axis=2)


def song(frames, seed=0):
    return np.random.default_rng(seed).normal(size=(frames, 13))


def spans(found: list[LocalAlignment]) -> list[tuple[list[int], list[int]]]:
    return [(alignment.rows.tolist(), alignment.columns.tolist()) for alignment in found]


def test_a_track_is_aligned_with_itself_as_a_whole():
    whole = song(80)
    found = local_alignments(differences_of(whole, whole), close=0.5, shortest=(10, 10), count=5)
    assert spans(found) == [([0, 80], [0, 80])]
    assert found[0].difference == 0


def test_a_passage_is_found_anywhere_in_the_other_track():
    a, b = song(100, seed=1), song(140, seed=2)
    b[100:130] = a[20:50]
    b[10:25] = a[70:85]
    found = local_alignments(differences_of(a, b), close=0.5, shortest=(10, 10), count=5)
    assert spans(found) == [([20, 50], [100, 130]), ([70, 85], [10, 25])]


def test_a_passage_is_found_at_another_speed():
    a = song(100, seed=1).cumsum(axis=0) / 5
    faster = a[20:80:2]
    b = np.concatenate([song(40, seed=2) + 20, faster, song(30, seed=3) - 20])
    ((rows, columns),) = spans(local_alignments(differences_of(a, b), close=0.1, shortest=(10, 10), count=5))
    assert rows == [20, 79]
    assert columns == [40, 70]


def test_tracks_that_never_sound_alike_have_no_alignment():
    assert local_alignments(np.full((50, 60), 2.0), close=1, shortest=(10, 10), count=5) == []


def test_alignments_that_are_too_short_are_left_out():
    differences = np.full((50, 60), 9.0)
    differences[np.arange(9), np.arange(9) + 5] = 0
    assert local_alignments(differences, close=1, shortest=(10, 10), count=5) == []
    assert len(local_alignments(differences, close=1, shortest=(9, 9), count=5)) == 1


@pytest.mark.parametrize("bad", [[], np.zeros(3), np.zeros((0, 2)), [[np.nan]]])
def test_an_invalid_matrix_is_refused(bad):
    with pytest.raises(ValueError, match="expected"):
        local_alignments(bad, close=1, shortest=(1, 1), count=1)


@pytest.mark.parametrize("close", [0, -1, np.nan])
def test_a_largest_difference_that_is_not_positive_is_refused(close):
    with pytest.raises(ValueError, match="close"):
        local_alignments(np.zeros((2, 2)), close=close, shortest=(1, 1), count=1)
