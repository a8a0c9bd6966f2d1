"""The longest stretch in which two tracks have the same harmony."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mfcc_assets.features.chroma import chroma_of
from mfcc_assets.similarity.harmony import OTHER_PERFORMANCE, has_harmony, shared_harmony
from mfcc_assets_tests.performances import OTHER_PIECE, PIECE, performance


def harmony(roots: tuple[int, ...], **manner: float) -> NDArray[np.float32]:
    return chroma_of([performance(roots, **manner).astype(np.float32)])  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def piece() -> NDArray[np.float32]:
    return harmony(PIECE)


@pytest.mark.parametrize(
    ("manner", "semitones"),
    [
        ({"seconds_per_chord": 1.7}, 0),
        ({"seconds_per_chord": 2.4}, 0),
        ({"overtones": 1, "decay": 0.0}, 0),
        ({"semitones": 2}, 2),
        ({"semitones": -5, "overtones": 3, "seconds_per_chord": 2.2}, -5),
        ({"semitones": 6}, 6),
    ],
)
def test_another_performance_is_found_with_its_key(piece, manner, semitones):
    found = shared_harmony(piece, harmony(PIECE, **manner))
    assert found is not None
    assert found.similarity >= OTHER_PERFORMANCE
    assert found.semitones == semitones


def test_another_piece_is_no_other_performance(piece):
    found = shared_harmony(piece, harmony(OTHER_PIECE))
    assert found is None or found.similarity < OTHER_PERFORMANCE


def test_a_performance_behind_an_introduction_is_found_where_it_is(piece):
    introduction = harmony(OTHER_PIECE)[:12]
    found = shared_harmony(piece, np.vstack([introduction, piece]))
    assert found is not None
    assert found.rows == (0, len(piece))
    assert found.columns == (12, 12 + len(piece))


def test_a_track_that_stands_on_one_chord_is_like_nothing(piece):
    chord = np.repeat(piece[:1], 60, axis=0)
    assert shared_harmony(chord, chord) is None
    found = shared_harmony(chord, piece)
    assert found is None or found.similarity < OTHER_PERFORMANCE


def test_silence_is_like_nothing(piece):
    assert shared_harmony(np.zeros((60, 12), np.float32), piece) is None


def test_noise_and_a_chord_that_stands_have_no_harmony_to_compare(piece):
    rng = np.random.default_rng(0)
    chord = np.zeros((60, 12), np.float32)
    chord[:, [0, 4, 7]] = 1
    for steady in (np.ones((60, 12)), chord):
        frames = (steady + 0.05 * rng.random((60, 12))).astype(np.float32)
        frames /= np.linalg.norm(frames, axis=1, keepdims=True)
        assert not has_harmony(frames)
        assert shared_harmony(frames, piece) is None
    assert has_harmony(piece)


def test_less_than_seven_seconds_are_too_short(piece):
    assert shared_harmony(piece[:7], piece) is None


@given(st.integers(0, 2**32 - 1), st.integers(8, 40), st.integers(8, 40))
def test_the_order_of_the_tracks_does_not_matter(seed, n, m):
    rng = np.random.default_rng(seed)
    a, b = (np.abs(rng.normal(size=(frames, 12))).astype(np.float32) for frames in (n, m))
    a, b = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (a, b))
    one, other = shared_harmony(a, b), shared_harmony(b, a)
    assert (one is None) == (other is None)
    if one and other:
        assert one.similarity == pytest.approx(other.similarity, abs=1e-4)


@given(st.integers(0, 2**32 - 1), st.integers(8, 40), st.integers(8, 40), st.floats(0, 1))
def test_a_least_similarity_leaves_out_only_what_is_less_similar(seed, n, m, least):
    rng = np.random.default_rng(seed)
    a, b = (np.abs(rng.normal(size=(frames, 12))).astype(np.float32) ** 3 for frames in (n, m))
    b[: min(n, m) // 2] = a[: min(n, m) // 2]
    a, b = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (a, b))
    every = shared_harmony(a, b)
    assert shared_harmony(a, b, least) == (every if every and every.similarity >= least else None)


@pytest.mark.parametrize("shape", [(20, 11), (12,)])
def test_other_shapes_are_refused(piece, shape):
    with pytest.raises(ValueError, match="harmony is frames x 12"):
        shared_harmony(piece, np.zeros(shape, np.float32))
