"""Tests of why two tracks are near to each other, as pages show it."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.similarity.explain import SimilarStretch
from mfcc_assets.web.cards import Card
from mfcc_assets.web.why import HEIGHT, WIDTH, why_of

TIMES = st.floats(0, 5000)


def _pair(*stretches: SimilarStretch) -> Any:
    return SimpleNamespace(explanation=SimpleNamespace(stretches=stretches, path=((0.0, 0.0), (9.0, 9.0))))


@given(st.lists(st.tuples(TIMES, TIMES, TIMES, TIMES), max_size=5))
def test_bands_stay_in_the_drawing_and_can_be_seen(times: list[tuple[float, float, float, float]]) -> None:
    found = [SimilarStretch(min(a, b), max(a, b), min(c, d), max(c, d), 0.1, 0.99) for a, b, c, d in times]
    why = why_of(_pair(*found), Card("a", "A", seconds=200.0), Card("b", "B"), "/picture")

    for stretch in why.stretches:
        corners = [tuple(map(float, corner.split(","))) for corner in stretch.outline.split()]
        assert all(0 <= x <= WIDTH + 0.1 and y in (0, HEIGHT) for x, y in corners)
        assert corners[1][0] > corners[0][0]
        assert corners[2][0] > corners[3][0]


def test_a_part_that_nobody_may_hear_is_left_out() -> None:
    stretch = SimilarStretch(1.0, 6.0, 2.0, 7.0, 0.1, 0.99)
    why = why_of(_pair(stretch), Card("a", "A"), Card("b", "B", audio="/b"), "/picture")

    assert why.stretches[0].heard == [{"audio": "/b", "from": 2.0, "to": 7.0, "name": "B"}]
    assert why.spans[0] == [{"from": 1.0, "to": 6.0, "number": 1}]
