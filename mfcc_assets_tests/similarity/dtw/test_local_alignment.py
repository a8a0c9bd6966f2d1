import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mfcc_assets.similarity.dtw.local_alignment import Stretch, alike_stretches
from mfcc_assets_tests import naive

# Whole numbers: float32 adds them exactly, so that kernel and twin must agree to the last bit.
small = arrays.arrays(np.int64, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.integers(0, 6))
larger = arrays.arrays(np.int64, st.tuples(st.integers(1, 30), st.integers(1, 30)), elements=st.integers(0, 6))

compiled_once = settings(deadline=None)


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    alike_stretches(np.zeros((2, 2)), close=1, shortest=(1, 1), most=1)


def score(cells, differences, close):
    return sum(close - differences[i, j] for i, j in cells)


@compiled_once
@given(small, st.integers(1, 5))
def test_the_first_stretch_is_the_best_there_is(differences, close):
    best = max(score(cells, differences, close) for cells in naive.every_stretch(*differences.shape))
    found = alike_stretches(differences, close=close, shortest=(1, 1), most=1)
    assert [score(stretch.cells.tolist(), differences, close) for stretch in found] == ([best] if best > 0 else [])


@compiled_once
@given(larger, st.integers(1, 5), st.tuples(st.integers(1, 6), st.integers(1, 6)))
def test_stretches_lie_inside_both_tracks_and_share_no_frame(differences, close, shortest):
    found = alike_stretches(differences, close=close, shortest=shortest, most=5)

    assert len(found) <= 5
    for spans, length, least in zip(
        ([stretch.rows for stretch in found], [stretch.columns for stretch in found]),
        differences.shape,
        shortest,
        strict=True,
    ):
        frames = [frame for start, end in spans for frame in range(start, end)]
        assert len(set(frames)) == len(frames)
        assert set(frames) <= set(range(length))
        assert all(end - start >= least for start, end in spans)


@compiled_once
@given(larger, st.integers(1, 5))
def test_stretches_are_close_and_come_best_first(differences, close):
    found = alike_stretches(differences, close=close, shortest=(2, 2), most=5)
    scores = [score(stretch.cells.tolist(), differences, close) for stretch in found]

    assert scores == sorted(scores, reverse=True)
    for stretch in found:
        steps = {tuple(step) for step in np.diff(stretch.cells, axis=0).tolist()}
        assert steps <= {(1, 1), (2, 1), (1, 2)}
        assert stretch.difference < close
        assert stretch.difference == pytest.approx(differences[tuple(stretch.cells.T)].mean())


def differences_of(a, b):
    return np.abs(a[:, np.newaxis] - b).mean(axis=2)


def song(frames, seed=0):
    return np.random.default_rng(seed).normal(size=(frames, 13))


def spans(found: list[Stretch]) -> list[tuple[list[int], list[int]]]:
    return [(stretch.rows.tolist(), stretch.columns.tolist()) for stretch in found]


def test_a_track_sounds_like_itself_as_a_whole():
    whole = song(80)
    found = alike_stretches(differences_of(whole, whole), close=0.5, shortest=(10, 10), most=5)
    assert spans(found) == [([0, 80], [0, 80])]
    assert found[0].difference == 0


def test_a_passage_is_found_wherever_the_other_track_has_it():
    a, b = song(100, seed=1), song(140, seed=2)
    b[100:130] = a[20:50]
    b[10:25] = a[70:85]
    found = alike_stretches(differences_of(a, b), close=0.5, shortest=(10, 10), most=5)
    assert spans(found) == [([20, 50], [100, 130]), ([70, 85], [10, 25])]


def test_a_passage_is_found_at_another_pace():
    a = song(100, seed=1).cumsum(axis=0) / 5
    faster = a[20:80:2]
    b = np.concatenate([song(40, seed=2) + 20, faster, song(30, seed=3) - 20])
    ((rows, columns),) = spans(alike_stretches(differences_of(a, b), close=0.1, shortest=(10, 10), most=5))
    assert rows == [20, 79]
    assert columns == [40, 70]


def test_tracks_that_nowhere_sound_alike_have_no_stretch():
    assert alike_stretches(np.full((50, 60), 2.0), close=1, shortest=(10, 10), most=5) == []


def test_what_is_shorter_than_wanted_is_left_out():
    differences = np.full((50, 60), 9.0)
    differences[np.arange(9), np.arange(9) + 5] = 0
    assert alike_stretches(differences, close=1, shortest=(10, 10), most=5) == []
    assert len(alike_stretches(differences, close=1, shortest=(9, 9), most=5)) == 1


@pytest.mark.parametrize("bad", [[], np.zeros(3), np.zeros((0, 2)), [[np.nan]]])
def test_a_matrix_that_is_empty_not_finite_or_no_matrix_is_refused(bad):
    with pytest.raises(ValueError, match="expected"):
        alike_stretches(bad, close=1, shortest=(1, 1), most=1)


@pytest.mark.parametrize("close", [0, -1, np.nan])
def test_nothing_is_closer_than_nothing(close):
    with pytest.raises(ValueError, match="close"):
        alike_stretches(np.zeros((2, 2)), close=close, shortest=(1, 1), most=1)
