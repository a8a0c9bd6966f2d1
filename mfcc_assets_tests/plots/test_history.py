"""The plot of figures over time."""

import pytest

from mfcc_assets.plots.history import history
from mfcc_assets_tests.plots.pictures import pixels


@pytest.mark.parametrize("count", [1, 2, 45])
def test_a_history_of_any_length_is_drawn(count: int) -> None:
    png = history([f"{number:06x}" for number in range(count)], {"precision": [0.5] * count}, "Quality")
    assert pixels(png).shape == (300, 900, 3)


def test_an_unknown_figure_leaves_a_gap_in_the_history() -> None:
    points = ["a", "b", "c"]
    whole = history(points, {"precision": [0.5, 0.5, 0.5]}, "")
    gap = history(points, {"precision": [0.5, None, 0.5]}, "")
    assert (pixels(whole) != 255).any(axis=2).sum() > (pixels(gap) != 255).any(axis=2).sum()
    history(points, {"precision": [None, None, None]}, "")
