"""Words for how a track sounds, on sounds of which anybody hears that they are right."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.track_features import analyse
from mfcc_assets.similarity.qualities import QUALITIES, sound_figures, words_for
from mfcc_assets_tests.sounds import sound

SOUNDS = [(bright, lively, seed) for bright, lively, seed in product((False, True), (False, True), range(3))]


def figures(signal: NDArray[np.float32]) -> NDArray[np.float64]:
    parameters = CepstraParameters()
    return sound_figures(analyse([signal], parameters).cepstra, parameters)


@pytest.fixture(scope="module")
def library() -> NDArray[np.float64]:
    """A library with as many dark as bright, and as many calm as lively tracks, and more that are in between."""
    of_ends = [figures(sound(seed, bright=bright, lively=lively)) for bright, lively, seed in SOUNDS]
    middle = np.mean(of_ends, axis=0)
    return np.array([*of_ends, *(middle * (1 + 1e-3 * number) for number in range(-3, 4))])


@pytest.mark.parametrize(("bright", "lively", "seed"), SOUNDS)
def test_a_sound_is_called_what_everybody_hears(library, bright: bool, lively: bool, seed: int) -> None:
    words = set(words_for(figures(sound(seed + 100, bright=bright, lively=lively)), library).values())

    assert words & {"dark", "bright"} == {"bright" if bright else "dark"}
    assert words & {"calm", "lively"} <= {"lively" if lively else "calm"}


def test_every_word_of_brightness_and_liveliness_is_said_of_some_sound(library) -> None:
    said = [words_for(figures(sound(50, bright=ends, lively=ends)), library).values() for ends in (False, True)]

    assert {"dark", "calm"} <= set(said[0])
    assert {"bright", "lively"} <= set(said[1])


def test_a_steady_wall_of_sound_is_not_called_calm(library) -> None:
    wall = np.tanh(3 * np.random.default_rng(0).standard_normal(44_100 * 12)).astype(np.float32)
    measured = figures(wall)

    assert (measured[2:4] < np.median(library, axis=0)[2:4]).all(), "it changes little"
    assert "calm" not in words_for(measured, library).values()


def test_a_sound_in_the_middle_of_the_library_is_called_nothing(library) -> None:
    assert words_for(np.median(library, axis=0), library) == {}


def test_no_more_than_a_third_of_a_library_gets_any_word() -> None:
    library = np.random.default_rng(1).standard_normal((200, 5))
    said = [words_for(figures_of, library) for figures_of in library]

    for quality in QUALITIES:
        for word in (quality.low, quality.high):
            assert 0 < sum(words.get(quality) == word for words in said) <= 200 / 3


def test_copies_of_one_track_and_small_libraries_get_no_words() -> None:
    assert words_for(np.ones(5), np.ones((50, 5))) == {}
    assert words_for(np.full(5, 9.0), np.arange(5.0)[:, np.newaxis] * np.ones(5)) == {}


def test_a_sound_of_one_frame_has_figures() -> None:
    one = sound_figures(np.ones((1, 13), np.float32), CepstraParameters())

    assert one.shape == (5,)
    assert np.isfinite(one).all()
