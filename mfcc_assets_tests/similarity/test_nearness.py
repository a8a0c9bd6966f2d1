"""How near a distance is among those of random pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.similarity.nearness import Nearness, PairDistances

SHARE = st.floats(0, 1)


@given(SHARE, SHARE)
def test_a_nearer_pair_never_has_a_shorter_bar_nor_a_word_that_is_farther(one: float, other: float) -> None:
    words = ["far", "not near", "fairly near", "near", "very near"]
    farther, nearer = sorted((one, other))

    assert Nearness(farther).bar <= Nearness(nearer).bar
    assert words.index(Nearness(farther).word) <= words.index(Nearness(nearer).word)
    assert 0 <= Nearness(one).bar <= 1


@given(st.integers(1, 999))
def test_the_share_in_words_never_says_more_than_was_measured(thousandths: int) -> None:
    said = str(Nearness(thousandths / 1000))

    number = float(said.removeprefix("closer than ").removesuffix(" % of pairs"))
    assert number <= thousandths / 10 + 1e-9
    assert thousandths / 10 - number < 1


def test_a_pair_that_is_closer_than_all_or_none_says_so_without_a_percentage() -> None:
    assert str(Nearness(1.0)) == "closer than all measured pairs"
    assert str(Nearness(0.0)) == "closer than none of the pairs"


@given(st.lists(st.floats(0, 10), min_size=1, max_size=20), st.floats(0, 11))
def test_the_share_is_that_of_the_pairs_that_are_farther_apart(distances: list[float], distance: float) -> None:
    nearness = PairDistances(np.sort(distances)).nearness(distance)

    assert nearness is not None
    assert nearness.closer_than == pytest.approx(np.mean([each > distance for each in distances]))


def test_a_library_without_pairs_says_nothing() -> None:
    assert PairDistances(np.empty(0)).nearness(1.0) is None
