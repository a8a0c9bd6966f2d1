"""The harmony of a track over time."""

import numpy as np
import pytest

from mfcc_assets.features.chroma import CHROMA_SAMPLE_RATE, FRAME_SECONDS, PITCH_CLASSES, chroma_of
from mfcc_assets_tests.performances import PIECE, performance


def signal_of(seconds: float, pitch: float = 440.0) -> np.ndarray:
    return np.sin(2 * np.pi * pitch * np.arange(round(seconds * CHROMA_SAMPLE_RATE)) / CHROMA_SAMPLE_RATE).astype("f4")


@pytest.mark.parametrize(("pitch", "name"), [(261.63, "C"), (130.81, "C"), (1567.98, "G"), (466.16, "A♯")])
def test_a_tone_is_its_pitch_class_in_any_octave(pitch, name):
    harmony = chroma_of([signal_of(12, pitch)])
    assert {PITCH_CLASSES[frame.argmax()] for frame in harmony} == {name}


def test_a_piece_in_another_key_has_the_same_harmony_turned_by_as_many_pitch_classes():
    piece = chroma_of([performance(PIECE).astype("f4")])
    higher = chroma_of([performance(PIECE, semitones=3).astype("f4")])
    alike = (piece * np.roll(higher, -3, axis=1)).sum(axis=1)
    assert np.median(alike) > 0.95
    assert np.median((piece * higher).sum(axis=1)) < 0.8


def test_each_frame_has_the_length_one_or_zero():
    lengths = np.linalg.norm(chroma_of([performance(PIECE).astype("f4")]), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)


@pytest.mark.parametrize("seconds", [0.0, 0.5])
def test_a_moment_has_no_frame(seconds):
    assert chroma_of([signal_of(seconds)]).shape == (0, 12)


@pytest.mark.parametrize("seconds", [0.8, 3.0, 59.9, 60.5, 125.0])
def test_a_signal_of_any_other_length_has_a_frame_for_each_step(seconds):
    assert len(chroma_of([signal_of(seconds)])) == pytest.approx(seconds / FRAME_SECONDS, abs=2)


def test_the_pieces_in_which_a_signal_comes_do_not_matter():
    signal = performance(PIECE * 4).astype("f4")
    blocks = np.split(signal, [1, 5_000, 900_000, 900_001])
    np.testing.assert_array_equal(chroma_of(blocks), chroma_of([signal]))
